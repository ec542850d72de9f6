/** The manifests that people apply, on the real API server: it takes every field of them, and they say what they mean. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadManifests } from '../../src/sources/manifests.ts';
import { type Cluster, connectCluster, describeOnCluster } from '../support/cluster.ts';

const root = join(import.meta.dirname, '..', '..');

describeOnCluster('manifests', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = connectCluster();
    for (const file of ['00-namespace.yaml', '10-rbac.yaml']) await cluster.kubectl(['apply', '-f', join(root, 'deploy', file)]);
  });
  afterAll(() => cluster.close());

  it('deploy/ is accepted, without a warning', async () => {
    const { code, stdout, stderr } = await cluster.kubectl(['apply', '--dry-run=server', '-k', join(root, 'deploy')]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/\(server dry run\)/g)).toHaveLength(14);
  });

  it('the Pods of deploy/ pass the restricted Pod security standard', async () => {
    const { manifests } = await loadManifests([join(root, 'deploy', '30-deployment.yaml')]);
    // biome-ignore lint/suspicious/noExplicitAny: a Deployment, which is picked apart
    const { template } = manifests.map(({ raw }) => raw as any).find(({ kind }) => kind === 'Deployment').spec;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      ...template,
      metadata: { ...template.metadata, name: 'portcullis', namespace: 'portcullis' },
    };
    const { stderr } = await cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], { input: pod });
    expect(stderr).not.toMatch(/PodSecurity/);
    const rooted = { ...pod, spec: { ...pod.spec, securityContext: {} } };
    expect((await cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], { input: rooted })).stderr).toMatch(
      /violates PodSecurity "restricted/,
    );
  });

  it('its ServiceAccount may read what the rules look at, and nothing more', async () => {
    const can = async (verb: string, resource: string): Promise<boolean> =>
      (await cluster.kubectl(['auth', 'can-i', verb, resource, '--all-namespaces'], { user: 'portcullis' })).code === 0;
    expect(await can('watch', 'services')).toBe(true);
    expect(await can('get', 'secrets')).toBe(true);
    expect(await can('list', 'secrets')).toBe(false);
    expect(await can('update', 'services')).toBe(false);
    expect(await can('create', 'pods')).toBe(false);
  });

  it('examples/cluster is accepted', async () => {
    await cluster.kubectl(['apply', '-f', join(root, 'examples', 'cluster', '00-namespaces.yaml')]);
    const { code, stderr } = await cluster.kubectl(['apply', '--dry-run=server', '-f', join(root, 'examples', 'cluster')]);
    expect(stderr).not.toMatch(/error|invalid/i);
    expect(code).toBe(0);
  });

  it('examples/broken is accepted, which is why we are needed, and so is examples/correct', async () => {
    const shop = await cluster.newNamespace('shop');
    for (const directory of ['broken', 'correct']) {
      const { code, stderr } = await cluster.kubectl(['apply', '--dry-run=server', '-n', shop, '-f', join(root, 'examples', directory)]);
      // One of them stands in kube-system by its own word, which kubectl refuses beside -n.
      const others = stderr
        .split('\n')
        .filter((line) => line !== '' && !line.includes('the namespace from the provided object "kube-system"'));
      expect(others).toEqual([]);
      expect(code).toBe(directory === 'broken' ? 1 : 0);
    }
  });
});
