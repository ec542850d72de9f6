/** What is in a Secret is judged and forgotten: its bytes are in no message, log, metric, report, snapshot, and not in memory. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../src/commands/program.ts';
import { fakeTerminal } from '../commands/terminal.ts';
import { newAuthority, newCertificate, type ServingCertificate } from '../support/certificate.ts';
import { until } from '../support/child-process.ts';
import { type Cluster, connectCluster, describeOnCluster } from '../support/cluster.ts';
import { kubeconfigOf } from '../support/control-plane.ts';
import { addressOf, configurationOf } from '../support/stage.ts';
import { installWebhook, type Replica, type Webhook } from '../support/webhook.ts';

const purpose = 'secret-content';
const configuration = configurationOf({ secrets: { level: 'full' }, grace: '0s' });

/** V8 cuts the strings in a heap snapshot at 1024 letters otherwise. */
const wholeStrings = `import { setFlagsFromString } from 'node:v8'; setFlagsFromString('--heap-snapshot-string-limit=10000000');`;

/** Each line of a PEM text, and of what base64 makes of all of it, as an API server sends it. */
function tracesOf(pem: string): readonly string[] {
  const lines = pem.split('\n').filter((line) => line.length > 40 && !line.startsWith('-----'));
  const encoded = Buffer.from(pem).toString('base64');
  const parts = [1, 2, 3].map((quarter) => encoded.slice((encoded.length * quarter) >> 2).slice(0, 40));
  return [...lines, ...parts];
}

describeOnCluster('Secrets at level full', () => {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-secret-content-'));
  let cluster: Cluster;
  let webhook: Webhook;
  let replica: Replica;
  let namespace: string;
  let traces: readonly string[];
  let warnings: readonly string[];

  beforeAll(async () => {
    cluster = connectCluster();
    webhook = await installWebhook(cluster, { purpose, configuration });
    const before = process.env['NODE_OPTIONS'];
    const flags = [
      `--import data:text/javascript,${encodeURIComponent(wholeStrings)}`,
      '--heapsnapshot-signal=SIGUSR2',
      `--diagnostic-dir=${directory}`,
    ];
    process.env['NODE_OPTIONS'] = flags.join(' ');
    replica = await webhook.startReplica().finally(() => {
      if (before === undefined) delete process.env['NODE_OPTIONS'];
      else process.env['NODE_OPTIONS'] = before;
    });
    namespace = await cluster.newNamespace(purpose, { e2e: purpose });

    const authority = await newAuthority('sentinel');
    const [one, other] = [await newCertificate(authority, ['one.example.com']), await newCertificate(authority, ['other.example.com'])];
    traces = [one.key, other.key, one.cert].flatMap(tracesOf);
    await applySecret('sound', one);
    await applySecret('swapped', { cert: one.cert, key: other.key });
    await applySecret('cut', { cert: one.cert, key: other.key.replace(/.{20}\n-----END/, '\n-----END') });
    await applySecret('odd', one, 'Opaque');
    warnings = await ingressWith(['sound', 'swapped', 'cut', 'odd']);
  });
  afterAll(async () => {
    await webhook?.remove();
    await cluster?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** By kubectl, so that its content stands in an annotation too. */
  async function applySecret(name: string, { cert, key }: ServingCertificate, type = 'kubernetes.io/tls'): Promise<void> {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type, stringData: { 'tls.crt': cert, 'tls.key': key } };
    const { code, stderr } = await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], { input: secret });
    expect(code, stderr).toBe(0);
  }

  async function ingressWith(names: readonly string[]): Promise<readonly string[]> {
    const answer = await cluster.request('POST', addressOf('Ingress', namespace), {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'sentinel-web' },
      spec: {
        tls: names.map((secretName) => ({ hosts: ['one.example.com'], secretName })),
        defaultBackend: { service: { name: 'web', port: { number: 80 } } },
      },
    });
    expect(answer.status).toBe(201);
    return answer.warnings;
  }

  function expectNoTrace(text: string): void {
    expect(traces.length).toBeGreaterThan(10);
    expect(traces.filter((trace) => text.includes(trace))).toEqual([]);
  }

  async function portcullis(...argv: readonly string[]) {
    const terminal = { ...fakeTerminal(), now: () => Date.now() };
    await run([...argv, '--kubeconfig', kubeconfigOf(cluster.address, 'admin')], terminal, '0.0.0');
    return terminal.written;
  }

  it('are judged by what they hold', () => {
    const told = warnings.filter((warning) => warning.includes('[tls-'));
    expect(new Set(told.map((warning) => /Secret (\w+)/.exec(warning)?.[1]))).toEqual(new Set(['cut', 'odd', 'swapped']));
    expectNoTrace(warnings.join());
  });

  it('leave nothing in the log and the metrics', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${replica.healthPort}/metrics`)).text();
    expect(metrics).toContain('portcullis_');
    expectNoTrace(metrics + replica.process.output());
  });

  it('leave nothing in reports and in a snapshot', async () => {
    const config = join(directory, 'portcullis.yaml');
    writeFileSync(config, JSON.stringify(configuration));
    for (const format of ['json', 'html', 'sarif', 'text']) {
      const { out, error } = await portcullis('audit', '-n', namespace, '--config', config, '-o', format);
      expect(out + error).toContain('tls-key-mismatch');
      expectNoTrace(out + error);
    }
    const { out } = await portcullis('snapshot', '-n', namespace);
    expect(out).toContain('"name":"swapped"');
    expectNoTrace(out);
  });

  it('leave nothing in memory', async () => {
    process.kill(replica.process.pid, 'SIGUSR2');
    const dumps = (): readonly string[] => readdirSync(directory).filter((name) => name.endsWith('.heapsnapshot'));
    const isWhole = (name: string): boolean => readFileSync(join(directory, name), 'utf8').trimEnd().endsWith('}');
    await until('the heap snapshot is written', async () => dumps().some(isWhole));
    const text = readFileSync(join(directory, dumps()[0] as string), 'utf8');
    expect(text, 'what is held stands in the file').toContain('sentinel-web');
    expectNoTrace(text);
  });
});
