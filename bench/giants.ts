/**
 * `npm run build && node bench/giants.ts [ROUNDS]`: the costliest NetworkPolicies that etcd can hold (1.5 MiB), as updates,
 * one after the other and four at once, and what the process takes up meanwhile. They come from whoever may write policies,
 * so the memory limit of the Pod has to hold them.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, until } from '../test/support/child-process.ts';
import { freePort } from '../test/support/control-plane.ts';

const rounds = Number(process.argv[2] ?? 6);
const root = join(import.meta.dirname, '..');
const [, options = ''] = /^ENV NODE_OPTIONS="([^"]*)"/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8')) ?? [];

/** As many of each as 1.5 MiB of protobuf hold. */
const ingressRules: Readonly<Record<string, readonly string[]>> = {
  'empty rules': Array.from({ length: 700_000 }, () => '{}'),
  'peers of everything': Array.from({ length: 200_000 }, () => '{"from":[{"podSelector":{},"namespaceSelector":{}}]}'),
  'peers with a label': Array.from({ length: 90_000 }, () => '{"from":[{"podSelector":{"matchLabels":{"a":"b"}}}]}'),
  'ports of their own': Array.from({ length: 100_000 }, (_, index) => `{"ports":[{"port":${1 + (index % 60_000)},"protocol":"TCP"}]}`),
};

function update(rules: readonly string[]): Buffer {
  const policy = (version: number): string =>
    `{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"giant","namespace":"shop","labels":{"version":"${version}"}},` +
    `"spec":{"podSelector":{},"policyTypes":["Ingress"],"ingress":[${rules.join(',')}]}}`;
  return Buffer.from(
    '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"giant","operation":"UPDATE",' +
      '"kind":{"group":"networking.k8s.io","version":"v1","kind":"NetworkPolicy"},"namespace":"shop","name":"giant",' +
      `"userInfo":{"username":"tenant"},"object":${policy(2)},"oldObject":${policy(1)}}}`,
  );
}

const directory = mkdtempSync(join(tmpdir(), 'portcullis-giants-'));
const caOut = join(directory, 'ca.crt');
const [port, healthPort] = [await freePort(), await freePort()];
const server = startProcess(
  process.execPath,
  [
    ...[join(root, 'dist', 'portcullis.js'), 'serve', '--cluster', join(root, 'examples', 'cluster'), '--address', '127.0.0.1'],
    ...['--port', String(port), '--health-port', String(healthPort), '--ca-out', caOut],
  ],
  { env: { NODE_OPTIONS: options, MALLOC_ARENA_MAX: '1' } },
);

/** The status and the milliseconds that it took; what is no answer is the error. */
function post(body: Buffer): Promise<string> {
  const started = performance.now();
  return new Promise((resolve) => {
    const sent = request(
      { host: '127.0.0.1', port, path: '/validate?timeout=3s', method: 'POST', ca: readFileSync(caOut), servername: 'localhost' },
      (response) => {
        response.resume().on('end', () => resolve(`${response.statusCode} in ${Math.round(performance.now() - started)} ms`));
      },
    );
    sent.setHeader('content-type', 'application/json');
    sent.on('error', (error) => resolve(error.message)).end(body);
  });
}

function memory(): string {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  const megabytes = (key: string): number => Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
  return `${megabytes('VmRSS')} MiB, at most ${megabytes('VmHWM')}`;
}

try {
  await until('the webhook is ready', async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`).catch(() => undefined))?.ok);
  console.log(`${options}: ready with ${memory()}`);
  for (const [name, rules] of Object.entries(ingressRules)) {
    const body = update(rules);
    let last = '';
    for (let round = 0; round < rounds; round++) last = await post(body);
    console.log(`${name}, ${(body.length / 1e6).toFixed(1)} MB, ${rounds} times: the last ${last}; ${memory()}`);
    console.log(`  four at once: ${(await Promise.all([body, body, body, body].map(post))).join(', ')}; ${memory()}`);
  }
} finally {
  await server.stop('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}
