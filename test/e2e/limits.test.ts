/** Where Portcullis holds back: what is exempt, what it may not read, and when it is not there at all. */
import { expect, it } from 'vitest';
import { until } from '../support/child-process.ts';
import { describeOnCluster } from '../support/cluster.ts';
import { deployment, service } from '../support/shop.ts';
import { addressOf, configurationOf, useStage } from '../support/stage.ts';

const broken = service({ selector: { app: 'wbe' } });
const prefix = 'validate.portcullis.dev/';

describeOnCluster('an exemption', () => {
  const exemptions = {
    byAnnotation: 'always',
    list: [{ rules: ['service-selector-matches-no-pods'], names: ['legacy-*'], reason: 'to be moved by the platform team' }],
  };
  const stage = useStage({ purpose: 'exempt', configuration: configurationOf({ exemptions }) });

  async function answered(object: ReturnType<typeof service>) {
    const namespace = await stage.namespace('strict');
    await stage.given(namespace, [deployment]);
    const result = await stage.apply(namespace, object);
    const [entry] = stage.cluster.audit(namespace);
    return { ...result, annotations: entry?.annotations ?? {} };
  }

  it('in the configuration lets the write pass, with its reason in the audit log', async () => {
    const { code, stderr, annotations } = await answered(service({ name: 'legacy-db', selector: { app: 'wbe' } }));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(annotations[`${prefix}rules`]).toMatch(/^exempt:service-selector-matches-no-pods \(to be moved by the platform team\b/);
  });

  it('by annotation lets the write pass, with its reason in the audit log', async () => {
    const annotations = { 'exempt.portcullis.dev/service-selector-matches-no-pods': 'Pods come by hand' };
    const result = await answered(service({ selector: { app: 'wbe' }, metadata: { annotations } }));
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' });
    expect(result.annotations[`${prefix}rules`]).toMatch(/^exempt:service-selector-matches-no-pods \(Pods come by hand\b/);
  });

  it('of another rule changes nothing', async () => {
    const annotations = { 'exempt.portcullis.dev/service-node-port-policy': 'Pods come by hand' };
    const { code, stderr } = await answered(service({ selector: { app: 'wbe' }, metadata: { annotations } }));
    expect(code).toBe(1);
    expect(stderr).toContain('[service-selector-matches-no-pods] portcullis');
  });

  it('that has expired is no exemption, and is said to have expired', async () => {
    const annotations = { 'exempt.portcullis.dev/service-selector-matches-no-pods': 'moving until 2020-01-31' };
    const { code, stderr, annotations: audited } = await answered(service({ selector: { app: 'wbe' }, metadata: { annotations } }));
    expect(code).toBe(1);
    expect(stderr).toContain('it ended on 2020-01-31, so it has no effect');
    expect(audited[`${prefix}decision`]).toBe('deny');
    expect(audited[`${prefix}rules`]).toBe('deny:service-selector-matches-no-pods, warn:exemption-invalid');
  });
});

describeOnCluster('a view that RBAC keeps incomplete', () => {
  const stage = useStage({ purpose: 'blinkered', user: 'blinkered', replicas: 0 });

  it('leaves rules out that cannot be sure, and judges by the others', async () => {
    const { cluster, webhook } = stage;
    await cluster.kubectl(['create', 'clusterrole', 'blinkered', '--verb=get,list,watch', `--resource=${readable.join(',')}`]);
    await cluster.kubectl(['create', 'clusterrolebinding', 'blinkered', '--clusterrole=blinkered', '--user=blinkered']);
    await webhook.startReplica({ user: 'blinkered' });
    const namespace = await cluster.newNamespace('blinkered', { e2e: 'blinkered', 'portcullis.dev/profile': 'strict' });
    const wrong = service({ selector: { app: 'wbe' }, spec: { type: 'NodePort' }, port: { nodePort: 30001 } });

    const annotations = await until('a write is judged', async () => {
      const name = `web-${Date.now()}`;
      const { code, stderr } = await stage.apply(namespace, { ...wrong, metadata: { name } }, ['--dry-run=server']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return cluster.audit(namespace).find(({ annotations: found }) => found?.[`${prefix}decision`] !== undefined)?.annotations;
    });
    expect(annotations[`${prefix}decision`]).toBe('allow');
    expect(annotations[`${prefix}not-evaluated`]).toContain('service-selector-matches-no-pods: forbidden Pod');
  });

  /** All but Pods. */
  const readable = [
    ...['services', 'namespaces', 'replicationcontrollers', 'deployments.apps', 'statefulsets.apps', 'daemonsets.apps'],
    ...['replicasets.apps', 'jobs.batch', 'cronjobs.batch', 'ingresses.networking.k8s.io', 'networkpolicies.networking.k8s.io'],
  ];
});

describeOnCluster('a webhook that does not answer', () => {
  const stage = useStage({ purpose: 'absent' });

  it('lets every write pass, which the audit log says', async () => {
    const namespace = await stage.namespace('strict');
    await stage.given(namespace, [deployment]);
    expect((await stage.apply(namespace, broken)).code).toBe(1);
    await stage.replica.process.stop('SIGKILL');
    const { status, warnings } = await stage.cluster.request('POST', addressOf('Service', namespace), broken);
    expect({ status, warnings }).toEqual({ status: 201, warnings: [] });
    const failedOpen = stage.cluster
      .audit(namespace)
      .flatMap(({ annotations = {} }) => Object.keys(annotations).filter((key) => key.startsWith('failed-open.')));
    expect(failedOpen).toHaveLength(1);
  });
});
