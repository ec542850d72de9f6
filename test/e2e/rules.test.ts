/** The tables of all rules on the real API server: the same cases, the same answers. */
import { globSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectAt, stringAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { type ApiAnswer, type Cluster, connectCluster, describeOnCluster } from '../support/cluster.ts';
import type { ControlPlane } from '../support/control-plane.ts';
import { newControlPlane } from '../support/control-plane-provider.ts';
import { canBeApplied, configurationFor, expectedOf, namespacesOf, outcomeOf } from '../support/rule-cases.ts';
import { type RuleCase, readRuleTable } from '../support/rule-table.ts';
import { addressOf, create, untilViewIsTrue } from '../support/stage.ts';
import { installWebhook, type Replica, type Webhook } from '../support/webhook.ts';

const purpose = 'rules';
const tables = globSync('test/rules/*.yaml')
  .sort()
  .map((file) => readRuleTable(file));

/** A control plane of its own: the tables name their namespaces, and what other files leave behind would be in the view. */
describeOnCluster('on the real API server', () => {
  let plane: ControlPlane | undefined;
  let cluster: Cluster;
  let webhook: Webhook;
  let replica: Replica | undefined;
  let runsWith = '';

  beforeAll(async () => {
    plane = await newControlPlane(console.error);
    cluster = connectCluster(plane.address);
    const { code, stderr } = await cluster.kubectl(['apply', '-f', 'test/e2e/fixtures/secret-providers.yaml']);
    expect(code, stderr).toBe(0);
    await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all']);
    webhook = await installWebhook(cluster, { purpose, configuration: {} });
  });
  afterAll(async () => {
    await webhook?.remove();
    await cluster?.close();
    await plane?.stop();
  });

  it('has tables to run', () => expect(tables.length).toBe(rules.length));

  for (const table of tables) {
    const rule = rules.find(({ meta }) => meta.id === table.rule);
    if (rule === undefined) throw new Error(`no rule for the table ${table.rule}`);
    describe(table.rule, () => {
      // Those of one configuration after each other: each other one restarts our server.
      const cases = [...table.valid, ...table.invalid]
        .filter(canBeApplied)
        .map((one) => ({ one, configuration: JSON.stringify(configurationFor(rule, one, rules)) }));
      const inOrder = cases.toSorted((a, b) => (a.configuration < b.configuration ? -1 : Number(a.configuration > b.configuration)));
      it.each(inOrder.map(({ one, configuration }) => [one.name, one, configuration] as const))('%s', async (_, one, configuration) => {
        await runWith(configuration);
        const { answer, audit } = await played(one);
        expect(outcomeOf(rule, answer, audit)).toEqual(expectedOf(rule, one));
      });
    });
  }

  /** Restarts our server where the configuration is another one. */
  async function runWith(configuration: string): Promise<void> {
    if (runsWith === configuration) return;
    await replica?.process.stop('SIGKILL');
    webhook.configure(JSON.parse(configuration));
    replica = await webhook.startReplica();
    runsWith = configuration;
  }

  async function played(one: RuleCase) {
    const created: RawObject[] = [];
    try {
      for (const [name, labels] of namespacesOf(one)) if (await ensureNamespace(name, labels)) created.push(namespaceObject(name, labels));
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
      for (const object of created.toReversed()) await remove(object);
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
