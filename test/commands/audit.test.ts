import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Reach, Reaches } from '../../src/cluster/reach.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { run } from '../../src/commands/program.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject } from '../../src/kube/resources.ts';
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

  it('goes by the configuration that is given, else by the one that the cluster had, and says which', async () => {
    const configuration = 'apiVersion: portcullis.dev/v1\nprofile: strict\n';
    const path = await file('configured.json', [service('shop', 'wbe'), deployment('shop')], { configuration });
    const own = await json('audit', '--snapshot', path);
    expect(own.findings[0].mode).toBe('deny');
    expect(own.notices).toEqual(['the configuration is that of ConfigMap portcullis/portcullis, as the snapshot holds it']);
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
    const { findings, skipped } = await json('check', '--against', blind, await manifest(ingress('gone')));
    expect(findings).toEqual([]);
    const readers = rules.filter(({ meta }) => meta.reads.includes('Secret')).map(({ meta }) => meta.id);
    expect(skipped.map(({ rule }: { rule: string }) => rule)).toEqual(readers);
  });

  it('says what the answer rests on, and takes the labels of the Namespace and the configuration from there', async () => {
    const labelled = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { 'portcullis.dev/profile': 'strict' } } };
    const path = await file('labelled.json', [labelled, deployment('shop')], { configuration: 'apiVersion: portcullis.dev/v1\n' });
    const { findings, notices } = await json('check', '--against', path, await manifest(service('shop', 'wbe')));
    expect(findings).toMatchObject([{ mode: 'deny' }]);
    expect(notices).toEqual([
      'judged as writes to test as it was at 2026-11-21T12:00:00.000Z',
      'the configuration is that of ConfigMap portcullis/portcullis, as the snapshot holds it',
    ]);
  });

  it('cannot be asked to take the files for everything', async () => {
    const path = await file('conflict.json', []);
    const { code, error } = await portcullis('check', '--against', path, '--assume-complete', await manifest(service('shop', 'web')));
    expect(code).toBe(2);
    expect(error).toContain('[PC0001]');
  });
});
