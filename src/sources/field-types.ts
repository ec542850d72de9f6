/**
 * Types of the fields that rules read. The API server's decoder refuses an object at the first field of another type,
 * above all a label like `version: 1.0` or `enabled: on` without quotes; without a server, this does. It refuses fields that
 * it does not know where it is asked to be strict, as kubectl does unless told otherwise. A policy with `ingres` denies all.
 */
import { nearestWords } from '../cluster/near-miss.ts';
import { display, quoted, shorten } from '../kube/display.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { flowYaml } from '../kube/flow-yaml.ts';
import { groupOf } from '../kube/normalize.ts';
import { isObject, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { oneOf } from './rejection.ts';

type Shape =
  | 'string'
  | 'int'
  | 'bool'
  | 'intOrString'
  | { readonly mapOf: Shape }
  | { readonly listOf: Shape }
  | { readonly fields: Readonly<Record<string, Shape>>; readonly isAll?: true };

const strings: Shape = { mapOf: 'string' };
const stringList: Shape = { listOf: 'string' };
const fields = (shapes: Readonly<Record<string, Shape>>): Shape => ({ fields: shapes });
/** There are no others. */
const allFields = (shapes: Readonly<Record<string, Shape>>): Shape => ({ fields: shapes, isAll: true });

const metadata = fields({ name: 'string', generateName: 'string', namespace: 'string', labels: strings, annotations: strings });
const selector = allFields({
  matchLabels: strings,
  matchExpressions: { listOf: allFields({ key: 'string', operator: 'string', values: stringList }) },
});
const backend = fields({
  service: fields({ name: 'string', port: fields({ name: 'string', number: 'int' }) }),
  resource: fields({ kind: 'string', name: 'string' }),
});
const peers: Shape = {
  listOf: allFields({ podSelector: selector, namespaceSelector: selector, ipBlock: allFields({ cidr: 'string', except: stringList }) }),
};
const servicePorts = fields({
  name: 'string',
  protocol: 'string',
  port: 'int',
  targetPort: 'intOrString',
  nodePort: 'int',
  appProtocol: 'string',
});
const policyPorts: Shape = { listOf: allFields({ protocol: 'string', port: 'intOrString', endPort: 'int' }) };
const containers: Shape = {
  listOf: fields({
    name: 'string',
    image: 'string',
    command: stringList,
    args: stringList,
    ports: { listOf: fields({ name: 'string', containerPort: 'int', protocol: 'string', hostPort: 'int' }) },
  }),
};
const podSpec = fields({
  containers,
  initContainers: containers,
  hostNetwork: 'bool',
  dnsPolicy: 'string',
  priorityClassName: 'string',
  serviceAccountName: 'string',
  automountServiceAccountToken: 'bool',
});
const podTemplate = fields({ metadata: fields({ labels: strings, annotations: strings }), spec: podSpec });
const withTemplate = fields({ replicas: 'int', serviceName: 'string', template: podTemplate });

/** By group and kind. */
const specs: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  [
    '/Service',
    fields({
      type: 'string',
      selector: strings,
      clusterIP: 'string',
      externalName: 'string',
      externalIPs: stringList,
      internalTrafficPolicy: 'string',
      externalTrafficPolicy: 'string',
      loadBalancerClass: 'string',
      ports: { listOf: servicePorts },
    }),
  ],
  [
    'networking.k8s.io/Ingress',
    fields({
      ingressClassName: 'string',
      defaultBackend: backend,
      tls: { listOf: fields({ hosts: stringList, secretName: 'string' }) },
      rules: {
        listOf: fields({ host: 'string', http: fields({ paths: { listOf: fields({ path: 'string', pathType: 'string', backend }) } }) }),
      },
    }),
  ],
  [
    'networking.k8s.io/NetworkPolicy',
    allFields({
      podSelector: selector,
      policyTypes: stringList,
      ingress: { listOf: allFields({ from: peers, ports: policyPorts }) },
      egress: { listOf: allFields({ to: peers, ports: policyPorts }) },
    }),
  ],
  ['/Pod', podSpec],
  ['apps/Deployment', withTemplate],
  ['apps/StatefulSet', withTemplate],
  ['apps/DaemonSet', withTemplate],
  ['apps/ReplicaSet', withTemplate],
  ['/ReplicationController', withTemplate],
  ['batch/Job', withTemplate],
  ['batch/CronJob', fields({ jobTemplate: fields({ spec: withTemplate }) })],
]);

export interface Mistyped {
  readonly path: FieldPath;
  readonly message: string;
  readonly hint: string;
}

/** Fields of the object whose value has another type than the API's, and of those kinds that are wholly known, fields that there are not. */
export function mistypedFields(raw: RawObject): readonly Mistyped[] {
  const spec = specs.get(`${groupOf(stringAt(raw, 'apiVersion') ?? '')}/${stringAt(raw, 'kind') ?? ''}`);
  return [...mistyped(raw['metadata'], metadata, ['metadata']), ...(spec === undefined ? [] : mistyped(raw['spec'], spec, ['spec']))];
}

/** An absent field and null are never wrong here. */
function mistyped(value: unknown, shape: Shape, path: FieldPath): readonly Mistyped[] {
  if (value === undefined || value === null) return [];
  if (typeof shape === 'string') return scalarFits(value, shape) ? [] : [problem(value, shape, path)];
  if ('listOf' in shape) {
    if (!Array.isArray(value)) return [problem(value, 'list', path)];
    return value.flatMap((item, index) => mistyped(item, shape.listOf, [...path, index]));
  }
  if (!isObject(value)) return [problem(value, 'mapping', path)];
  const unknown = 'fields' in shape && shape.isAll ? unknownFields(value, Object.keys(shape.fields), path) : [];
  const inner = 'mapOf' in shape ? Object.keys(value).map((key) => [key, shape.mapOf] as const) : Object.entries(shape.fields);
  return [...unknown, ...inner.flatMap(([key, one]) => (Object.hasOwn(value, key) ? mistyped(value[key], one, [...path, key]) : []))];
}

/** Nobody is told to remove one: what a rule or a selector of a policy does not say, it allows to everybody. */
function unknownFields(value: RawObject, known: readonly string[], path: FieldPath): readonly Mistyped[] {
  const words = nearestWords();
  const unknown = Object.entries(value).filter(([key]) => !known.includes(key));
  const labels = known.includes('matchLabels') ? labelsAmong(unknown) : undefined;
  return unknown.map(([key, inner]) => {
    const meant = labels !== undefined && isScalar(inner) ? labels : (ofOtherDirection(key, known) ?? words(key, known) ?? oneOf(known));
    return { path: [...path, key], message: `there is no field ${quoted(key)}`, hint: `Write ${meant}.` };
  });
}

/** `from` for `to`, where that alone is known. */
const ofOtherDirection = (key: string, known: readonly string[]): string | undefined =>
  known.find((other) => (key === 'to' && other === 'from') || (key === 'from' && other === 'to'));

const longestLabels = 120;

/** Labels that stand right in a selector of a policy, as they do in that of a Service. */
function labelsAmong(unknown: readonly (readonly [string, unknown])[]): string {
  const labels = unknown.flatMap(([key, value]) => (isScalar(value) ? [[key, String(value)] as const] : []));
  const written = display(`matchLabels: ${flowYaml(Object.fromEntries(labels))}`);
  return written.length > longestLabels ? 'it below matchLabels' : written;
}

const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);

const isInt32 = (value: unknown): boolean => typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31;

function scalarFits(value: unknown, shape: Shape & string): boolean {
  switch (shape) {
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return isInt32(value);
    default:
      return typeof value === 'string' || isInt32(value);
  }
}

const names: Readonly<Record<(Shape & string) | 'list' | 'mapping', string>> = {
  string: 'a string',
  int: 'a whole number of 32 bits',
  bool: 'true or false',
  intOrString: 'a whole number or a string',
  list: 'a list',
  mapping: 'a mapping',
};

function problem(value: unknown, wanted: keyof typeof names, path: FieldPath): Mistyped {
  const found = Array.isArray(value)
    ? 'a list'
    : isObject(value)
      ? 'a mapping'
      : typeof value === 'string'
        ? quoted(value)
        : JSON.stringify(value);
  const quotable = wanted === 'string' && (typeof value === 'boolean' || typeof value === 'number');
  const hint = quotable ? 'Put the value in quotes: YAML reads it as a number or a truth value.' : `Write ${names[wanted]} here.`;
  const last = path.at(-1);
  const what = typeof last === 'string' ? shorten(last) : 'an entry of the list';
  return { path, message: `${what} must be ${names[wanted]}, not ${found}`, hint };
}
