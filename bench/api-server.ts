/** An API server with so many Pods, in a process of its own: `node bench/api-server.ts <pods> [<of a workload> <broken every>]` prints its address. */
import { FakeApiServer } from '../test/support/fake-api-server.ts';
import { clusterObjects } from './cluster.ts';

const server = new FakeApiServer();
const [count, perWorkload, brokenEvery] = process.argv.slice(2).map(Number);
for (const object of clusterObjects(count as number, perWorkload, brokenEvery)) server.set(object);
await server.start();
console.log(`listening ${server.url.port}`);
