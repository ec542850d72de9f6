import { everything, labelsOf, noLabels } from './labels.ts';
import { protocolOf } from './normalize-service.ts';
import { omissionsOf } from './policy-omissions.ts';
import type { NetworkPolicyPeer, NetworkPolicyPort } from './policy-parts.ts';
import { given, isObject, numberAt, objectAt, objectsAt, stringAt, stringsAt, textsAt } from './read.ts';
import type { Ingress, IngressBackend, IngressClass, LabelSelector, NetworkPolicy, ObjectMeta, RawObject } from './resources.ts';

export function normalizeIngress(raw: RawObject, metadata: ObjectMeta): Ingress {
  const spec = objectAt(raw, 'spec');
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata,
    spec: {
      ...given('ingressClassName', stringAt(spec, 'ingressClassName')),
      ...given('defaultBackend', isObject(spec['defaultBackend']) ? backendOf(spec['defaultBackend']) : undefined),
      tls: objectsAt(spec, 'tls').map((tls) => ({
        hosts: stringsAt(tls, 'hosts'),
        ...given('secretName', stringAt(tls, 'secretName') || undefined),
      })),
      rules: objectsAt(spec, 'rules').map((rule) => ({
        ...given('host', stringAt(rule, 'host') || undefined),
        ...given('http', isObject(rule['http']) ? { paths: objectsAt(rule['http'], 'paths').map(pathOf) } : undefined),
      })),
    },
  };
}

const pathOf = (raw: RawObject) => ({
  ...given('path', stringAt(raw, 'path')),
  pathType: stringAt(raw, 'pathType') ?? '',
  backend: backendOf(objectAt(raw, 'backend')),
});

function backendOf(raw: RawObject): IngressBackend {
  const { service, resource } = raw;
  if (isObject(service)) {
    const port = objectAt(service, 'port');
    return {
      service: {
        name: stringAt(service, 'name') ?? '',
        port: { ...given('name', stringAt(port, 'name')), ...given('number', numberAt(port, 'number')) },
      },
    };
  }
  return isObject(resource) ? { resource: { kind: stringAt(resource, 'kind') ?? '', name: stringAt(resource, 'name') ?? '' } } : {};
}

const defaultClassAnnotation = 'ingressclass.kubernetes.io/is-default-class';

export const normalizeIngressClass = (raw: RawObject, metadata: ObjectMeta): IngressClass => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { ...metadata, namespace: '' },
  spec: { controller: stringAt(objectAt(raw, 'spec'), 'controller') ?? '' },
  isDefault: metadata.annotations[defaultClassAnnotation] === 'true',
});

/** policyTypes absent: Ingress always, Egress only if there are egress rules (SetDefaults_NetworkPolicy). */
export function normalizeNetworkPolicy(raw: RawObject, metadata: ObjectMeta): NetworkPolicy {
  const spec = objectAt(raw, 'spec');
  const ingress = objectsAt(spec, 'ingress');
  const egress = objectsAt(spec, 'egress');
  const policyTypes = stringsAt(spec, 'policyTypes');
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata,
    ...given('omits', omissionsOf(spec)),
    spec: {
      podSelector: selectorOf(objectAt(spec, 'podSelector')),
      policyTypes: policyTypes.length > 0 ? policyTypes : ['Ingress', ...(egress.length > 0 ? ['Egress'] : [])],
      ingress: ingress.map((rule) => ruleOf('from', peersAt(rule, 'from'), portsOf(rule))),
      egress: egress.map((rule) => ruleOf('to', peersAt(rule, 'to'), portsOf(rule))),
    },
  };
}

const everyFlow = Object.freeze({});

/** Equal ones are one object where a policy may hold very many of them: 700,000 empty rules can be stored. */
function ruleOf<K extends 'from' | 'to'>(
  key: K,
  peers: readonly NetworkPolicyPeer[] | undefined,
  ports: readonly NetworkPolicyPort[] | undefined,
) {
  if (peers === undefined && ports === undefined) return everyFlow;
  return { ...given(key, peers), ...given('ports', ports) };
}

const atLeastOne = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined);

const portsOf = (rule: RawObject): readonly NetworkPolicyPort[] | undefined =>
  atLeastOne(
    objectsAt(rule, 'ports').map((port) => ({
      protocol: protocolOf(port),
      ...given('port', stringAt(port, 'port') ?? numberAt(port, 'port')),
      ...given('endPort', numberAt(port, 'endPort')),
    })),
  );

const peersAt = (rule: RawObject, key: string): readonly NetworkPolicyPeer[] | undefined =>
  atLeastOne(
    objectsAt(rule, key).map((peer) => {
      const { podSelector, namespaceSelector, ipBlock } = peer;
      return {
        ...given('podSelector', isObject(podSelector) ? selectorOf(podSelector) : undefined),
        ...given('namespaceSelector', isObject(namespaceSelector) ? selectorOf(namespaceSelector) : undefined),
        ...given(
          'ipBlock',
          isObject(ipBlock) ? { cidr: stringAt(ipBlock, 'cidr') ?? '', except: stringsAt(ipBlock, 'except') } : undefined,
        ),
      };
    }),
  );

export function selectorOf(raw: RawObject): LabelSelector {
  const matchLabels = labelsOf(raw['matchLabels']);
  const matchExpressions = objectsAt(raw, 'matchExpressions').map((one) => ({
    key: stringAt(one, 'key') ?? '',
    operator: stringAt(one, 'operator') ?? '',
    values: textsAt(one, 'values'),
  }));
  return matchLabels === noLabels && matchExpressions.length === 0 ? everything : { matchLabels, matchExpressions };
}
