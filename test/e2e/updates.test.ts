/** Writes to what exists: a defect that was there before stops nobody, a new one does, and what goes away goes away. */
import { expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { describeOnCluster } from '../support/cluster.ts';
import { deployment, egressPolicy, service, toDns } from '../support/shop.ts';
import { addressOf, useStage } from '../support/stage.ts';

describeOnCluster('a write to an object that exists', () => {
  const stage = useStage({ purpose: 'updates' });

  /** A strict namespace with a Service that was wrong before anybody looked. */
  async function wrongForLong(metadata: RawObject = {}, spec: RawObject = {}): Promise<string> {
    const namespace = await stage.namespace('strict');
    await stage.given(namespace, [deployment, service({ selector: { app: 'wbe' }, metadata, spec })]);
    return namespace;
  }

  it('passes with a warning if the defect is an old one', async () => {
    const namespace = await wrongForLong();
    const { code, stdout, stderr } = await stage.cluster.kubectl(['label', '-n', namespace, 'service/web', 'team=blue']);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('labeled');
    expect(stderr).toMatch(/^Warning: not new, so not denied: spec\.selector: .*\[service-selector-matches-no-pods\]\n$/);
  });

  it('is denied if it puts another wrong selector in the place of a wrong one', async () => {
    const namespace = await wrongForLong();
    const patch = JSON.stringify({ spec: { selector: { app: 'ewb' } } });
    const { code, stderr } = await stage.cluster.kubectl(['patch', '-n', namespace, 'service/web', '-p', patch]);
    expect(code).toBe(1);
    expect(stderr).toContain('spec.selector: app=ewb matches 0 of');
  });

  it('is denied if it breaks what was right', async () => {
    const namespace = await stage.namespace('strict');
    await stage.given(namespace, [deployment, service()]);
    const { code, stderr } = await stage.apply(namespace, service({ selector: { app: 'wbe' } }));
    expect(code).toBe(1);
    expect(stderr).toContain('[service-selector-matches-no-pods] portcullis');
  });

  it('passes without a word if it repairs the defect', async () => {
    const namespace = await wrongForLong();
    const patch = JSON.stringify({ spec: { selector: { app: 'web' } } });
    const { code, stderr } = await stage.cluster.kubectl(['patch', '-n', namespace, 'service/web', '-p', patch]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('passes if it takes the finalizer off an object that is being deleted', async () => {
    const namespace = await wrongForLong({ finalizers: ['example.com/guard'] });
    await stage.cluster.kubectl(['delete', '-n', namespace, 'service/web', '--wait=false']);
    const patch = JSON.stringify({ metadata: { finalizers: null } });
    const { code, stderr } = await stage.cluster.kubectl(['patch', '-n', namespace, 'service/web', '--type=merge', '-p', patch]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((await stage.cluster.kubectl(['get', '-n', namespace, 'service/web'])).stderr).toContain('NotFound');
  });

  it('passes if it is the removal of a Service', async () => {
    const namespace = await wrongForLong();
    const { code, stderr } = await stage.cluster.kubectl(['delete', '-n', namespace, 'service/web']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('warns where the removal of a policy takes DNS away, and lets it pass', async () => {
    await stage.dns();
    const namespace = await stage.namespace('strict');
    const denyAll = { ...egressPolicy(), metadata: { name: 'deny-all' }, spec: { podSelector: {}, policyTypes: ['Egress'] } };
    await stage.given(namespace, [deployment, { ...egressPolicy([toDns]), metadata: { name: 'allow-dns' } }, denyAll]);
    const { code, stdout, stderr } = await stage.cluster.kubectl(['delete', '-n', namespace, 'networkpolicy/allow-dns']);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('deleted');
    expect(stderr).toMatch(/^Warning: spec\.egress: .*\[network-policy-isolates-dns\]\n/);
  });

  it('is not judged where it writes a subresource', async () => {
    const namespace = await wrongForLong({}, { type: 'LoadBalancer' });
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
    const answer = await stage.cluster.request('PATCH', `${addressOf('Service', namespace, 'web')}/status`, { status });
    expect({ status: answer.status, warnings: answer.warnings }).toEqual({ status: 200, warnings: [] });
  });
});
