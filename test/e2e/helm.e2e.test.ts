/**
 * The chart on a real API server, by both Helms: install, upgrade, rollback, uninstall. No Pod ever runs here, which is the
 * worst that can happen to a webhook: whatever can be written all the same is what the chart promises.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newAuthority } from '../support/certificate.ts';
import { until } from '../support/child-process.ts';
import { type Cluster, connectCluster, pathOf } from '../support/cluster.ts';
import { type ControlPlane, kubeconfigOf } from '../support/control-plane.ts';
import { type Helm, helms } from '../support/control-plane-build.ts';
import { newControlPlane } from '../support/control-plane-provider.ts';
import { chart, helmPath, type Rendered } from '../support/helm.ts';

const run = promisify(execFile);
const authority = Buffer.from((await newAuthority('of the process')).cert).toString('base64');
const written = { 'ca.key': Buffer.from('secret').toString('base64') };

describe.runIf(inject('controlPlane') !== null && inject('helm') !== null)('the chart on a cluster', () => {
  let plane: ControlPlane;
  let cluster: Cluster;

  beforeAll(async () => {
    // The collector of garbage removes what was made on behalf of a Service, as in a cluster.
    const controllers = 'endpointslice-controller,garbage-collector-controller';
    // A Service without endpoints is then an error at once, as with kube-proxy, and not a packet that nobody answers.
    plane = await newControlPlane(console.error, { controllers, apiServerFlags: { 'enable-aggregator-routing': 'true' } });
    cluster = connectCluster(plane.address);
    await cluster.request('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  });
  afterAll(async () => {
    await cluster?.close();
    await plane?.stop();
  });

  /** Throws with what Helm says. */
  const helm = async (version: Helm, namespace: string, ...args: readonly string[]): Promise<string> => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: plane.address.directory, KUBECONFIG: kubeconfigOf(plane.address, 'admin') };
    return (await run(helmPath(version), [...args, '--namespace', namespace], { env })).stdout;
  };
  const install = (version: Helm, namespace: string): Promise<string> =>
    helm(version, namespace, 'install', 'portcullis', chart, '--create-namespace');
  const upgrade = (version: Helm, namespace: string, ...flags: readonly string[]): Promise<string> =>
    helm(version, namespace, 'upgrade', 'portcullis', chart, ...flags);

  const service = (name: string) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 80 }] } });
  let serial = 0;
  /** What becomes of a write that we would be asked about: nothing, or why it is refused. */
  const refused = async (namespace = 'shop', annotations = {}): Promise<string | undefined> => {
    const name = `web-${serial++}`;
    const object = { ...service(name), metadata: { name, annotations } };
    const { status, body } = await cluster.request('POST', pathOf('v1', 'services', namespace), object);
    return status === 201 ? undefined : body.message;
  };
  /** Goes on writing while something is done, and counts. */
  const writingMeanwhile = async (
    act: () => Promise<unknown>,
  ): Promise<{ readonly writes: number; readonly refusals: readonly string[] }> => {
    const refusals: string[] = [];
    let writes = 0;
    let isDone = false;
    const writer = (async () => {
      while (!isDone) {
        const why = await refused();
        writes++;
        if (why !== undefined) refusals.push(why);
        await sleep(20);
      }
    })();
    try {
      await act();
    } finally {
      isDone = true;
      await writer;
    }
    return { writes, refusals };
  };
  const unhindered = { writes: expect.any(Number), refusals: [] };

  const webhookPath = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/portcullis';
  const secretPath = (namespace: string) => pathOf('v1', 'secrets', namespace, 'portcullis-ca');
  const leasePath = (namespace: string) => pathOf('coordination.k8s.io/v1', 'leases', namespace, 'portcullis-leader');
  const get = async (path: string): Promise<Rendered> => (await cluster.request('GET', path)).body;

  const ourBundle = (entries: readonly Rendered[]) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'portcullis' },
    webhooks: entries.map(({ name }) => ({ name, clientConfig: { caBundle: authority } })),
  });
  /** What the process writes, as it does: by its field manager, and with the resourceVersion that it has read. */
  const actAsProcess = async (namespace: string): Promise<void> => {
    const { webhooks } = await get(webhookPath);
    const bundle = ourBundle(webhooks);
    const applied = await cluster.kubectl(['apply', '--server-side', '--field-manager=portcullis-ca', '-f', '-'], { input: bundle });
    expect(applied).toMatchObject({ code: 0 });
    const secret = { ...(await get(secretPath(namespace))), data: written };
    expect((await cluster.request('PUT', secretPath(namespace), secret)).status).toBe(200);
    const lease = { ...(await get(leasePath(namespace))), spec: { holderIdentity: 'pod-1', leaseDurationSeconds: 30 } };
    expect((await cluster.request('PUT', leasePath(namespace), lease)).status).toBe(200);
  };
  const stateOf = async (namespace: string) => ({
    bundles: (await get(webhookPath)).webhooks.map(({ clientConfig }: Rendered) => clientConfig.caBundle),
    data: (await get(secretPath(namespace))).data,
    holder: (await get(leasePath(namespace))).spec.holderIdentity,
  });
  const kept = { bundles: [authority, authority, authority], data: written, holder: 'pod-1' };

  /** Whatever carries our label, of any kind that can be listed. */
  const leftOver = async (): Promise<string> => {
    const kinds = await cluster.kubectl(['api-resources', '--verbs=list', '-o', 'name']);
    const names = kinds.stdout.trim().split('\n').join();
    const { code, stdout, stderr } = await cluster.kubectl(['get', names, '-A', '-l', 'app.kubernetes.io/name=portcullis', '-o', 'name']);
    expect({ code, stderr: stderr.replace(/Warning: .*\n/g, '') }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^(No resources found\n)?$/),
    });
    return stdout;
  };
  const shapeOf = async (namespace: string) => {
    const { spec } = await get(pathOf('apps/v1', 'deployments', namespace, 'portcullis'));
    const { data } = await get(pathOf('v1', 'configmaps', namespace, 'portcullis'));
    const { webhooks } = await get(webhookPath);
    return {
      replicas: spec.replicas,
      profile: /profile: (\w+)/.exec(data['portcullis.yaml'])?.[1],
      timeouts: webhooks.map((one: Rendered) => one.timeoutSeconds),
      system: webhooks[1].namespaceSelector.matchExpressions[0].operator,
    };
  };
  const asInstalled = { replicas: 2, profile: 'guided', timeouts: [3, 3, 3], system: 'In' };

  describe.each(helms)('%s', (version) => {
    const home = `guards-${version}`;

    it('installs, while Services are written all the time', async () => {
      expect(await refused()).toBeUndefined();
      expect(await writingMeanwhile(() => install(version, home))).toEqual(unhindered);
      expect(await shapeOf(home)).toEqual(asInstalled);
      expect((await leftOver()).match(/portcullis/g)?.length).toBeGreaterThanOrEqual(13);
    });

    it('upgrades with other values, and touches nothing that the process has written', async () => {
      await actAsProcess(home);
      const values = [
        '--set',
        'replicaCount=3,config.profile=strict,webhook.timeoutSeconds=5',
        '--set-json',
        'config.protectedNamespaces=[]',
      ];
      expect(await writingMeanwhile(() => upgrade(version, home, ...values))).toEqual(unhindered);
      expect(await shapeOf(home)).toEqual({ replicas: 3, profile: 'strict', timeouts: [5, 5, 5], system: 'DoesNotExist' });
      expect(await stateOf(home)).toEqual(kept);
    });

    it('rolls back, and touches nothing of it either', async () => {
      expect(await writingMeanwhile(() => helm(version, home, 'rollback', 'portcullis', '1'))).toEqual(unhindered);
      expect(await shapeOf(home)).toEqual(asInstalled);
      expect(await stateOf(home)).toEqual(kept);
    });

    it('grants our account what its roles say, and nothing more', async () => {
      const account = `system:serviceaccount:${home}:portcullis`;
      const can = async (verb: string, resource: string, ...where: readonly string[]): Promise<boolean> =>
        (await cluster.kubectl(['auth', 'can-i', verb, resource, `--as=${account}`, ...where])).code === 0;
      expect(await can('watch', 'services', '-A')).toBe(true);
      expect(await can('watch', 'configmaps', '-A')).toBe(false);
      expect(await can('patch', 'services', '-A')).toBe(false);
      expect(await can('create', 'events.events.k8s.io', '-A')).toBe(true);
      expect(await can('list', 'events.events.k8s.io', '-A')).toBe(false);
      expect(await can('get', 'secrets', '-A')).toBe(true);
      expect(await can('list', 'secrets', '-n', home)).toBe(false);
      expect(await can('update', 'secret/portcullis-ca', '-n', home)).toBe(true);
      expect(await can('update', 'secret/other', '-n', home)).toBe(false);
      expect(await can('update', 'secret/portcullis-ca', '-n', 'shop')).toBe(false);
      expect(await can('update', 'lease/portcullis-leader', '-n', home)).toBe(true);
      expect(await can('patch', 'validatingwebhookconfiguration/portcullis')).toBe(true);
      expect(await can('patch', 'validatingwebhookconfiguration/other')).toBe(false);
      expect(await can('delete', 'validatingwebhookconfiguration/portcullis')).toBe(false);
    });

    it('with Fail and nobody there, stops networking writes of users, and nothing else', async () => {
      await upgrade(version, home, '--set', 'replicaCount=3', '--set', 'webhook.failurePolicy=Fail');
      await until('the API server knows', async () => (await refused())?.includes('validate.portcullis.dev'));
      for (const exempt of [home, 'kube-system', 'kube-public', 'kube-node-lease']) expect(await refused(exempt)).toBeUndefined();
      expect(await refused('shop', { 'portcullis.dev/break-glass': 'the webhook is down' })).toBeUndefined();
      const other = await cluster.request('POST', pathOf('v1', 'configmaps', 'shop'), { metadata: { generateName: 'any-' } });
      expect(other.status).toBe(201);
    });

    it('uninstalls, and leaves nothing with our label and nothing that stops a write', async () => {
      await upgrade(version, home, '--reset-values');
      await until('the API server knows', async () => (await refused()) === undefined);
      expect(await writingMeanwhile(() => helm(version, home, 'uninstall', 'portcullis'))).toEqual(unhindered);
      await until('nothing is left', async () => (await leftOver()) === '');
      expect(await refused()).toBeUndefined();
    });

    it('uninstalls from Fail too: afterwards everything can be written', async () => {
      await helm(version, home, 'install', 'portcullis', chart, '--set', 'replicaCount=3', '--set', 'webhook.failurePolicy=Fail');
      await until('the API server knows', async () => (await refused())?.includes('validate.portcullis.dev'));
      await helm(version, home, 'uninstall', 'portcullis');
      await until('everything can be written', async () => (await refused()) === undefined);
      await until('nothing is left', async () => (await leftOver()) === '');
    });
  });

  it.each(helms)('%s gives the webhook another authority, and back', async (version) => {
    const home = `guards-${version}-modes`;
    await install(version, home);
    await actAsProcess(home);
    const file = join(plane.address.directory, 'other-ca.crt');
    const { cert } = await newAuthority('of somebody else');
    writeFileSync(file, cert);
    const flags = ['--set', 'tls.mode=existingSecret,tls.existingSecret=mine', '--set-file', `tls.caBundle=${file}`];
    // Helm 4 applies on the server, where the caBundle is the process's: docs/installing.md says so.
    if (version === 'helm4') {
      await expect(upgrade(version, home, ...flags)).rejects.toThrow('conflicts with \\"portcullis-ca\\"');
      flags.push('--force-conflicts');
    }
    await upgrade(version, home, ...flags);
    const bundles = async () => (await get(webhookPath)).webhooks.map(({ clientConfig }: Rendered) => clientConfig.caBundle);
    const given = Buffer.from(cert).toString('base64');
    expect(await bundles()).toEqual([given, given, given]);
    await upgrade(version, home, '--reset-values');
    expect(await bundles()).toEqual([undefined, undefined, undefined]);
    await helm(version, home, 'uninstall', 'portcullis');
  });

  it('replicas that are still alive cannot bring the configuration back, but an upgrade can', async () => {
    const home = 'guards-alive';
    await install('helm4', home);
    const { webhooks } = await get(webhookPath);
    await cluster.request('DELETE', webhookPath);
    const args = ['apply', '--server-side', '--field-manager=portcullis-ca', `--as=system:serviceaccount:${home}:portcullis`, '-f', '-'];
    const { code, stderr } = await cluster.kubectl(args, { input: { ...ourBundle(webhooks), webhooks } });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('cannot create resource "validatingwebhookconfigurations"'),
    });
    expect((await cluster.request('GET', webhookPath)).status).toBe(404);
    await upgrade('helm4', home);
    expect((await cluster.request('GET', webhookPath)).status).toBe(200);
    await helm('helm4', home, 'uninstall', 'portcullis');
  });

  it.each([
    ['kubectl', []],
    ['the server', ['--server-side']],
  ])('deploy/, applied by %s, installs, is applied again, and goes', async (_, flags) => {
    const apply = async (verb: string, ...more: readonly string[]) =>
      expect(await cluster.kubectl([verb, '-k', 'deploy', ...more])).toMatchObject({ code: 0 });
    await apply('apply', ...flags);
    await actAsProcess('portcullis');
    await apply('apply', ...flags);
    expect(await stateOf('portcullis')).toEqual(kept);
    // Nobody ends a namespace here: it would be waited for.
    expect(await writingMeanwhile(() => apply('delete', '--wait=false'))).toEqual(unhindered);
    await cluster.request('PUT', '/api/v1/namespaces/portcullis/finalize', { metadata: { name: 'portcullis' }, spec: { finalizers: [] } });
    await until('nothing is left', async () => (await leftOver()) === '');
  });

  it('a release of Helm 3 goes on with Helm 4, and nothing is lost', async () => {
    const home = 'guards-moving';
    await install('helm3', home);
    await actAsProcess(home);
    await upgrade('helm4', home, '--set', 'config.profile=strict');
    expect(await shapeOf(home)).toEqual({ ...asInstalled, profile: 'strict' });
    expect(await stateOf(home)).toEqual(kept);
    await helm('helm4', home, 'uninstall', 'portcullis');
    await until('nothing is left', async () => (await leftOver()) === '');
  });
});
