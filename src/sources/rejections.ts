/**
 * What the API server itself refuses, so that files are not judged by rules that take it for granted. Not a validator:
 * only what decides how a Service, an Ingress or a NetworkPolicy is understood (Kubernetes v1.36.3:
 * pkg/apis/core/validation and pkg/apis/networking/validation).
 */
import { classAnnotation } from '../cluster/ingress-controllers.ts';
import { shorten } from '../kube/display.ts';
import { isDnsHost, isDnsLabel, isSloppyIPv4 } from '../kube/dns-name.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { groupOf } from '../kube/normalize.ts';
import { isObject, numberAt, objectAt, objectsAt, stringAt, stringsAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { mistypedFields } from './field-types.ts';
import { policyRejections } from './policy-rejections.ts';
import {
  cited,
  dnsName,
  oneOf,
  portName,
  portNumber,
  portNumberOrName,
  protocol,
  protocolOf,
  type Rejection,
  rejection,
} from './rejection.ts';
import { kindRejections } from './served-kinds.ts';

/** Why the API server would refuse to store the object; nothing for a kind that no rule judges, its types apart. */
export function rejectionsOf(raw: RawObject): readonly Rejection[] {
  const misplaced = kindRejections(raw);
  if (misplaced.length > 0) return misplaced;
  const mistyped = mistypedFields(raw);
  if (mistyped.length > 0) return mistyped; // its decoder stops there too
  return [...metadataRejections(raw), ...specRejections(raw)];
}

function metadataRejections(raw: RawObject): readonly Rejection[] {
  const metadata = objectAt(raw, 'metadata');
  if (stringAt(metadata, 'name') || stringAt(metadata, 'generateName')) return [];
  return [rejection(['metadata', 'name'], 'it has no name', 'Give it a metadata.name.')];
}

function specRejections(raw: RawObject): readonly Rejection[] {
  const spec = objectAt(raw, 'spec');
  switch (`${groupOf(stringAt(raw, 'apiVersion') ?? '')}/${stringAt(raw, 'kind') ?? ''}`) {
    case '/Service':
      return serviceRejections(spec);
    case 'networking.k8s.io/Ingress':
      return [...ingressMetadataRejections(objectAt(raw, 'metadata'), spec), ...ingressRejections(spec)];
    case 'networking.k8s.io/NetworkPolicy':
      return policyRejections(raw);
    default:
      return [];
  }
}

const serviceTypes = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];

function serviceRejections(spec: RawObject): readonly Rejection[] {
  const type = stringAt(spec, 'type') || 'ClusterIP';
  const ports = objectsAt(spec, 'ports');
  const found: Rejection[] = [];
  if (!serviceTypes.includes(type))
    found.push(rejection(['spec', 'type'], `there is no type ${cited(type)}`, `Use ${oneOf(serviceTypes)}.`));
  if (type === 'ExternalName' && !stringAt(spec, 'externalName'))
    found.push(rejection(['spec', 'externalName'], 'its type ExternalName needs an externalName', 'Name the host.'));
  if (ports.length === 0 && type !== 'ExternalName' && stringAt(spec, 'clusterIP') !== 'None')
    found.push(rejection(['spec', 'ports'], 'it has no ports', 'Give it a port, or clusterIP: None.'));
  return [...found, ...ports.flatMap((port, index) => servicePortRejections(port, index, ports, type))];
}

function servicePortRejections(port: RawObject, index: number, ports: readonly RawObject[], type: string): readonly Rejection[] {
  const at = (field: string): FieldPath => ['spec', 'ports', index, field];
  const earlier = ports.slice(0, index);
  const name = stringAt(port, 'name') || undefined;
  const found: Rejection[] = [...portNumber(at('port'), numberAt(port, 'port')), ...protocol(at('protocol'), port)];
  if (name === undefined && ports.length > 1)
    found.push(rejection(at('name'), 'each of several ports needs a name', 'Name it after what it serves: http.'));
  if (name !== undefined && earlier.some((other) => other['name'] === name))
    found.push(rejection(at('name'), `two ports are called ${cited(name)}`, 'Give each its own name.'));
  if (earlier.some((other) => other['port'] === port['port'] && protocolOf(other) === protocolOf(port)))
    found.push(rejection(at('port'), `two ports have the number ${String(port['port'])}/${protocolOf(port)}`, 'Remove one.'));
  if (numberAt(port, 'nodePort') && type !== 'NodePort' && type !== 'LoadBalancer')
    found.push(rejection(at('nodePort'), `a Service of type ${type} has no nodePort`, 'Remove it, or set type: NodePort.'));
  return [...found, ...portNumberOrName(at('targetPort'), port['targetPort'])];
}

function ingressRejections(spec: RawObject): readonly Rejection[] {
  const rules = objectsAt(spec, 'rules');
  const found = isObject(spec['defaultBackend']) ? backendRejections(['spec', 'defaultBackend'], spec['defaultBackend']) : [];
  if (rules.length === 0 && !isObject(spec['defaultBackend']))
    return [rejection(['spec'], 'it has neither rules nor a defaultBackend', 'Give it a rule.')];
  return [...found, ...rules.flatMap(ruleRejections), ...objectsAt(spec, 'tls').flatMap(tlsRejections)];
}

/** ValidateIngressCreate; what the name may be, ValidateIngressName says. */
function ingressMetadataRejections(metadata: RawObject, spec: RawObject): readonly Rejection[] {
  const name = stringAt(metadata, 'name') ?? '';
  const ofAnnotation = stringAt(objectAt(metadata, 'annotations'), classAnnotation);
  const ofSpec = stringAt(spec, 'ingressClassName');
  const found = name === '' ? [] : dnsName(['metadata', 'name'], name);
  if (ofSpec === undefined) return found;
  const classFound = dnsName(['spec', 'ingressClassName'], ofSpec);
  if (ofAnnotation === undefined || ofAnnotation === ofSpec) return [...found, ...classFound];
  const differs = `its annotation names class ${cited(ofAnnotation)}, and its ingressClassName ${cited(ofSpec)}`;
  return [...found, ...classFound, rejection(['metadata', 'annotations', classAnnotation], differs, 'Remove the annotation.')];
}

function ruleRejections(rule: RawObject, index: number): readonly Rejection[] {
  const host = stringAt(rule, 'host') ?? '';
  const at: FieldPath = ['spec', 'rules', index, 'http', 'paths'];
  const found = host === '' ? [] : ruleHost(['spec', 'rules', index, 'host'], host);
  if (!isObject(rule['http'])) return found;
  const paths = objectsAt(rule['http'], 'paths');
  if (paths.length === 0) return [...found, rejection(at, 'a rule with http has no paths', 'Give it a path.')];
  return [...found, ...paths.flatMap((path, place) => pathRejections([...at, place], path))];
}

const ruleHost = (path: FieldPath, host: string): readonly Rejection[] =>
  isSloppyIPv4(host)
    ? [rejection(path, `the host ${host} is an address`, 'Name the host, or leave it out for all hosts.')]
    : dnsHost(path, host);

function tlsRejections(entry: RawObject, index: number): readonly Rejection[] {
  const at: FieldPath = ['spec', 'tls', index];
  const secret = stringAt(entry, 'secretName') ?? '';
  return [
    ...stringsAt(entry, 'hosts').flatMap((host, place) => dnsHost([...at, 'hosts', place], host)),
    ...(secret === '' ? [] : dnsName([...at, 'secretName'], secret)),
  ];
}

const dnsHost = (path: FieldPath, host: string): readonly Rejection[] =>
  isDnsHost(host)
    ? []
    : [rejection(path, `${cited(host)} is no name of a host`, 'Use a-z, 0-9, - and . between them; *. may stand before it.')];

const pathTypes = ['Exact', 'Prefix', 'ImplementationSpecific'];

function pathRejections(at: FieldPath, raw: RawObject): readonly Rejection[] {
  const type = stringAt(raw, 'pathType');
  const path = stringAt(raw, 'path') ?? '';
  const found: Rejection[] = [];
  if (type === undefined) return [rejection([...at, 'pathType'], 'a path has no pathType', 'Write pathType: Prefix.')];
  if (!pathTypes.includes(type))
    found.push(rejection([...at, 'pathType'], `there is no pathType ${cited(type)}`, `Use ${oneOf(pathTypes)}.`));
  if (!path.startsWith('/') && (path !== '' || type !== 'ImplementationSpecific'))
    found.push(rejection([...at, 'path'], `the path ${cited(path)} does not begin with /`, `Write ${shorten(`/${path}`)}.`));
  const refused = type === 'ImplementationSpecific' ? undefined : refusedIn(path);
  if (refused !== undefined) found.push(rejection([...at, 'path'], `the path ${cited(path)} contains ${refused}`, 'Write it without.'));
  return [...found, ...backendRejections([...at, 'backend'], objectAt(raw, 'backend'))];
}

/** invalidPathSequences and invalidPathSuffixes. */
const refusedIn = (path: string): string | undefined =>
  ['//', '/./', '/../', '%2f', '%2F'].find((sequence) => path.includes(sequence)) ?? ['/..', '/.'].find((suffix) => path.endsWith(suffix));

function backendRejections(at: FieldPath, backend: RawObject): readonly Rejection[] {
  const { service, resource } = backend;
  if (isObject(service) === isObject(resource))
    return [rejection(at, 'a backend needs either a service or a resource', 'Write service: { name: …, port: { number: … } }.')];
  if (!isObject(service)) return [];
  const port = objectAt(service, 'port');
  const name = stringAt(port, 'name') || undefined;
  const number = numberAt(port, 'number') || undefined;
  const called = stringAt(service, 'name') ?? '';
  if (called === '') return [rejection([...at, 'service', 'name'], 'a backend names no Service', 'Name it.')];
  if (!isDnsLabel(called))
    return [rejection([...at, 'service', 'name'], `${cited(called)} is no name of a Service`, 'Use at most 63 of a-z, 0-9 and -.')];
  if ((name === undefined) === (number === undefined))
    return [rejection([...at, 'service', 'port'], 'a backend needs either the name or the number of a port', 'Give one of them.')];
  return name === undefined ? portNumber([...at, 'service', 'port', 'number'], number) : portName([...at, 'service', 'port', 'name'], name);
}
