/** `portcullis audit`, `snapshot` and `check --against` on the real API server. */
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/commands/program.ts';
import { keepAllocated } from '../../src/kube/keep-allocated.ts';
import { normalize } from '../../src/kube/normalize.ts';
import { objectAt } from '../../src/kube/read.ts';
import type { RawObject, Service } from '../../src/kube/resources.ts';
import { fakeTerminal } from '../commands/terminal.ts';
import { type Cluster, connectCluster, describeOnCluster } from '../support/cluster.ts';
import { type ControlPlane, kubeconfigOf, tokenOf, type User } from '../support/control-plane.ts';
import { newControlPlane } from '../support/control-plane-provider.ts';
import { fits, inNamespace, namespaceOf } from '../support/lone-case.ts';
import { type RecordingProxy, recordingProxy } from '../support/recording-proxy.ts';
import { readRuleTable } from '../support/rule-table.ts';
import { deployment, ingress, service } from '../support/shop.ts';
import { addressOf, create } from '../support/stage.ts';

interface Told {
  readonly rule: string;
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string };
  readonly path: string;
  readonly message: string;
  readonly mode: string;
}

describeOnCluster('commands on a cluster', () => {
  let plane: ControlPlane;
  let cluster: Cluster;
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-audit-e2e-'));
  const file = (name: string): string => join(directory, name);
  const config = file('portcullis.yaml');

  beforeAll(async () => {
    writeFileSync(config, 'apiVersion: portcullis.dev/v1\nprofile: strict\ngrace: 0s\nsecrets: { level: full }\n');
    plane = await newControlPlane(console.error);
    cluster = connectCluster(plane.address);
  });
  afterAll(async () => {
    await cluster?.close();
    await plane?.stop();
    rmSync(directory, { recursive: true });
  });

  async function portcullis(argv: readonly string[], user: User = 'admin') {
    const terminal = { ...fakeTerminal(), now: () => Date.now() };
    const isFile = argv[0] === 'check' || argv.includes('--snapshot');
    const asUser = isFile ? [] : ['--kubeconfig', kubeconfigOf(plane.address, user)];
    const code = await run([...argv, ...asUser], terminal, '0.0.0');
    return { code, ...terminal.written };
  }
  const jsonOf = async (...given: Parameters<typeof portcullis>) => {
    const [argv, user] = given;
    const { code, out, error } = await portcullis([...argv, '-o', 'json'], user);
    return { code, error, ...(out === '' ? {} : JSON.parse(out)) };
  };
  const snapshotTo = async (name: string): Promise<string> => {
    const { code, error } = await portcullis(['snapshot', '-o', file(name)]);
    expect(code, error).toBe(0);
    return file(name);
  };

  describe('the same cases, judged live, from a snapshot and before they are applied', () => {
    // What exemption-invalid says depends on which other rules run.
    const cases = globSync('test/rules/*.yaml', { exclude: ['**/exemption-invalid.yaml'] })
      .sort()
      .flatMap((path) => {
        const { rule, valid, invalid } = readRuleTable(path);
        return [...valid, ...invalid]
          .filter(fits)
          .slice(0, 12)
          .map((one, index) => ({ rule, one: inNamespace(one, `${rule}-${index}`) }));
      });
    const ofContent = /^tls-(secret-malformed|key-mismatch|expiry|san-mismatch) /;
    let live: readonly Told[] = [];
    let stored: readonly Told[] = [];
    let before: readonly Told[] = [];

    beforeAll(async () => {
      // A snapshot keeps what was derived from Secrets where the installation may read them whole.
      await cluster.request('POST', '/api/v1/namespaces', { metadata: { name: 'portcullis' } });
      const data = { 'portcullis.yaml': readFileSync(config, 'utf8') };
      const maps = '/api/v1/namespaces/portcullis/configmaps';
      await cluster.request('POST', maps, { metadata: { name: 'portcullis' }, data });
      for (const { one } of cases) {
        await cluster.request('POST', '/api/v1/namespaces', { metadata: { name: namespaceOf(one) } });
        for (const object of one.cluster) await createWhole(object);
      }
      const against = await snapshotTo('before.json.gz');
      writeFileSync(file('objects.yaml'), cases.map(({ one }) => dump(one.object)).join('---\n'));
      before = (await jsonOf(['check', '--against', against, '--config', config, file('objects.yaml')].map(String))).findings;
      for (const { one } of cases) await createWhole(one.object);
      live = (await jsonOf(['audit', '--config', config])).findings;
      stored = (await jsonOf(['audit', '--config', config, '--snapshot', await snapshotTo('after.json.gz')])).findings;
      await cluster.request('DELETE', `${maps}/portcullis`);
    });

    it('are many, and some of each rule', () => {
      expect(cases.length).toBeGreaterThan(40);
      expect(new Set(cases.map(({ rule }) => rule)).size).toBeGreaterThan(5);
      expect(live.length).toBeGreaterThan(20);
    });

    it.each(cases.map(({ rule, one }) => [`${rule}: ${one.name}`, rule, one] as const))('%s', (_, rule, one) => {
      const isSubject = ({ object }: Told): boolean =>
        object.namespace === namespaceOf(one) &&
        object.name === objectAt(one.object, 'metadata')['name'] &&
        object.kind === one.object['kind'];
      const lines = (all: readonly Told[]) =>
        all
          .filter(isSubject)
          .map((told) => `${told.rule} ${told.path} ${told.message} ${told.mode}`)
          .sort();
      expect(lines(stored)).toEqual(lines(live));
      // What is in a Secret that no Ingress named when the snapshot was taken was not read. Of a backend whose Service has its own
      // finding, only a write is told why it does not answer.
      const comparable = (all: readonly Told[]) =>
        lines(all)
          .filter((line) => !ofContent.test(line))
          .map((line) => line.replace(/^(ingress-backend-unusable \S+) .*/, '$1'));
      expect(comparable(before)).toEqual(comparable(live));
      const own = lines(live).filter((line) => line.startsWith(`${rule} `));
      expect(own.map((line) => line.split(' ').slice(1, 3).join(' '))).toEqual(
        one.findings.map(({ path, message }) => `${path} ${message}`).sort(),
      );
    });

    it('make the same file each time, but for the moment', async () => {
      const [first, second] = [await snapshotTo('1.json'), await snapshotTo('2.json')].map((path) => readFileSync(path, 'utf8'));
      const timeless = (text = ''): string => text.replace(/"takenAt": "[^"]*"/, '');
      expect(first).not.toBe(second);
      expect(timeless(first)).toBe(timeless(second));
    });
  });

  describe('a person with rights in one namespace', () => {
    beforeAll(async () => {
      for (const name of ['own', 'foreign']) {
        await cluster.request('POST', '/api/v1/namespaces', { metadata: { name } });
        await create(cluster, name, deployment);
        await create(cluster, name, service({ selector: { app: 'wbe' } }));
      }
      // To list, and nothing else: no right to watch is needed. ("view" is empty where no controller aggregates roles.)
      const rules = ['', 'apps', 'batch', 'networking.k8s.io'].map((group) => ({ apiGroups: [group], resources: ['*'], verbs: ['list'] }));
      await cluster.request('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', { metadata: { name: 'lister' }, rules });
      const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'lister' };
      const subject = { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'tenant-a' };
      const { status } = await cluster.request('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/own/rolebindings', {
        metadata: { name: 'view' },
        roleRef: role,
        subjects: [subject],
      });
      expect(status).toBe(201);
    });

    it('judges it with -n, and is told that nothing was judged without', async () => {
      const own = await jsonOf(['audit', '-n', 'own', '--config', config], 'tenant-a');
      expect(own.code).toBe(1);
      expect(own.findings.map(({ rule, object }: Told) => `${rule} ${object.namespace}`)).toEqual(['service-selector-matches-no-pods own']);
      const all = await jsonOf(['audit', '--config', config], 'tenant-a');
      expect([all.code, all.summary.objects, all.errors.length]).toEqual([2, 0, 3]);
      const foreign = await jsonOf(['audit', '-n', 'foreign', '--config', config], 'tenant-a');
      expect([foreign.code, foreign.summary.objects]).toEqual([2, 0]);
    });
  });

  it('a snapshot with few rights knows little, and says what', async () => {
    const { code, error } = await portcullis(['snapshot', '-n', 'own', '-o', file('own.json')], 'tenant-a');
    expect(code).toBe(0);
    expect(error.split('\n')).toContain('not known: Service (forbidden), but in own');
    expect(error.split('\n')).toContain('not known: Namespace (forbidden)');
    const { findings } = await jsonOf(['audit', '--snapshot', file('own.json'), '-n', 'own', '--config', config]);
    expect(findings.map(({ rule, object }: Told) => `${rule} ${object.namespace}`)).toEqual(['service-selector-matches-no-pods own']);
    const whole = await portcullis(['snapshot', '-o', file('whole.json')]);
    expect(whole.error).toBe('');
  });

  it('a snapshot of nothing that could be judged is no success, and a check against it neither', async () => {
    const { code, error } = await portcullis(['snapshot', '-o', file('blind.json')], 'tenant-a');
    expect([code, error]).toEqual([
      2,
      expect.stringContaining('is written, but is not complete: Ingress, NetworkPolicy and Service may not be listed'),
    ]);
    writeFileSync(file('one.yaml'), dump(service({ selector: { app: 'web' } })));
    const against = await jsonOf(['check', '--against', file('blind.json'), '--config', config, '-n', 'own', file('one.yaml')]);
    expect(against.code).toBe(2);
    expect(against.errors.map(({ message }: { message: string }) => message)).toContainEqual(
      expect.stringContaining('could not be read when the snapshot was taken'),
    );
  });

  it('the role in docs/audit.md is enough, and names of kinds that may not be read are told without it', async () => {
    const [yaml = ''] = /(?<=```yaml\n)apiVersion: rbac[\s\S]*?(?=```)/.exec(readFileSync('docs/audit.md', 'utf8')) ?? [];
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    expect((await cluster.request('POST', `${rbac}/clusterroles`, load(yaml) as RawObject)).status).toBe(201);
    const apiGroup = 'rbac.authorization.k8s.io';
    const binding = {
      roleRef: { apiGroup, kind: 'ClusterRole', name: 'portcullis-audit' },
      subjects: [{ apiGroup, kind: 'User', name: 'tenant-b' }],
    };
    await cluster.request('POST', `${rbac}/clusterrolebindings`, { metadata: { name: 'portcullis-audit' }, ...binding });
    const audited = await jsonOf(['audit', '--config', config], 'tenant-b');
    await cluster.request('DELETE', `${rbac}/clusterrolebindings/portcullis-audit`);
    expect(audited.errors).toEqual([]);
    expect(audited.skipped.filter(({ reason }: { reason: string }) => reason === 'forbidden')).toEqual([]);
    const own = await jsonOf(['simulate', '-n', 'foreign', '--config', config], 'tenant-a');
    expect(own.code).toBe(2);
  });

  describe('what an installation is configured to do', () => {
    it('is what the audit goes by, where it can be read', async () => {
      await cluster.request('POST', '/api/v1/namespaces', { metadata: { name: 'portcullis' } });
      const data = {
        'portcullis.yaml': 'apiVersion: portcullis.dev/v1\ngrace: 0s\nrules: { service-selector-matches-no-pods: { mode: off } }\n',
      };
      const none = await jsonOf(['audit', '-n', 'own']);
      expect(none.notices[0]).toBe(
        'the configuration is the default one: ConfigMap portcullis/portcullis does not exist, and no --config is given',
      );
      await cluster.request('POST', '/api/v1/namespaces/portcullis/configmaps', { metadata: { name: 'portcullis' }, data });
      const found = await jsonOf(['audit', '-n', 'own']);
      expect([found.code, found.findings, found.notices]).toEqual([
        0,
        [],
        ['the configuration is that of ConfigMap portcullis/portcullis'],
      ]);
      await cluster.request('POST', '/api/v1/namespaces/own/configmaps', { metadata: { name: 'guard' }, data });
      const other = await jsonOf(['audit', '-n', 'own', '--installation', 'own/guard']);
      expect([other.findings, other.notices]).toEqual([[], ['the configuration is that of ConfigMap own/guard']]);
      expect((await portcullis(['audit', '--installation', 'own/gone'])).error).toContain('ConfigMap own/gone does not exist');
      expect(readFileSync(await snapshotTo('configured.json'), 'utf8')).toContain('service-selector-matches-no-pods: { mode: off }');
    });
  });

  it('an update keeps what was allocated, as check --against takes it', async () => {
    await cluster.request('POST', '/api/v1/namespaces', { metadata: { name: 'allocated' } });
    const http = { name: 'http', port: 80 };
    const https = { name: 'https', port: 443, nodePort: 31443 };
    const nodePorts = (ports: readonly RawObject[]): RawObject => service({ spec: { type: 'NodePort', ports } });
    await create(cluster, 'allocated', nodePorts([http, https]));
    const path = addressOf('Service', 'allocated', 'web');
    const stored = async (): Promise<Service> =>
      normalize({ ...(await cluster.request('GET', path)).body, apiVersion: 'v1', kind: 'Service' }) as Service;
    const before = await stored();
    const update = nodePorts([{ name: 'https', port: 8443 }, { name: 'new', port: 90, nodePort: 31090 }, http]);
    const { status, body } = await cluster.request('PUT', path, update);
    expect(status, body.message).toBe(200);
    const { clusterIPs, ports } = (await stored()).spec;
    const expected = keepAllocated(normalize(update) as Service, before).spec;
    expect(clusterIPs).toEqual(expected.clusterIPs);
    expect(ports.map(({ name, nodePort }) => [name, nodePort])).toEqual(expected.ports.map(({ name, nodePort }) => [name, nodePort]));
    expect(ports.map(({ nodePortNamed }) => nodePortNamed)).toEqual([false, true, false]);
  });

  describe('Secrets', () => {
    const sentinel = 'S3NT1NEL';
    let proxy: RecordingProxy;
    beforeAll(async () => {
      await cluster.request('POST', '/api/v1/namespaces', { metadata: { name: 'vault' } });
      // As people do it: kubectl writes all of the content into an annotation.
      const secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          name: 'tls',
          namespace: 'vault',
          labels: { in: sentinel },
          annotations: { 'example.com/note': `${sentinel}-annotation` },
        },
        stringData: { password: `${sentinel}-data` },
      };
      const { code, stderr } = await cluster.kubectl(['apply', '-f', '-'], { input: secret });
      expect(code, stderr).toBe(0);
      await create(cluster, 'vault', {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: 'web' },
        spec: {
          tls: [
            { hosts: ['a.example'], secretName: 'tls' },
            { hosts: ['b.example'], secretName: 'gone' },
          ],
          rules: [{ host: 'a.example' }],
        },
      });
      const { url, caFile } = plane.address;
      proxy = await recordingProxy(url, readFileSync(caFile, 'utf8'), tokenOf('admin'));
      writeFileSync(
        file('proxied.kubeconfig'),
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Config',
          'current-context': 'proxied',
          contexts: [{ name: 'proxied', context: { cluster: 'proxied', user: 'me' } }],
          clusters: [{ name: 'proxied', cluster: { server: proxy.url } }],
          users: [{ name: 'me', user: {} }],
        }),
      );
    });
    afterAll(() => proxy?.close());

    it.each([
      ['snapshot', ['snapshot'], '"name":"tls"'],
      ['audit', ['audit', '-n', 'vault', '-o', 'json'], 'name one that is there: tls'],
    ] as const)('leave nothing but their names behind in %s, in the file and in all that was received', async (_, argv, name) => {
      const terminal = fakeTerminal();
      await run([...argv, '--kubeconfig', file('proxied.kubeconfig')], { ...terminal, now: () => Date.now() + 120_000 }, '0.0.0');
      expect(terminal.written.out, terminal.written.error).toContain(name);
      expect(proxy.asked.some((path) => path.includes('/secrets'))).toBe(true);
      expect(proxy.answered.length).toBeGreaterThan(15);
      expect(terminal.written.out).not.toContain(sentinel);
      expect(proxy.answered.filter((body) => body.includes(sentinel))).toEqual([]);
      expect(proxy.answered.filter((body) => body.includes(Buffer.from(`${sentinel}-data`).toString('base64')))).toEqual([]);
    });

    it('are known by name in the snapshot, those that are there and those that are not', async () => {
      const text = readFileSync(await snapshotTo('vault.json'), 'utf8');
      expect(text).toContain('{"namespace":"vault","name":"tls"}');
      const { findings } = await jsonOf(['audit', '--snapshot', file('vault.json'), '-n', 'vault', '--config', config]);
      const told = findings.filter(({ rule }: Told) => rule === 'tls-secret-missing');
      expect(told.map(({ path, message }: Told) => `${path} ${message}`)).toEqual(['spec.tls[1].secretName missing']);
    });
  });

  it('explain follows the requests of an Ingress, with the rights of whoever asks', async () => {
    const way = await cluster.newNamespace('way');
    for (const object of [deployment, service({ selector: { app: 'wbe' } }), ingress('tls')]) await create(cluster, way, object);
    const lastOf = async (user: User = 'admin') => {
      const { code, routes = [] } = await jsonOf(['explain', 'ingress/web', '-n', way, '--config', config], user);
      return { code, last: routes[0]?.links.at(-1), repair: routes[0]?.repair };
    };
    expect(await lastOf()).toMatchObject({
      code: 1,
      last: { link: 'pods', state: 'broken', text: 'selector app=wbe matches no Pod' },
      repair: { rule: 'service-selector-matches-no-pods', text: 'did you mean app=web (Deployment web)?' },
    });
    const repaired = { spec: { selector: { app: 'web' } } };
    expect((await cluster.request('PATCH', addressOf('Service', way, 'web'), repaired)).status).toBe(200);
    expect(await lastOf()).toMatchObject({ code: 0, last: { link: 'pods', state: 'holds', text: 'Deployment web' } });
    expect(await lastOf('tenant-b')).toEqual({ code: 2, last: undefined, repair: undefined });
  });

  it('flows and explain flow tell what policies let through, with the rights of whoever asks', async () => {
    const closed = await cluster.newNamespace('closed');
    const spec = { podSelector: {}, policyTypes: ['Ingress'] };
    const deny = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'deny' }, spec };
    for (const object of [deployment, deny]) await create(cluster, closed, object);
    const { code, flows } = await jsonOf(['flows', '-n', closed, '--config', config]);
    const intoIt = flows.filter(({ to }: { readonly to: { readonly name: string } }) => to.name === `${closed}/web`);
    expect(code).toBe(0);
    expect(intoIt.length).toBeGreaterThan(0);
    expect(intoIt.filter(({ answer }: { readonly answer: string }) => answer !== 'denied')).toEqual([]);
    const asked = ['explain', 'flow', '203.0.113.7', `${closed}/deployment/web:80`, '--config', config];
    expect(await jsonOf(asked)).toMatchObject({
      code: 1,
      answer: 'denied',
      receiving: { policies: [{ policy: `NetworkPolicy ${closed}/deny` }] },
    });
    expect((await jsonOf(asked, 'tenant-b')).code).toBe(2);
  });

  async function createWhole(object: RawObject): Promise<void> {
    const { name, namespace } = objectAt(object, 'metadata');
    await create(cluster, String(namespace), object);
    if (object['status'] === undefined) return;
    const path = `${addressOf(String(object['kind']), String(namespace), String(name))}/status`;
    const { status, body } = await cluster.request('PATCH', path, { status: object['status'] });
    expect(status, body.message).toBe(200);
  }
});
