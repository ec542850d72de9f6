/** An API server with so many Pods, in a process of its own: `node bench/api-server.ts <pods>` prints its address. */
import { FakeApiServer } from '../test/support/fake-api-server.ts';
import { clusterObjects } from './cluster.ts';

const server = new FakeApiServer();
for (const object of clusterObjects(Number(process.argv[2]))) server.set(object);
await server.start();
console.log(`listening ${server.url.port}`);
