/** Ingresses in more shapes than rule-worlds.ts gives them: what the API server lets pass and controllers make of it what they like. */
import fc from 'fast-check';
import { objectAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';

const host = fc.constantFrom(
  'shop.example',
  '*.example',
  '*.',
  '',
  'SHOP.example',
  '*.*.example',
  'xn--caf-dma.example',
  `${'a'.repeat(63)}.example`,
);
const port = fc.constantFrom<object>({ number: 80 }, { number: 0 }, { name: 'http' }, { name: 'use-annotation' }, {});
const backend = fc.oneof(
  { weight: 4, arbitrary: fc.record({ service: fc.record({ name: fc.constantFrom('web', 'wbe', 'api', ''), port }) }) },
  fc.constantFrom<object>({ resource: { apiGroup: 'k8s.example', kind: 'Bucket', name: 'assets' } }, { service: null }, {}),
);
const path = fc.constantFrom('/', '/api', '/api/', '/api/*', '/api(/|$)(.*)', '/a//b', '/%2e%2e', '', '*', `/${'a/'.repeat(400)}`);
const urlPath = fc.record(
  { path, pathType: fc.constantFrom('Prefix', 'Exact', 'ImplementationSpecific', 'prefix'), backend },
  { requiredKeys: ['backend'] },
);
const rule = fc.record(
  { host, http: fc.option(fc.record({ paths: fc.array(urlPath, { maxLength: 4 }) }), { freq: 8 }) },
  { requiredKeys: [] },
);
const tls = fc.record(
  {
    hosts: fc.option(fc.array(host, { maxLength: 3 }), { freq: 8 }),
    secretName: fc.constantFrom('web', 'api', 'wbe', 'gone', '', 'other/web'),
  },
  { requiredKeys: [] },
);

/** Fields of a `spec`: those that are drawn take the place of what is there. */
const spec = fc.record(
  {
    ingressClassName: fc.constantFrom('nginx', 'ngnix', 'edge', '', 'Nginx'),
    defaultBackend: backend,
    rules: fc.array(rule, { maxLength: 4 }),
    tls: fc.array(tls, { maxLength: 4 }),
  },
  { requiredKeys: [] },
);
const annotations = fc.dictionary(
  fc.constantFrom(
    'kubernetes.io/ingress.class',
    'nginx.ingress.kubernetes.io/use-regex',
    'nginx.ingress.kubernetes.io/canary',
    'nginx.ingress.kubernetes.io/ssl-passthrough',
    'cert-manager.io/cluster-issuer',
    'alb.ingress.kubernetes.io/group.name',
    'alb.ingress.kubernetes.io/actions.use-annotation',
  ),
  fc.constantFrom('nginx', 'true', 'false', '', '{}'),
  { maxKeys: 2 },
);

/** A third of the Ingresses changed so; other kinds stay as they are. */
export const reshaped = (objects: fc.Arbitrary<RawObject>): fc.Arbitrary<RawObject> =>
  fc.tuple(objects, fc.nat(2), spec, annotations).map(([object, dice, changes, given]) => {
    if (object['kind'] !== 'Ingress' || dice > 0) return object;
    const metadata = objectAt(object, 'metadata');
    const merged = { ...objectAt(metadata, 'annotations'), ...given };
    return { ...object, metadata: { ...metadata, annotations: merged }, spec: { ...objectAt(object, 'spec'), ...changes } };
  });
