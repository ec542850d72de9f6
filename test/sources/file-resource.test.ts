import { describe, expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { fileSource } from '../../src/sources/file-source.ts';
import { loadManifests } from '../../src/sources/manifests.ts';

async function resourceOf(raw: RawObject) {
  const { manifests, errors } = await loadManifests(['-'], { stdin: async () => Buffer.from(JSON.stringify(raw)) });
  expect(errors).toEqual([]);
  return { resource: manifests[0]?.resource, pods: fileSource(manifests, { observedAt: 0 }).current().coverage('Pod', 'ops') };
}

const operated = (kind: string, spec: RawObject = {}) => ({
  apiVersion: 'monitoring.coreos.com/v1',
  kind,
  metadata: { name: 'main', namespace: 'ops' },
  spec,
});
const portsOf = async (raw: RawObject) => {
  const { resource } = await resourceOf(raw);
  return resource !== undefined && 'pod' in resource ? resource.pod.ports.map(({ name, containerPort }) => `${name} ${containerPort}`) : [];
};

describe('what makes Pods in files', () => {
  it('a custom kind with a Pod template where Deployments have it', async () => {
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ ports: [{ containerPort: 80 }] }] } };
    const rollout = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Rollout',
      metadata: { name: 'web', namespace: 'ops' },
      spec: { template },
    };
    expect(await resourceOf(rollout)).toMatchObject({ resource: { kind: 'Rollout', pod: { labels: { app: 'web' } } }, pods: 'complete' });
  });

  it.each([
    ['has a template of something else', { spec: { template: { spec: { secretName: 'a' } } } }],
    ['has no containers', { spec: { template: { spec: { containers: [] } } } }],
    ['has a strange template', { spec: { template: 'a' } }],
    ['has no spec', {}],
  ])('but none that %s', async (_, rest) => {
    const custom = { apiVersion: 'example.org/v1', kind: 'Thing', metadata: { name: 'a', namespace: 'ops' }, ...rest };
    expect(await resourceOf(custom)).toEqual({ resource: undefined, pods: 'notGiven' });
  });

  it('a Prometheus, whose Pods have its labels and those that the operator gives', async () => {
    const labels = { 'app.kubernetes.io/part-of': 'stack', 'app.kubernetes.io/name': 'mine' };
    const { resource } = await resourceOf(operated('Prometheus', { replicas: 2, podMetadata: { labels } }));
    expect(resource).toMatchObject({
      kind: 'Prometheus',
      metadata: { name: 'main', namespace: 'ops' },
      replicas: 2,
      pod: { labels: { prometheus: 'main', 'app.kubernetes.io/name': 'prometheus', 'app.kubernetes.io/part-of': 'stack' } },
    });
  });

  it.each<[string, RawObject, readonly string[]]>([
    ['Prometheus', {}, ['web 9090', 'reloader-web 8080']],
    ['Prometheus', { thanos: {}, portName: 'http' }, ['http 9090', 'reloader-web 8080', 'http 10902', 'grpc 10901']],
    ['Alertmanager', {}, ['web 9093', 'reloader-web 8080', 'mesh-tcp 9094', 'mesh-udp 9094']],
    ['ThanosRuler', {}, ['web 10902', 'reloader-web 8080', 'grpc 10901']],
    ['Prometheus', { listenLocal: true, containers: [{ name: 'proxy', ports: [{ name: 'https', containerPort: 9091 }] }] }, ['https 9091']],
  ])('%s with %j has the ports %j', async (kind, spec, ports) => {
    expect(await portsOf(operated(kind, spec))).toEqual(ports);
  });

  it('what an operator makes tells nothing of the other Pods of its namespace', async () => {
    expect((await resourceOf(operated('Prometheus'))).pods).toBe('notGiven');
  });

  it.each([
    ['VirtualMachine', (machine: RawObject) => ({ template: machine })],
    ['VirtualMachineInstanceReplicaSet', (machine: RawObject) => ({ template: machine })],
    ['VirtualMachineInstance', ({ spec }: RawObject) => spec as RawObject],
  ])('a %s of KubeVirt, whose labels its Pod has', async (kind, specOf) => {
    const labels = { 'kubevirt.io/domain': 'vm1' };
    const interfaces = [{ name: 'default', ports: [{ name: 'ssh', port: 22 }] }];
    const machine = { metadata: { labels }, spec: { domain: { devices: { interfaces } } } };
    const metadata = { name: 'vm1', namespace: 'ops', ...(kind === 'VirtualMachineInstance' ? { labels } : {}) };
    const raw = { apiVersion: 'kubevirt.io/v1', kind, metadata, spec: specOf(machine) };
    expect(await resourceOf(raw)).toMatchObject({
      resource: { kind, pod: { labels: { ...labels, 'vm.kubevirt.io/name': 'vm1' }, ports: [{ name: 'ssh', containerPort: 22 }] } },
      pods: 'notGiven',
    });
  });

  it('no other kind of that group', async () => {
    expect((await resourceOf(operated('ServiceMonitor'))).resource).toBeUndefined();
  });
});
