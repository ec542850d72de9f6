import { expect, it } from 'vitest';
import type { ServeOptions } from '../../src/commands/serve-options.ts';
import { startServer } from '../../src/commands/start-server.ts';
import { createLog } from '../../src/server/log.ts';

const files: ServeOptions = { cluster: ['examples/cluster'], host: 'localhost', port: 0, healthPort: 0, drainMs: 0 };
const authority = { tlsSecret: 'portcullis-ca', webhookConfiguration: 'portcullis', namespace: 'portcullis' };

it.each<readonly [string, Partial<ServeOptions>, string, string]>([
  ['a certificate without its key', { tlsCert: 'tls.crt' }, 'PC0005', 'a certificate needs its key'],
  ['two sources of a certificate', { ...authority, tlsCert: 'a', tlsKey: 'b' }, 'PC0005', '--tls-secret and --tls-cert exclude each other'],
  ['an authority without a cluster', authority, 'PC0005', '--tls-secret needs to know whom the certificate is for'],
  [
    'a Lease without a cluster',
    { lease: 'leader', namespace: 'portcullis' },
    'PC0001',
    '--lease names a Lease of no namespace that is known',
  ],
])('refuses %s', async (_, options, code, message) => {
  await expect(startServer({ ...files, ...options }, { log: createLog({ write() {} }) })).rejects.toMatchObject({ code, message });
});
