/** The tables of all rules on the real API server: the same cases, the same answers. */
import { globSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Rule } from '../../src/engine/rule.ts';
import { objectAt, stringAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { type Balancer, startBalancer } from '../support/balancer.ts';
import { type ApiAnswer, type Cluster, connectCluster, describeOnCluster } from '../support/cluster.ts';
import { type ControlPlane, freePort } from '../support/control-plane.ts';
import { newControlPlane } from '../support/control-plane-provider.ts';
import { canBeApplied, configurationFor, expectedOf, namespacesOf, outcomeOf } from '../support/rule-cases.ts';
import { type RuleCase, readRuleTable } from '../support/rule-table.ts';
import { addressOf, create, untilViewIsTrue } from '../support/stage.ts';
import { installWebhook, type Replica, type Webhook } from '../support/webhook.ts';

const purpose = 'rules';
const tables = globSync('test/rules/*.yaml')
  .sort()
  .map((file) => readRuleTable(file));

/** The cases of a table, those of one configuration after each other: each other one is a server of ours of its own. */
const casesOf = ({ valid, invalid }: (typeof tables)[number], rule: Rule) =>
  [...valid, ...invalid]
    .filter(canBeApplied)
    .map((one) => ({ one, configuration: JSON.stringify(configurationFor(rule, one, rules)) }))
    .toSorted((a, b) => (a.configuration < b.configuration ? -1 : Number(a.configuration > b.configuration)));

const suites = tables.map((table) => {
  const rule = rules.find(({ meta }) => meta.id === table.rule);
  if (rule === undefined) throw new Error(`no rule for the table ${table.rule}`);
  return { rule, cases: casesOf(table, rule) };
});

/** In the order in which they are needed. */
const configurations = [...new Set(suites.flatMap(({ cases }) => cases.map(({ configuration }) => configuration)))];

/** A control plane of its own: the tables name their namespaces, and what other files leave behind would be in the view. */
describeOnCluster('on the real API server', () => {
  let plane: ControlPlane | undefined;
  let cluster: Cluster;
  let webhook: Webhook;
  let front: Balancer;
  let replica: Replica | undefined;
  let runsWith = '';
  /** The server for the configuration that is needed next starts while the cases of the present one are played. */
  let next: { readonly configuration: string; readonly replica: Promise<Replica> } | undefined;

  beforeAll(async () => {
    plane = await newControlPlane(console.error);
    cluster = connectCluster(plane.address);
    const { code, stderr } = await cluster.kubectl(['apply', '-f', 'test/e2e/fixtures/secret-providers.yaml']);
    expect(code, stderr).toBe(0);
    await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all']);
    front = await startBalancer(await freePort(), { listen: cluster.address.here.listen });
    webhook = await installWebhook(cluster, { purpose, configuration: {}, port: front.port });
  });
  afterAll(async () => {
    await next?.replica.catch(() => {});
    await webhook?.remove();
    await front?.close();
    await cluster?.close();
    await plane?.stop();
  });

  it('has tables to run', () => expect(tables.length).toBe(rules.length));

  for (const { rule, cases } of suites)
    describe(rule.meta.id, () => {
      it.each(cases.map(({ one, configuration }) => [one.name, one, configuration] as const))('%s', async (_, one, configuration) => {
        await runWith(configuration);
        const { answer, audit } = await played(one);
        expect(outcomeOf(rule, answer, audit)).toEqual(expectedOf(rule, one));
      });
    });

  /** Another server of ours answers where the configuration is another one. */
  async function runWith(configuration: string): Promise<void> {
    if (runsWith === configuration) return;
    const isNext = next?.configuration === configuration;
    const unneeded = [replica, isNext ? undefined : await next?.replica.catch(() => undefined)];
    replica = await (isNext ? next?.replica : startWith(configuration));
    runsWith = configuration;
    front.setReady([(replica as Replica).port]);
    front.cut();
    for (const one of unneeded) await one?.process.stop('SIGKILL');
    const following = configurations[configurations.indexOf(configuration) + 1];
    next = following === undefined ? undefined : { configuration: following, replica: startWith(following) };
    // Who awaits it is told.
    next?.replica.catch(() => {});
  }

  const startWith = async (configuration: string): Promise<Replica> =>
    webhook.startReplica({ port: await freePort(), configuration: JSON.parse(configuration) });

  async function played(one: RuleCase) {
    const created: RawObject[] = [];
    try {
      const ensured = Array.from(namespacesOf(one), async ([name, labels]) => {
        if (await ensureNamespace(name, labels)) created.push(namespaceObject(name, labels));
      });
      await Promise.all(ensured);
      const beside = one.cluster.filter(({ kind }) => kind !== 'Namespace');
      const standing = one.operation === 'DELETE' ? [one.object] : one.before === undefined ? [] : [one.before];
      for (const object of [...beside, ...standing]) {
        await createWhole(object);
        created.push(object);
      }
      // No two worlds follow each other without an empty one between: counts are enough to tell them apart.
      await untilViewIsTrue(cluster, replica as Replica);
      const since = Date.now();
      const answer = await write(one);
      if (one.operation === undefined && one.before === undefined && answer.status < 300) created.push(one.object);
      const { name, namespace } = refOf(one.object);
      const audit = cluster
        .audit(namespace)
        .filter(({ objectRef, stageTimestamp }) => objectRef.name === name && Date.parse(stageTimestamp) >= since)
        .at(-1);
      return { answer, audit };
    } finally {
      const [namespaces = [], objects = []] = [true, false].map((wanted) =>
        created.filter(({ kind }) => (kind === 'Namespace') === wanted),
      );
      for (const together of [objects, namespaces]) await Promise.all(together.map(remove));
      await untilViewIsTrue(cluster, replica as Replica);
    }
  }

  function write({ object, before, operation }: RuleCase): Promise<ApiAnswer> {
    const { kind, namespace, name } = refOf(object);
    if (operation === 'DELETE') return cluster.request('DELETE', addressOf(kind, namespace, name));
    if (before !== undefined) return updated(object);
    return cluster.request('POST', addressOf(kind, namespace), object);
  }

  /** What the API server has allocated stays as it is, unless the case says another. */
  async function updated(object: RawObject): Promise<ApiAnswer> {
    const { kind, namespace, name } = refOf(object);
    const path = addressOf(kind, namespace, name);
    const { body } = await cluster.request('GET', path);
    const metadata = { ...objectAt(object, 'metadata'), resourceVersion: body.metadata.resourceVersion };
    const spec =
      kind === 'Service'
        ? { clusterIP: body.spec.clusterIP, clusterIPs: body.spec.clusterIPs, ...objectAt(object, 'spec') }
        : object['spec'];
    return cluster.request('PUT', path, { ...object, metadata, spec });
  }

  /** Whether it had to be made. The label asks for our opinion. */
  async function ensureNamespace(name: string, labels: RawObject): Promise<boolean> {
    const { status } = await cluster.request('POST', '/api/v1/namespaces', namespaceObject(name, labels), 'unjudged');
    if (status === 201) return true;
    const patched = await cluster.request('PATCH', `/api/v1/namespaces/${name}`, { metadata: { labels: { e2e: purpose, ...labels } } });
    expect(patched.status).toBe(200);
    return false;
  }

  async function createWhole(object: RawObject): Promise<void> {
    const { kind, namespace, name } = refOf(object);
    await create(cluster, namespace, object);
    const { status } = object;
    if (status === undefined) return;
    const written = await cluster.request('PATCH', `${addressOf(kind, namespace, name)}/status`, { status });
    expect(written.status, written.body.message).toBe(200);
  }

  async function remove(object: RawObject): Promise<void> {
    const { kind, namespace, name } = refOf(object);
    const path = addressOf(kind, kind === 'Namespace' ? '' : namespace, name);
    // No controller here takes care of orphans, or empties namespaces and lets them go.
    const options = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, propagationPolicy: 'Background' };
    await cluster.request('DELETE', path, options, 'unjudged');
    if (kind === 'Namespace') await cluster.request('PUT', `${path}/finalize`, { ...object, spec: { finalizers: [] } });
    expect((await cluster.request('GET', path)).status, `${kind} ${name} is gone`).toBe(404);
  }

  const namespaceObject = (name: string, labels: RawObject): RawObject => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { e2e: purpose, ...labels } },
  });

  const refOf = (object: RawObject) => {
    const metadata = objectAt(object, 'metadata');
    return { kind: String(object['kind']), namespace: stringAt(metadata, 'namespace') ?? '', name: stringAt(metadata, 'name') ?? '' };
  };
});
