/** Pods that really run: web servers to lead Services to, and a client to ask from. */
import type { RawObject } from '../../src/kube/resources.ts';
import { nodeImages } from './real-node-images.ts';
import type { OnNode } from './real-node-release.ts';

const node = (code: string): RawObject => ({
  image: nodeImages.node,
  imagePullPolicy: 'Never',
  command: ['/usr/bin/node', '-e', code],
});

/** Answers `from <name>` on its port `http`, 8080. */
export const webServer = (name: string): RawObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'web',
            ...node(`require('node:http').createServer((_, to) => to.end('from ${name}')).listen(8080)`),
            ports: [{ name: 'http', containerPort: 8080 }],
            readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
});

/** A Pod called `client` that waits to be told what to do. */
export const client: RawObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'client' },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'client', ...node('setInterval(() => {}, 1e6)') }] },
};

/** What the client of a namespace gets from a URL: the body with its status, or why there is none. */
export async function fetchedBy({ kubectl }: OnNode, namespace: string, url: string): Promise<string> {
  const code = `process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; process.removeAllListeners('warning');
    const options = { method: process.argv[1].startsWith('https') ? 'POST' : 'GET', signal: AbortSignal.timeout(3000) };
    fetch(process.argv[1], options).then(
      async (answer) => console.log(answer.status + ' ' + (await answer.text())),
      (error) => console.log('no answer: ' + (error.cause?.code ?? error.name)));`;
  return (await kubectl('exec', '-n', namespace, 'client', '--', '/usr/bin/node', '-e', code, url)).trim();
}
