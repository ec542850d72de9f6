/** A proxy before an API server that remembers what it answered: all that a client can have learned. */
import { createServer, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface RecordingProxy {
  readonly url: string;
  /** Method and path of each request. */
  readonly asked: readonly string[];
  /** The bodies of all answers. */
  readonly answered: readonly string[];
  close(): Promise<void>;
}

/** Whoever asks is who the token says. */
export async function recordingProxy(server: string, ca: string, token: string): Promise<RecordingProxy> {
  const asked: string[] = [];
  const answered: string[] = [];
  const target = new URL(server);
  const send = target.protocol === 'https:' ? secureRequest : request;
  const proxy = createServer((from, to) => {
    asked.push(`${from.method} ${from.url}`);
    const headers = { ...from.headers, host: target.host, authorization: `Bearer ${token}` };
    const onward = send(new URL(from.url ?? '/', target), { method: from.method ?? 'GET', headers, ca }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => {
        const body = Buffer.concat(parts);
        answered.push(body.toString('utf8'));
        to.writeHead(answer.statusCode ?? 502, { 'content-type': answer.headers['content-type'] ?? 'text/plain' }).end(body);
      });
    });
    from.pipe(onward);
  });
  await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    asked,
    answered,
    close: () => new Promise((resolve) => void proxy.close(() => resolve())),
  };
}
