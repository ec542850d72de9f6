/**
 * Our whole server on the real API server, while what it watches through goes wrong: what it knew stays in use, with its
 * age, nothing is denied that cannot be confirmed, and it comes back by itself. In `npm run test:long` at its real pace.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { startServer } from '../../src/commands/serve.ts';
import type { ServerHandle } from '../../src/commands/start-server.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { createLog } from '../../src/server/log.ts';
import type { Metrics } from '../../src/server/metrics.ts';
import { defaultPace, type Pace } from '../../src/sources/backoff.ts';
import { requestFor, reviewOf } from '../admission/reviews.ts';
import { send } from '../server/client.ts';
import { BadNetwork } from '../support/bad-network.ts';
import { until } from '../support/child-process.ts';
import { type Cluster, connectCluster, describeOnCluster, pathOf } from '../support/cluster.ts';
import { kubeconfigOf } from '../support/control-plane.ts';
import { runs } from '../support/figures.ts';
import { ingress, labelled, service } from '../support/shop.ts';
import { configurationOf, create } from '../support/stage.ts';

const isLong = runs(0, 1) === 1;
const hasty: Pace = { ...defaultPace, backoff: { firstMs: 50, longestMs: 500, unansweredMs: 500 }, refusedMs: 300, silenceMs: 3_000 };
const pace = isLong ? defaultPace : hasty;
/** What operators are promised: docs/high-availability.md. */
const recoversMs = 60_000;
const noticesMs = 90_000;

interface Answer {
  readonly allowed: boolean;
  readonly warnings?: readonly string[];
  readonly status?: { readonly message: string };
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

describeOnCluster('the server, when watches fail', () => {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-watches-'));
  let cluster: Cluster;
  let network: BadNetwork;
  let server: ServerHandle;
  let metrics: Metrics | undefined;
  let logged: { readonly level: string; readonly msg: string; readonly path?: string }[];
  let namespace: string;

  /** Of our ServiceAccount in deploy/, for a user of our own, so that nobody else's rights change with it. */
  let role: RawObject;
  const roles = pathOf('rbac.authorization.k8s.io/v1', 'clusterroles', '');

  beforeAll(async () => {
    cluster = connectCluster();
    await cluster.kubectl(['apply', '-f', 'deploy/00-namespace.yaml', '-f', 'deploy/10-rbac.yaml']);
    const { body } = await cluster.request('GET', `${roles}/portcullis`);
    role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'watches' }, rules: body.rules };
    await cluster.request('POST', roles, role);
    await cluster.request('POST', pathOf('rbac.authorization.k8s.io/v1', 'clusterrolebindings', ''), {
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'watches' } },
      subjects: [{ kind: 'User', name: 'blinkered', apiGroup: 'rbac.authorization.k8s.io' }],
      roleRef: { kind: 'ClusterRole', name: 'watches', apiGroup: 'rbac.authorization.k8s.io' },
    });
  });
  afterAll(async () => {
    await cluster.request('DELETE', pathOf('rbac.authorization.k8s.io/v1', 'clusterrolebindings', '', 'watches'));
    await cluster.request('DELETE', `${roles}/watches`);
    await cluster.close();
    rmSync(directory, { recursive: true });
  });

  beforeEach(async () => {
    network = new BadNetwork(Number(new URL(cluster.address.url).port));
    const port = await network.start();
    const kubeconfig = join(directory, 'kubeconfig');
    writeFileSync(
      kubeconfig,
      readFileSync(kubeconfigOf(cluster.address, 'blinkered'), 'utf8').replace(cluster.address.url, `https://127.0.0.1:${port}`),
    );
    const config = join(directory, 'portcullis.yaml');
    const rules = { 'service-node-port-policy': { options: { ranges: [{ namespaces: ['*'], ports: ['30100-30199'] }] } } };
    writeFileSync(config, JSON.stringify(configurationOf({ rules })));
    namespace = await cluster.newNamespace('watches', { 'portcullis.dev/profile': 'strict' });
    for (const object of [labelled('web'), service({ name: 'shop' })]) await create(cluster, namespace, object);
    logged = [];
    server = await startServer(
      { kubeconfig, config, host: '127.0.0.1', port: 0, healthPort: 0, drainMs: 0 },
      {
        log: createLog({ write: (line: string) => void logged.push(JSON.parse(line)) }),
        onMetrics: (made) => {
          metrics = made;
        },
        pace,
      },
    );
    await until('it is ready', () => server.isReady());
  });
  afterEach(async () => {
    await server.close();
    await network.stop();
  });

  async function ask(object: RawObject): Promise<Answer> {
    const kind = String(object['kind']);
    const [group, resource] = kind === 'Service' ? ['', 'services'] : ['networking.k8s.io', 'ingresses'];
    const named = { ...object, metadata: { ...(object['metadata'] as RawObject), namespace } };
    const changes = { namespace, kind: { group, version: 'v1', kind }, resource: { group, version: 'v1', resource } };
    const body = JSON.stringify(reviewOf(requestFor(named, changes)));
    return (await send({ port: Number(new URL(server.url).port), ca: server.ca ?? '' }, body)).json().response;
  }
  const right = (): RawObject => service();
  const broken = (): RawObject => service({ selector: { app: 'wbe' } });
  /** Wrong by itself: no state of the cluster has a say in it. */
  const portOutOfRange = (): RawObject =>
    service({ spec: { type: 'NodePort', ports: [{ name: 'http', port: 80, targetPort: 'http', nodePort: 31_000 }] } });
  const silence = { allowed: true, warnings: undefined };
  const verdict = ({ allowed, warnings }: Answer): unknown => ({ allowed, warnings });
  const isDenied = async (object: RawObject, ruleId: string): Promise<boolean> =>
    (await ask(object)).status?.message.includes(`[${ruleId}]`) ?? false;

  /** Of the kind that is least stale: each notices by itself. */
  const staleness = async (): Promise<number> => {
    const { text } = await (metrics as Metrics).scrape();
    const ages = ['Namespace', 'Pod', 'Template'].map(
      (kind) => new RegExp(`staleness_seconds\\{resource="${kind}"\\} (\\S+)`).exec(text)?.[1],
    );
    return Math.min(...ages.map(Number));
  };
  const lines = (text: string): number => logged.filter(({ msg }) => msg.includes(text)).length;

  it('a network that loses everything is noticed, told with its age, and denies nobody', { timeout: 300_000 }, async () => {
    expect(verdict(await ask(right()))).toEqual(silence);
    expect(await isDenied(broken(), 'service-selector-matches-no-pods')).toBe(true);

    network.loseAll();
    const lostAt = performance.now();
    await create(cluster, namespace, labelled('late'));
    await until('it is noticed', async () => (await staleness()) > 0, { withinMs: pace.silenceMs + 10_000 });
    expect(performance.now() - lostAt).toBeLessThan(noticesMs + 1000);
    await until('it is worth telling', async () => (await staleness()) > 10);
    for (const object of [broken(), service({ selector: { app: 'late' } })]) {
      const { allowed, warnings, auditAnnotations } = await ask(object);
      expect(allowed).toBe(true);
      expect(warnings?.join()).toMatch(/^unconfirmed, so not denied: .*\(.*\d+ s.*\)/);
      expect(Number(auditAnnotations?.['cache-age-ms'])).toBeGreaterThan(10_000);
    }
    expect(verdict(await ask(right()))).toEqual(silence);
    expect(await isDenied(portOutOfRange(), 'service-node-port-policy')).toBe(true);
    expect(server.isReady()).toBe(true); // all replicas go stale together: to leave would be the outage

    network.heal();
    const late = (): RawObject => service({ selector: { app: 'late' } });
    await until('nothing is stale', async () => (await ask(late())).warnings === undefined, { withinMs: recoversMs });
    expect(verdict(await ask(late()))).toEqual(silence);
    expect(await isDenied(broken(), 'service-selector-matches-no-pods')).toBe(true);
    expect(lines('a watch begins anew')).toBeLessThanOrEqual(2 * Math.ceil((performance.now() - lostAt) / 60_000));
  });

  it('a view that lags behind denies nothing that is right by now, and what is wrong all the same', { timeout: 120_000 }, async () => {
    network.lose();
    for (let round = 0; round < runs(5, 50); round++) {
      await create(cluster, namespace, labelled(`web-${round}`));
      expect(verdict(await ask(service({ selector: { app: `web-${round}` } }))), `round ${round}`).toEqual(silence);
      expect(await isDenied(broken(), 'service-selector-matches-no-pods'), `round ${round}`).toBe(true);
    }
  });

  it('a right that is revoked costs the rules that need it, and no others, until it is granted', { timeout: 300_000 }, async () => {
    const withoutDeployments = (role['rules'] as readonly { readonly resources: readonly string[] }[]).map((rule) => ({
      ...rule,
      resources: rule.resources.filter((resource) => resource !== 'deployments'),
    }));
    const notEvaluated = async (): Promise<string> => (await ask(broken())).auditAnnotations?.['not-evaluated'] ?? '';
    try {
      await cluster.request('PATCH', `${roles}/watches`, { rules: withoutDeployments });
      network.cut(); // a watch that is open goes on: rights are checked when it begins
      await until('it is missed', async () => (await notEvaluated()).includes('service-selector-matches-no-pods: forbidden Template'));
      expect(verdict(await ask(broken()))).toEqual(silence);
      expect(await isDenied(portOutOfRange(), 'service-node-port-policy')).toBe(true);
      expect(server.isReady()).toBe(true);
    } finally {
      await cluster.request('PATCH', `${roles}/watches`, { rules: role['rules'] });
    }
    await until('it is seen again', () => isDenied(broken(), 'service-selector-matches-no-pods'), { withinMs: recoversMs });
    expect(logged.filter(({ msg, path }) => msg.startsWith('may not be watched') && path?.endsWith('/deployments'))).toHaveLength(1);
  });

  it('a definition that comes, goes and comes again changes what its rule knows, each time', { timeout: 400_000 }, async () => {
    const shop = (): RawObject => ingress('shop-tls', { host: 'watches.example.com', service: 'shop' });
    const missing = (): Promise<boolean> => isDenied(shop(), 'tls-secret-missing');
    await until('nothing brings the Secret', missing);
    const definitions = pathOf('apiextensions.k8s.io/v1', 'customresourcedefinitions', '');
    try {
      for (let time = 0; time < 2; time++) {
        expect((await cluster.request('POST', definitions, certificates)).status).toBe(201);
        await until(
          'a Certificate can be made',
          async () => (await cluster.request('POST', pathOf('cert-manager.io/v1', 'certificates', namespace), certificate)).status === 201,
        );
        await until('the Certificate is known', async () => (await ask(shop())).allowed, { withinMs: recoversMs });
        await cluster.request('DELETE', `${definitions}/${certificates.metadata.name}`);
        await until('the Certificate is gone', missing, { withinMs: recoversMs });
      }
    } finally {
      await cluster.request('DELETE', `${definitions}/${certificates.metadata.name}`);
    }
    expect(verdict(await ask(right()))).toEqual(silence);
    expect(logged.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

const certificate = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'shop' },
  spec: { secretName: 'shop-tls', dnsNames: ['shop.example.com'], issuerRef: { name: 'none' } },
};

const certificates = load(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: certificates.cert-manager.io }
spec:
  group: cert-manager.io
  scope: Namespaced
  names: { plural: certificates, singular: certificate, kind: Certificate, listKind: CertificateList }
  versions:
    - { name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } } }
`) as { readonly metadata: { readonly name: string } };
