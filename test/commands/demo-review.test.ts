/** What the demo sends is what kube-apiserver 1.36.3 sent for the same manifests, as far as any rule could look. */
import { expect, it } from 'vitest';
import { admissionReview, admitted } from '../../src/commands/demo-review.ts';
import { normalize } from '../../src/kube/normalize.ts';

const service = (spec: Record<string, unknown>) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec });
// biome-ignore lint/suspicious/noExplicitAny: picked apart
const admittedService = (spec: Record<string, unknown>) => admitted(service(spec), 'shop') as any;

it('fills in what the API server defaults and allocates', () => {
  const { metadata, spec } = admittedService({ selector: { app: 'x' }, ports: [{ port: 80 }], type: 'LoadBalancer' });
  expect(metadata).toMatchObject({ name: 'web', namespace: 'shop' });
  expect(spec).toMatchObject({
    type: 'LoadBalancer',
    sessionAffinity: 'None',
    ports: [{ protocol: 'TCP', port: 80, targetPort: 80, nodePort: expect.any(Number) }],
    clusterIPs: [expect.any(String)],
  });
  expect(admittedService({ ports: [{ port: 80 }] }).spec.ports).toEqual([{ protocol: 'TCP', port: 80, targetPort: 80 }]);
});

it('tells a node port that was named from one that was allocated', () => {
  const named = admittedService({ type: 'NodePort', ports: [{ port: 80, nodePort: 30017 }] });
  expect(named.metadata.managedFields[0].fieldsV1['f:spec']['f:ports']).toEqual({
    'k:{"port":80,"protocol":"TCP"}': { 'f:port': {}, 'f:nodePort': {} },
  });
  expect(normalize(named)).toMatchObject({ spec: { ports: [{ nodePort: 30017, nodePortNamed: true }] } });
  const allocated = admittedService({ type: 'NodePort', ports: [{ port: 80 }] });
  expect(normalize(allocated)).toMatchObject({ spec: { ports: [{ nodePortNamed: false }] } });
});

it('defaults the types and the protocols of a policy', () => {
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'p' },
    spec: { podSelector: {}, egress: [{ ports: [{ port: 53 }] }] },
  };
  expect(admitted(policy, 'shop')['spec']).toEqual({
    podSelector: {},
    policyTypes: ['Ingress', 'Egress'],
    egress: [{ ports: [{ protocol: 'TCP', port: 53 }] }],
  });
});

it.each([
  ['CREATE', undefined, {}],
  ['UPDATE', {}, {}],
  ['DELETE', {}, undefined],
] as const)('sends objects of a %s where the API server does', (operation, before, after) => {
  const object = admitted(service({ ports: [{ port: 80 }] }), 'shop');
  const review = admissionReview({ operation, before: before && object, after: after && object, dryRun: true });
  expect(review).toMatchObject({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      operation,
      name: 'web',
      namespace: 'shop',
      dryRun: true,
      kind: { group: '', version: 'v1', kind: 'Service' },
      resource: { group: '', version: 'v1', resource: 'services' },
      object: after === undefined ? null : object,
      oldObject: before === undefined ? null : object,
    },
  });
});
