/** `portcullis flows`, `flows diff` and `explain flow`: where they read, what they print, how they end. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { complete, run } from '../../src/commands/program.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { encoded, everywhere } from '../support/snapshot-file.ts';
import { fakeTerminal } from './terminal.ts';

const directory = mkdtempSync(join(tmpdir(), 'portcullis-flows-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function portcullis(...argv: string[]) {
  const terminal = fakeTerminal();
  const code = await run(argv, terminal, '0.0.0');
  return { code, out: terminal.written.out.replaceAll(directory, 'DIR'), error: terminal.written.error.replaceAll(directory, 'DIR') };
}

const workload = (name: string, kind = 'Deployment', port = 8080): RawObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { namespace: 'shop', name },
  spec: {
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', ports: [{ name: 'http', containerPort: port }] }] },
    },
  },
});
const policy: RawObject = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { namespace: 'shop', name: 'db' },
  spec: {
    podSelector: { matchLabels: { app: 'db' } },
    ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 'http' }] }],
  },
};
const service: RawObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'shop', name: 'front' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
};
const world = [workload('web'), workload('api'), workload('db', 'StatefulSet', 5432), service];

function file(name: string, objects: readonly RawObject[]): string {
  writeFileSync(join(directory, name), objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  return join(directory, name);
}

function snapshotFile(name: string, objects: readonly RawObject[], reaches = everywhere): string {
  const resources = objects.flatMap((raw) => normalize(raw) ?? []);
  const text = encoded(ClusterSnapshot.empty({ observedAt: Date.UTC(2026, 10, 21), coverage: () => 'complete' }).with(resources), reaches);
  writeFileSync(join(directory, name), name.endsWith('.gz') ? gzipSync(text) : text);
  return join(directory, name);
}

const open = file('open.yaml', world);
const closed = file('closed.yaml', [...world, policy]);

describe('portcullis flows', () => {
  it('prints what stands in docs/flows.md', async () => {
    const { code, out } = await portcullis('flows', 'examples/cluster');
    expect(code).toBe(0);
    expect(readFileSync('docs/flows.md', 'utf8')).toContain(out);
  });

  it('reads files, a snapshot, and files laid over one alike', async () => {
    const told = async (...argv: string[]): Promise<string> => {
      const { code, out, error } = await portcullis('flows', ...argv, '-o', 'json');
      expect([code, error]).toEqual([0, '']);
      const { source: _, notices: __, ...rest } = JSON.parse(out);
      return JSON.stringify(rest);
    };
    const whole = await told(closed);
    expect(whole).toContain(
      '"from":{"name":"shop/web","sets":[2]},"to":{"name":"shop/db","sets":[1]},"answer":"allowed","ports":"5432/TCP"',
    );
    expect(await told('--snapshot', snapshotFile('closed.json', [...world, policy]))).toBe(whole);
    expect(await told(file('policy.yaml', [policy]), '--against', snapshotFile('open.json.gz', world))).toBe(whole);
  });

  it('draws', async () => {
    const svg = (await portcullis('flows', closed, '-o', 'svg')).out;
    expect(svg).toMatch(/<svg [^>]*>\s*<style>/);
    expect(svg).toContain('>5432/TCP<');
    expect((await portcullis('flows', closed, '-o', 'dot')).out).toMatch(/^digraph portcullis \{/);
    expect((await portcullis('flows', closed, '-o', 'mermaid')).out).toMatch(/^flowchart LR\n/);
  });

  it('says what it does not know, and exits with 2', async () => {
    const blind = new Map([...everywhere, ['NetworkPolicy', { everywhere: 'forbidden', namespaces: new Map() }] as const]);
    const { code, out } = await portcullis('flows', '--snapshot', snapshotFile('blind.json', world, blind));
    expect([code, out]).toEqual([2, expect.stringContaining('Not all NetworkPolicies may be listed')]);
    expect((await portcullis('flows', open)).out).toContain('The files hold no NetworkPolicy');
  });

  it('takes namespaces with -n, before paths and behind them', async () => {
    const told = async (...argv: string[]): Promise<string> => {
      const { code, out, error } = await portcullis('flows', ...argv);
      expect([code, error]).toEqual([0, '']);
      return out;
    };
    const other = { ...workload('other'), metadata: { namespace: 'else', name: 'other' } };
    const path = file('namespaces.yaml', [...world, other, { ...other, metadata: { namespace: 'third', name: 'other' } }]);
    expect(await told('-n', 'shop', path)).toContain('of 18 pairs, 18 allowed');
    expect(await told(path, '-n', 'shop')).toBe(await told('-n', 'shop', path));
    expect(await told('-n', 'else', path)).toContain('of 8 pairs');
    expect(await told('-n', 'shop,else', path)).toContain('of 20 pairs');
    expect(await told('-n', 'shop', '-n', 'else', path)).toBe(await told('-n', 'shop,else', path));
  });

  it('says where there is no workload', async () => {
    const empty = file('empty.yaml', [service, policy]);
    expect(await portcullis('flows', open, '-n', 'shpo,payments')).toMatchObject({
      code: 0,
      error: 'There is no workload in namespace shpo. Did you mean shop?\nThere is no workload in namespace payments.\n',
    });
    expect((await portcullis('flows', empty, '-o', 'json')).error).toBe(
      'There is no workload in DIR/empty.yaml: nothing can be told of who may talk to whom.\n',
    );
    expect((await portcullis('flows', open, '-n', 'shop', '-o', 'dot')).error).not.toContain('no workload');
  });

  it.each([
    [['flows', '-n', 'examples/cluster'], '"examples/cluster" is no name of a namespace'],
    [['flows', '-n', 'shop,open.yaml'], '"open.yaml" is no name of a namespace'],
    [['audit', '-n', 'shop', 'examples/cluster'], '"examples/cluster" is no name of a namespace'],
    [['flows', '--against', 'x'], 'no files are given for --against'],
    [['flows', open, '--snapshot', 'x'], 'files and a cluster are given both'],
    [['flows', join(directory, 'no-such.yaml')], 'no-such.yaml'],
    [['flows', open, '-o', 'pdf'], "argument 'pdf' is invalid"],
    [['flows', 'diff', open], "missing required argument 'new'"],
  ])('%j', async (argv, expected) => {
    const { code, error } = await portcullis(...argv);
    expect([code, error]).toEqual([2, expect.stringContaining(expected)]);
  });
});

describe('portcullis flows diff', () => {
  it('tells what is lost, and what is gained', async () => {
    const { code, out } = await portcullis('flows', 'diff', open, closed);
    expect(code).toBe(1);
    expect(out).toMatchInlineSnapshot(`
      "Who may talk to whom, by NetworkPolicy alone: DIR/open.yaml → DIR/closed.yaml

      Lost
        outside → shop/db  any port
        shop/api → shop/db  any port  isolated by NetworkPolicy shop/db
        shop/web → shop/db  1-5431/TCP, 5433-65535/TCP, any UDP port, any SCTP port  isolated by NetworkPolicy shop/db

      DIR/open.yaml: The files hold no NetworkPolicy: without one, every Pod may talk to every other.

      3 connections lost, 0 gained, 0 uncertain.
      "
    `);
    expect(await portcullis('flows', 'diff', open, open)).toMatchObject({
      code: 0,
      out: expect.stringContaining('No connection is lost or gained.'),
    });
  });

  it('takes snapshots, packed or not, on either side', async () => {
    for (const name of ['then.json', 'then.json.gz']) {
      const { code, out } = await portcullis('flows', 'diff', snapshotFile(name, [...world, policy]), open, '-o', 'json');
      const { summary, sets, changes } = JSON.parse(out);
      expect([code, summary]).toEqual([1, { lost: 0, gained: 3, unsure: 0 }]);
      const namesOf = (ids: readonly number[]): readonly string[] =>
        ids.flatMap((id) => sets[id].workloads.map((one: { name: string }) => one.name));
      for (const { from, to, ends } of changes) {
        const sources = ends.from.outside === true ? ['outside'] : namesOf(ends.from.sets);
        expect([sources.filter((one) => one !== to), namesOf(ends.to.sets)]).toEqual([[from], [to]]);
      }
    }
  });
});

describe('portcullis explain flow', () => {
  const ends = (...argv: string[]) => portcullis('explain', 'flow', ...argv, closed);

  it('prints what stands in docs/flows.md', async () => {
    const { code, out } = await portcullis('explain', 'flow', 'shop/frontend', 'shop/database:5432', 'examples/cluster');
    expect(code).toBe(1);
    expect(readFileSync('docs/flows.md', 'utf8')).toContain(out);
  });

  it.each<[string, string, number, string]>([
    ['shop/web', 'shop/db:http', 0, 'allowed: Deployment shop/web → StatefulSet shop/db, 5432/TCP'],
    ['shop/api', 'shop/sts/db:5432', 1, 'denied: Deployment shop/api → StatefulSet shop/db, 5432/TCP'],
    ['shop/web', 'shop/db:5432/UDP', 1, 'denied: Deployment shop/web → StatefulSet shop/db, 5432/UDP'],
    ['203.0.113.7', 'shop/web:8080', 0, 'allowed: 203.0.113.7 → Deployment shop/web, 8080/TCP'],
    ['shop/web', '[2001:db8::1]:443', 0, 'allowed: Deployment shop/web → 2001:db8::1, 443/TCP'],
  ])('%s %s', async (from, to, code, expected) => {
    const told = await ends(from, to);
    expect([told.code, told.out]).toEqual([code, expect.stringContaining(expected)]);
  });

  it('takes the names of Pods, and knows alike Pods apart', async () => {
    const pod = (name: string, owner?: string): RawObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        namespace: 'shop',
        name,
        labels: { app: owner ?? 'bare' },
        ...(owner && { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: owner, controller: true }] }),
      },
      spec: { containers: [{ name: 'main', ports: [{ containerPort: 5432 }] }] },
    });
    const isolated = { ...policy, spec: { podSelector: {} } };
    const path = file('pods.yaml', [workload('db', 'StatefulSet', 5432), pod('db-0', 'db'), pod('a'), pod('b'), isolated]);
    const told = (from: string, to: string) => portcullis('explain', 'flow', from, to, path);
    for (const db of ['shop/db:5432', 'shop/db-0:5432', 'shop/pod/db-0:5432'])
      expect(await told('shop/a', db)).toMatchObject({ code: 1, out: expect.stringContaining('Pod shop/a → StatefulSet shop/db') });
    expect(await told('shop/a', 'shop/pod/b:5432')).toMatchObject({ code: 1, out: expect.stringContaining('Pod shop/a → Pod shop/b') });
    expect((await told('shop/a', 'shop/a:5432')).code).toBe(2);
  });

  describe('of an address', () => {
    const pod = (name: string, ip: string, more: RawObject = {}, spec: RawObject = {}): RawObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'shop', name, labels: { app: 'web' }, ...more },
      spec: { containers: [{ name: 'main' }], ...spec },
      status: { podIP: ip },
    });
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', controller: true }];
    const owned = { ownerReferences };
    const dns: RawObject = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'shop', name: 'pg' },
      spec: { selector: { app: 'db' }, clusterIP: '10.96.0.9', externalIPs: ['10.9.9.9'], ports: [{ port: 5000, targetPort: 'http' }] },
    };
    const all = [
      ...world,
      { ...policy, spec: { ...(policy['spec'] as RawObject), podSelector: {} } },
      dns,
      pod('web-1', '10.1.1.1', owned),
      pod('web-2', '10.1.1.2', owned),
      pod('bare', '10.1.1.3'),
      pod('old', '10.1.1.4', { labels: { app: 'old' }, deletionTimestamp: '2026-11-21T00:00:00Z' }),
      pod('new', '10.1.1.4', { labels: { app: 'web' } }),
      pod('agent', '10.9.9.9', {}, { hostNetwork: true }),
      pod('six', '2001:db8::a', { labels: { app: 'other' } }),
    ];
    const path = file('addresses.yaml', all);

    it.each<[string, string, number, string]>([
      ['10.1.1.1', 'shop/db:5432', 0, 'allowed: Pod shop/web-1 (10.1.1.1) → StatefulSet shop/db, 5432/TCP'],
      ['10.1.1.3', 'shop/db:5432', 0, 'allowed: Pod shop/bare (10.1.1.3) → StatefulSet shop/db'],
      ['10.1.1.4', 'shop/db:5432', 0, 'allowed: Pod shop/new (10.1.1.4) → StatefulSet shop/db'],
      ['2001:0db8:0::a', 'shop/db:5432', 1, 'denied: Pod shop/six (2001:0db8:0::a) → StatefulSet shop/db'],
      ['shop/api', '10.1.1.1:8080', 1, 'denied: Deployment shop/api → Pod shop/web-1 (10.1.1.1), 8080/TCP'],
      // Only what a Pod sends to itself always arrives.
      ['10.1.1.3', '10.1.1.1:8080', 1, 'denied: Pod shop/bare (10.1.1.3) → Pod shop/web-1 (10.1.1.1), 8080/TCP'],
      ['10.1.1.1', '10.1.1.2:8080', 1, 'denied: Pod shop/web-1 (10.1.1.1) → Pod shop/web-2 (10.1.1.2), 8080/TCP'],
      ['10.1.1.1', '10.1.1.1:8080', 2, 'not certain: Pod shop/web-1 (10.1.1.1) → Pod shop/web-1 (10.1.1.1), 8080/TCP'],
      ['10.1.1.3', 'shop/bare:8080', 2, 'not certain: Pod shop/bare (10.1.1.3) → Pod shop/bare, 8080/TCP'],
      ['10.1.1.1', 'shop/web:8080', 2, 'not certain: Pod shop/web-1 (10.1.1.1) → Deployment shop/web, 8080/TCP'],
      ['10.9.9.9', 'shop/db:5432', 2, "not certain: 10.9.9.9, a node's address → StatefulSet shop/db"],
      ['shop/web', '10.9.9.9:80', 0, "allowed: Deployment shop/web → 10.9.9.9, a node's address, 80/TCP"],
      ['10.1.1.5', 'shop/db:5432', 1, 'denied: 10.1.1.5 → StatefulSet shop/db'],
    ])('%s %s', async (from, to, code, expected) => {
      const told = await portcullis('explain', 'flow', from, to, path);
      expect([told.code, told.out]).toEqual([code, expect.stringContaining(expected)]);
    });

    it.each([
      [
        'shop/web',
        '10.96.0.9:5000',
        '10.96.0.9 is an address of Service shop/pg. Policies are about the Pods behind it',
        ': shop/db:5432.',
      ],
      ['shop/web', '10.96.0.9:1', '10.96.0.9 is an address of Service shop/pg', ': shop/db.'],
      ['shop/web', '10.9.9.9:5000', '10.9.9.9 is an address of Service shop/pg', ': shop/db:5432.'],
      ['10.96.0.9', 'shop/db:5432', '10.96.0.9 is an address of Service shop/pg', 'name the workload.'],
    ])('%s %s is of a Service', async (from, to, expected, hint) => {
      const { code, out, error } = await portcullis('explain', 'flow', from, to, path);
      expect([code, out, error]).toEqual([2, '', expect.stringContaining(expected)]);
      expect(error).toContain(hint);
    });

    it('names the Pods of the DNS of the example', async () => {
      const { error } = await portcullis('explain', 'flow', 'shop/frontend', '10.96.0.10:53/UDP', 'examples/cluster');
      expect(error).toContain('10.96.0.10 is an address of Service kube-system/kube-dns');
      expect(error).toContain('kube-system/coredns:53/UDP');
    });
  });

  it('takes kinds and -n', async () => {
    expect((await ends('deploy/web', 'db:5432', '-n', 'shop')).code).toBe(0);
    const { out } = await ends('web', 'statefulsets/db:5432', '-n', 'shop', '-o', 'json');
    expect(JSON.parse(out)).toMatchObject({
      version: 1,
      answer: 'allowed',
      receiving: { policies: [{ rules: [{ state: 'holds', field: 'spec.ingress[0]' }] }] },
    });
  });

  it('says on what it depends', async () => {
    const block = { ...policy, spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }] } };
    const { code, out } = await portcullis('explain', 'flow', 'shop/web', 'shop/db:5432', file('block.yaml', [...world, block]));
    expect([code, out]).toEqual([2, expect.stringContaining('It depends: network plugins differ on whether an ipBlock covers Pods.')]);
  });

  it.each([
    [['shop/wbe', 'shop/db:5432'], 'there is no workload "wbe" in namespace "shop". Did you mean web?'],
    [['shop/front', 'shop/db:5432'], 'It is a Service: policies are about the Pods behind it'],
    [['shop/web', 'shop/db'], 'no port is named. It declares :5432'],
    [['shop/web', 'shop/db:pg'], 'no container has a TCP port "pg". There is http.'],
    [['shop/web', 'shop/db:70000'], 'no container has a TCP port "70000"'],
    [['a/b/c/d', 'shop/db:1'], '"a/b/c/d" names no end of a connection'],
    [['shop/web', 'shop/db:1/ICMP'], 'names no end of a connection'],
  ])('%j', async ([from = '', to = ''], expected) => {
    const { code, error } = await ends(from, to);
    expect([code, error]).toEqual([2, expect.stringContaining(expected)]);
  });

  it('asks for the kind where two workloads have one name', async () => {
    const path = file('twice.yaml', [...world, workload('web', 'DaemonSet')]);
    expect((await portcullis('explain', 'flow', 'shop/web', 'shop/db:5432', path)).error).toContain(
      'several workloads of namespace shop are called web. Name the kind: shop/daemonset/web and shop/deployment/web.',
    );
    expect((await portcullis('explain', 'flow', 'shop/deployment/web', 'shop/db:5432', path)).code).toBe(0);
    expect((await portcullis('explain', 'flow', 'shop/web')).error).toContain('two ends are needed');
  });
});

it('completes', async () => {
  const words = async (...typed: string[]): Promise<readonly string[]> => {
    const terminal = fakeTerminal();
    await complete(typed, terminal, '0.0.0');
    return terminal.written.out.trim().split('\n');
  };
  expect(await words('flo')).toEqual([expect.stringMatching(/^flows\t/), ':4']);
  expect(await words('flows', 'di')).toEqual([expect.stringMatching(/^diff\t/), ':0']);
  expect(await words('flows', '')).toEqual([':0']);
  expect(await words('flows', '-o', 's')).toEqual(['svg', ':4']);
  expect(await words('flows', 'diff', '--out')).toEqual([expect.stringMatching(/^--output\t/), ':4']);
  expect(await words('explain', 'fl')).toEqual(['flow', ':4']);
});
