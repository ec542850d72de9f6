/** The webhook as `serve` starts it, on the cluster of examples/, and a client that trusts it as an API server does. */
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { createLog } from '../server/log.ts';
import { type AdmissionAnswer, admissionAnswer } from './kubectl-text.ts';
import { startServer } from './start-server.ts';

export interface DemoServer {
  readonly url: string;
  /** What signed its certificate, as PEM. */
  readonly ca: string;
  /** Sends one AdmissionReview. Rejects if no AdmissionReview comes back. */
  ask(review: unknown): Promise<AdmissionAnswer>;
  close(): Promise<void>;
}

export async function startDemoServer(examples: string): Promise<DemoServer> {
  const server = await startServer(
    {
      cluster: [join(examples, 'cluster')],
      config: join(examples, 'portcullis.yaml'),
      host: '127.0.0.1',
      port: 0,
      healthPort: 0,
      drainMs: 0,
    },
    { log: createLog({ write() {} }) },
  );
  const ca = server.ca ?? '';
  const agent = new Agent({ keepAlive: true, ca });
  return {
    url: server.url,
    ca,
    ask: (review) => ask(`${server.url}?timeout=3s`, agent, JSON.stringify(review)),
    async close() {
      agent.destroy();
      await server.close();
    },
  };
}

function ask(url: string, agent: Agent, body: string): Promise<AdmissionAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', accept: 'application/json, */*', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        try {
          resolve(admissionAnswer.parse(JSON.parse(text)).response);
        } catch (cause) {
          reject(new Error(`the webhook answered ${response.statusCode}: ${text.slice(0, 200)}`, { cause }));
        }
      });
    });
    sent.on('error', reject).end(body);
  });
}
