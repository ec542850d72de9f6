import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Reach, Reaches } from '../../src/cluster/reach.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { progressOf } from '../../src/commands/cluster-state.ts';
import { run } from '../../src/commands/program.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { Collection, RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { encoded, everywhere } from '../support/snapshot-file.ts';
import { fakeTerminal } from './terminal.ts';

const at = Date.UTC(2026, 10, 21, 12);
let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-audit-'));
});
afterAll(() => rm(directory, { recursive: true }));

const service = (namespace: string, app: string, created = '2026-11-01T00:00:00Z'): RawObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace, creationTimestamp: created },
  spec: { selector: { app }, ports: [{ port: 80 }] },
});
const deployment = (namespace: string): RawObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace },
  spec: { template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ ports: [{ containerPort: 80 }] }] } } },
});

async function file(
  name: string,
  objects: readonly RawObject[],
  more: Parameters<typeof encoded>[2] = {},
  reaches = everywhere,
): Promise<string> {
  const resources = objects.flatMap((raw) => normalize(raw) ?? []);
  const text = encoded(ClusterSnapshot.empty({ observedAt: at, coverage: () => 'complete' }).with(resources), reaches, more);
  const path = join(directory, name);
  await writeFile(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return path;
}

async function portcullis(...argv: string[]) {
  const terminal = fakeTerminal();
  const status: string[] = [];
  const code = await run(argv, { ...terminal, status: (text) => void status.push(text) }, '0.0.0');
  return { code, status, ...terminal.written };
}
const json = async (...argv: string[]) => {
  const { code, out } = await portcullis(...argv, '-o', 'json');
  return { code, ...JSON.parse(out) };
};

describe('audit of a snapshot', () => {
  it('says what is wrong, of which cluster and when, with the exit code of check', async () => {
    const path = await file('broken.json', [service('shop', 'wbe'), deployment('shop')]);
    const { code, out } = await portcullis('audit', '--snapshot', path);
    expect(code).toBe(1);
    expect(out).toContain('service-selector-matches-no-pods');
    expect(out).toContain('Cluster test, 2026-11-21 12:00:00 UTC');
    expect((await portcullis('audit', '--snapshot', path, '--fail-on', 'critical')).code).toBe(0);
  });

  it('has nothing to say of what is well, also compressed', async () => {
    const path = await file('well.json.gz', [service('shop', 'web'), deployment('shop')]);
    expect(await json('audit', '--snapshot', path)).toMatchObject({ code: 0, findings: [], skipped: [], errors: [] });
  });

  it('judges only the namespaces that are named, against all of the cluster', async () => {
    const path = await file('two.json', [service('shop', 'wbe'), deployment('shop'), service('bank', 'wbe'), deployment('bank')]);
    const { findings, summary } = await json('audit', '--snapshot', path, '-n', 'bank');
    expect(summary.objects).toBe(1);
    expect(findings.map(({ object }: { object: { namespace: string } }) => object.namespace)).toEqual(['bank']);
  });

  it('does not tell of an object what may still be on its way', async () => {
    const young = await file('young.json', [service('shop', 'wbe', '2026-11-21T11:59:30Z'), deployment('shop')]);
    const { code, findings, skipped } = await json('audit', '--snapshot', young);
    expect([code, findings]).toEqual([0, []]);
    expect(skipped).toMatchObject([{ rule: 'service-selector-matches-no-pods', reason: 'tooNew', object: { name: 'web' } }]);
    const old = await file('old.json', [service('shop', 'wbe', '2026-11-21T11:59:00Z'), deployment('shop')]);
    expect((await json('audit', '--snapshot', old)).findings).toHaveLength(1);
  });

  it('says until when an object is too new, and does not wait for what is no apply', async () => {
    const path = await file('until.json', [service('shop', 'wbe', '2026-11-21T11:59:30Z'), deployment('shop')]);
    const { out } = await portcullis('audit', '--snapshot', path);
    expect(out).toContain('what it lacks may be on its way: tell again after 12:00:30 UTC');
    const old = await portcullis('audit', '--snapshot', await file('alone.json', [service('shop', 'wbe')]));
    expect(old.out).toContain('every connection to it fails.\n');
    expect(old.out).not.toContain('same apply');
  });

  it('prints the command that repairs what a cluster holds', async () => {
    const path = await file('patch.json', [service('shop', 'wbe'), deployment('shop')]);
    expect((await portcullis('audit', '--snapshot', path)).out).toContain(
      `    run: kubectl patch service web -n shop --type=json -p '[{"op":"replace","path":"/spec/selector","value":{"app":"web"}}]'`,
    );
  });

  it('names the kinds that may not be read, once, and the rights to ask for', async () => {
    const forbidden = { everywhere: 'forbidden', namespaces: new Map() } as const;
    const parts = new Map([
      ['statefulsets.apps', forbidden],
      ['jobs.batch', forbidden],
    ]);
    const reaches: Reaches = new Map<Collection, Reach>([...everywhere, ['Template', { ...forbidden, parts }], ['Ingress', forbidden]]);
    const path = await file('templates.json', [service('shop', 'web'), service('bank', 'web'), service('pay', 'web')], {}, reaches);
    await writeFile(join(directory, 'service.json'), JSON.stringify(service('shop', 'web')));
    const { code, out } = await portcullis('audit', '--snapshot', path);
    expect(code).toBe(2);
    expect(out.match(/statefulsets\.apps/g)).toHaveLength(1);
    expect(out).toContain('  jobs.batch and statefulsets.apps of namespaces bank, pay and shop may not be read:\n');
    expect(out).toContain('Not judged\n  test: Ingress of all namespaces may not be listed, so none was judged\n');
    expect(out).toContain('docs/audit.md');
    expect(out).toContain('; not complete: 1 part not judged;');
    expect(out).not.toContain('in the input');
    const against = await portcullis('check', '--against', path, join(directory, 'service.json'));
    expect(against.code).toBe(2);
    expect(against.out).toContain(
      'jobs.batch and statefulsets.apps of namespace shop could not be read when the snapshot was taken, so 5 checks could not be made',
    );
    expect(against.out).toContain('\n  jobs.batch and statefulsets.apps of namespace shop may not be read:\n');
  });

  it('takes -A, and several namespaces in one word or in many', async () => {
    const path = await file(
      'many.json',
      ['a', 'b', 'c'].map((one) => service(one, 'web')),
    );
    const judged = async (...argv: string[]) => (await json('audit', '--snapshot', path, ...argv)).summary.objects;
    expect(await Promise.all([judged('-A'), judged('-n', 'a,b'), judged('-n', 'a', '-n', 'b,c'), judged('-n', 'a', 'b')])).toEqual([
      3, 2, 3, 2,
    ]);
  });

  it.each([
    ['--context', 'x'],
    ['--kubeconfig', 'x'],
    ['--installation', 'a/b'],
  ])('cannot look at a snapshot and a cluster: %s', async (...more) => {
    const { code, error } = await portcullis('audit', '--snapshot', await file('both.json', []), ...more);
    expect([code, error]).toEqual([2, expect.stringContaining('cannot be used with option')]);
  });

  it('says how old a snapshot is, after a day', async () => {
    const taken = async (ageMs: number): Promise<string> => {
      const path = await file('aged.json', [service('shop', 'web'), deployment('shop')]);
      await writeFile(
        path,
        (await readFile(path, 'utf8')).replace('2026-11-21T12:00:00.000Z', new Date(Date.UTC(2026, 10, 21) - ageMs).toISOString()),
      );
      return (await portcullis('audit', '--snapshot', path)).out;
    };
    const hour = 3_600_000;
    expect(await taken(23 * hour)).not.toContain(' old');
    expect(await taken(30 * hour)).toContain('aged.json is 30 hours old: what has changed in the cluster since is not known');
    expect(await taken(73 * hour)).toContain('aged.json is 3 days old');
  });

  it('goes by the configuration that is given, else by the one that the cluster had, and says which', async () => {
    const configuration = 'apiVersion: portcullis.dev/v1\nprofile: strict\n';
    const path = await file('configured.json', [service('shop', 'wbe'), deployment('shop')], { configuration });
    const own = await json('audit', '--snapshot', path);
    expect(own.findings[0].mode).toBe('deny');
    expect(own.notices).toEqual(['the configuration is that of the installation, as the snapshot holds it']);
    expect((await json('audit', '--snapshot', path, '--profile', 'observe')).findings[0].mode).toBe('audit');
    const other = join(directory, 'portcullis.yaml');
    await writeFile(other, 'apiVersion: portcullis.dev/v1\nrules: { service-selector-matches-no-pods: { mode: off } }\n');
    expect(await json('audit', '--snapshot', path, '--config', other)).toMatchObject({ findings: [], notices: [] });
  });

  it('is not clean where what it judges may not be listed', async () => {
    const inShop: Reach = { everywhere: 'forbidden', namespaces: new Map([['shop', 'complete']]) };
    const reaches: Reaches = new Map([...everywhere, ['NetworkPolicy', inShop]]);
    const path = await file('blind.json', [service('shop', 'web'), deployment('shop')], {}, reaches);
    const { code, errors } = await json('audit', '--snapshot', path);
    expect(code).toBe(2);
    expect(errors).toMatchObject([{ file: 'test', message: 'NetworkPolicy of all namespaces may not be listed, so none was judged' }]);
    expect((await portcullis('audit', '--snapshot', path, '-n', 'shop')).code).toBe(0);
  });

  it('is not clean for a namespace that is not there', async () => {
    const path = await file('mistyped.json', [service('shop', 'web'), deployment('shop')]);
    const { code, errors } = await json('audit', '--snapshot', path, '-n', 'shpo');
    expect([code, errors[0].message]).toEqual([2, 'there is no namespace shpo']);
  });

  it('tells a person how far it is, and leaves nothing of that behind', async () => {
    const path = await file('progress.json', [service('shop', 'web'), deployment('shop')]);
    const { status, out } = await portcullis('audit', '--snapshot', path);
    expect(status).toEqual(['judging test: 0 of 1 objects', '']);
    expect(out).not.toContain('judging');
  });

  it('knows what was repaired since a report', async () => {
    const before = join(directory, 'before.json');
    await writeFile(
      before,
      (await portcullis('audit', '--snapshot', await file('then.json', [service('shop', 'wbe'), deployment('shop')]), '-o', 'json')).out,
    );
    const now = await file('now.json', [service('shop', 'web'), deployment('shop'), service('bank', 'wbe'), deployment('bank')]);
    const { code, findings, fixed } = await json('audit', '--snapshot', now, '--baseline', before);
    expect([code, findings.length, findings[0].state, fixed.length]).toEqual([1, 1, 'introduced', 1]);
  });

  it.each([
    ['is not there', 'no-such-file.json', 'PC0002'],
    ['is no snapshot', 'other.json', 'PC0011'],
    ['is cut off', 'cut.json.gz', 'PC0011'],
  ])('ends for a file that %s', async (_, name, code) => {
    await writeFile(join(directory, 'other.json'), '{"kind":"Pod"}');
    await writeFile(join(directory, 'cut.json.gz'), gzipSync('{"kind":"Snapshot"}').subarray(0, 12));
    const { code: exit, error, out } = await portcullis('audit', '--snapshot', join(directory, name));
    expect([exit, out]).toEqual([2, '']);
    expect(error).toContain(`[${code}]`);
  });
});

describe('simulate with a snapshot', () => {
  const strict = ['simulate', '--snapshot'];
  const inShop = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }, deployment('shop')];

  it('has the exit code of an audit: 0 clean, 1 denials, 2 something could not be judged', async () => {
    expect((await portcullis(...strict, await file('s0.json', [...inShop, service('shop', 'web')]))).code).toBe(0);
    expect((await portcullis(...strict, await file('s1.json', [...inShop, service('shop', 'wbe')]))).code).toBe(1);
    const young = await portcullis(...strict, await file('s2.json', [...inShop, service('shop', 'wbe', '2026-11-21T11:59:30Z')]));
    expect(young.code).toBe(2);
    expect(young.out).toContain('tell again after 12:00:30 UTC');
    expect((await portcullis(...strict, await file('s3.json', []))).out).toContain('NOTHING WAS JUDGED in test');
  });
});

describe('check --against a snapshot', () => {
  const manifest = async (...objects: RawObject[]): Promise<string> => {
    const path = join(directory, `manifest-${objects.length}-${Math.floor(performance.now() * 1000)}.yaml`);
    await writeFile(path, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
    return path;
  };
  const strict = ['--profile', 'strict'];

  it('denies what is new, and only warns of what was so before', async () => {
    const path = await file('held.json', [service('shop', 'wbe'), deployment('shop')]);
    const old = await json('check', '--against', path, ...strict, await manifest(service('shop', 'wbe')));
    expect(old.findings).toMatchObject([{ mode: 'warn', softened: 'ratcheted' }]);
    const changed = await json('check', '--against', path, ...strict, await manifest(service('shop', 'bew')));
    expect(changed.findings).toMatchObject([{ mode: 'deny' }]);
    expect(changed.findings[0]).not.toHaveProperty('softened');
    const { out } = await portcullis('check', '--against', path, ...strict, await manifest(service('shop', 'wbe')));
    expect(out).toContain('(warned on apply, not denied: it is not new)');
  });

  it('finds beside the files what only the cluster has, and in the files what the cluster does not have yet', async () => {
    const path = await file('beside.json', [deployment('shop')]);
    expect((await json('check', '--against', path, ...strict, await manifest(service('shop', 'web')))).findings).toEqual([]);
    const empty = await file('empty.json', []);
    expect(
      (await json('check', '--against', empty, ...strict, await manifest(service('shop', 'web'), deployment('shop')))).findings,
    ).toEqual([]);
    expect((await json('check', '--against', empty, ...strict, await manifest(service('shop', 'web')))).findings).toMatchObject([
      { mode: 'deny' },
    ]);
  });

  it('knows of Secrets what the snapshot knows, and those of the files', async () => {
    const ingress = (secretName: string): RawObject => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web', namespace: 'shop' },
      spec: {
        tls: [{ hosts: ['a.example'], secretName }],
        defaultBackend: { resource: { apiGroup: 'example.com', kind: 'Bucket', name: 'assets' } },
        rules: [{ host: 'a.example' }],
      },
    });
    const secrets = { present: [{ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'tls' }], absent: [] };
    const path = await file('secrets.json', [], { secrets });
    const messages = async (...objects: RawObject[]) =>
      (await json('check', '--against', path, await manifest(...objects))).findings.map(({ message }: { message: string }) => message);
    expect(await messages(ingress('tls'))).toEqual([]);
    expect(await messages(ingress('gone'))).toEqual(['missing']);
    expect(await messages(ingress('new'), { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'new', namespace: 'shop' } })).toEqual([]);
    const blind = await file('blind-secrets.json', [], {}, new Map([...everywhere].filter(([collection]) => collection !== 'Secret')));
    const { code, findings, skipped, errors } = await json('check', '--against', blind, await manifest(ingress('gone')));
    expect(findings).toEqual([]);
    const readers = rules.filter(({ meta }) => meta.reads.includes('Secret')).map(({ meta }) => meta.id);
    expect(skipped.map(({ rule }: { rule: string }) => rule)).toEqual(readers);
    expect(code).toBe(2);
    expect(errors).toMatchObject([
      { file: blind, message: 'Secret of namespace shop could not be read when the snapshot was taken, so 5 checks could not be made' },
    ]);
    const off = join(directory, 'off.yaml');
    await writeFile(off, 'apiVersion: portcullis.dev/v1\nsecrets: { level: off }\n');
    expect((await json('check', '--against', blind, '--config', off, await manifest(ingress('gone')))).code).toBe(0);
  });

  it('says what the answer rests on, and takes the labels of the Namespace and the configuration from there', async () => {
    const labelled = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { 'portcullis.dev/profile': 'strict' } } };
    const path = await file('labelled.json', [labelled, deployment('shop')], { configuration: 'apiVersion: portcullis.dev/v1\n' });
    const { findings, notices } = await json('check', '--against', path, await manifest(service('shop', 'wbe')));
    expect(findings).toMatchObject([{ mode: 'deny' }]);
    expect(notices).toEqual([
      'judged as writes to test as it was at 2026-11-21T12:00:00.000Z',
      'the configuration is that of the installation, as the snapshot holds it',
    ]);
  });

  it('cannot be asked to take the files for everything', async () => {
    const path = await file('conflict.json', []);
    const { code, error } = await portcullis('check', '--against', path, '--assume-complete', await manifest(service('shop', 'web')));
    expect(code).toBe(2);
    expect(error).toContain('[PC0001]');
  });
});

it('the line of progress waits for nothing in the end', () => {
  expect(progressOf('prod', 3, ['pods', 'jobs'])).toBe('reading prod: 3 objects; waiting for pods and jobs');
  expect(progressOf('prod', 9, [])).toBe('reading prod: 9 objects');
});

describe('a cluster that is not there', () => {
  it('is called by its address and its context', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => void closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => void closed.close(resolve));
    const kubeconfig = join(directory, 'kubeconfig');
    const server = `https://127.0.0.1:${port}`;
    const parts = {
      clusters: [{ name: 'c', cluster: { server } }],
      contexts: [{ name: 'test', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: { token: 'x' } }],
    };
    await writeFile(kubeconfig, JSON.stringify({ apiVersion: 'v1', kind: 'Config', 'current-context': 'test', ...parts }));
    const { code, error, out } = await portcullis('audit', '--kubeconfig', kubeconfig);
    expect([code, out]).toEqual([2, '']);
    expect(error).toContain(`portcullis: the API server ${server} of context test does not answer (ECONNREFUSED). `);
    expect((await portcullis('audit', '--kubeconfig', kubeconfig, '--installation', 'guard')).error).toContain('is not NAMESPACE/NAME');
  });
});
