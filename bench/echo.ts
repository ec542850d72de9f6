/** The floors: a server that does nothing but parse a review and allow it. `node bench/echo.ts node|fastify <certificates>` */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Fastify from 'fastify';

const [framework, certificates = ''] = process.argv.slice(2);
const tls = { cert: readFileSync(join(certificates, 'tls.crt')), key: readFileSync(join(certificates, 'tls.key')) };

const answer = ({ request }: { request: { uid: string } }) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response: { uid: request.uid, allowed: true },
});

const announce = (address: string | AddressInfo | null): void => console.log(`listening ${(address as AddressInfo).port}`);

if (framework === 'fastify') {
  const app = Fastify({ https: tls, bodyLimit: 24 * 1024 * 1024, keepAliveTimeout: 120_000 });
  app.post('/validate', (request, reply) => reply.send(answer(request.body as Parameters<typeof answer>[0])));
  await app.listen({ host: '127.0.0.1', port: 0 });
  announce(app.server.address());
} else {
  const server = createServer(tls, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer(JSON.parse(Buffer.concat(chunks).toString()))));
    });
  });
  server.keepAliveTimeout = 120_000;
  server.listen(0, '127.0.0.1', () => announce(server.address()));
}
