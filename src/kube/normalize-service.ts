import { labelsOf } from './labels.ts';
import { booleanAt, given, isObject, numberAt, objectAt, objectsAt, stringAt, stringsAt } from './read.ts';
import type { ObjectMeta, Protocol, RawObject, Service, ServicePort } from './resources.ts';

const types = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const;

export function normalizeService(raw: RawObject, metadata: ObjectMeta): Service {
  const spec = objectAt(raw, 'spec');
  const clusterIP = stringAt(spec, 'clusterIP');
  const clusterIPs = stringsAt(spec, 'clusterIPs');
  const claims = nodePortClaims(raw);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: {
      type: types.find((type) => type === spec['type']) ?? 'ClusterIP',
      selector: labelsOf(spec['selector']),
      ports: objectsAt(spec, 'ports').map((port) => portOf(port, claims)),
      clusterIPs: clusterIPs.length > 0 || !clusterIP ? clusterIPs : [clusterIP],
      ...given('externalName', stringAt(spec, 'externalName')),
      publishNotReadyAddresses: booleanAt(spec, 'publishNotReadyAddresses'),
      ...given('externalIPs', someOf(stringsAt(spec, 'externalIPs'))),
      ...given('internalTrafficPolicy', localIn(spec, 'internalTrafficPolicy')),
      ...given('externalTrafficPolicy', localIn(spec, 'externalTrafficPolicy')),
      ...given('loadBalancerClass', stringAt(spec, 'loadBalancerClass') || undefined),
    },
    ...given('status', statusOf(raw)),
  };
}

const localIn = (spec: RawObject, key: string): 'Local' | undefined => (stringAt(spec, key) === 'Local' ? 'Local' : undefined);

const someOf = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

/** A load balancer with a name instead of an address is one too. */
function statusOf(raw: RawObject): Service['status'] {
  const balancers = someOf(objectsAt(objectAt(objectAt(raw, 'status'), 'loadBalancer'), 'ingress'));
  return balancers && { loadBalancer: { ingress: balancers.map((entry) => given('ip', stringAt(entry, 'ip'))) } };
}

/** targetPort 0 or "" is `port`, a missing protocol TCP (SetDefaults_Service). */
function portOf(raw: RawObject, claims: Claims | undefined): ServicePort {
  const port = numberAt(raw, 'port') ?? 0;
  const protocol = protocolOf(raw);
  const nodePort = numberAt(raw, 'nodePort') || undefined;
  const owners = claims && (claims.get(claimKey(port, protocol)) ?? []).join();
  return {
    ...given('name', stringAt(raw, 'name') || undefined),
    protocol,
    port,
    targetPort: stringAt(raw, 'targetPort') || numberAt(raw, 'targetPort') || port,
    ...given('nodePort', nodePort),
    ...given('nodePortNamed', nodePort === undefined ? undefined : owners !== ''),
    ...given('nodePortOwners', owners || undefined),
    ...given('appProtocol', stringAt(raw, 'appProtocol')),
  };
}

export function protocolOf(raw: RawObject): Protocol {
  const protocol = stringAt(raw, 'protocol');
  return protocol === 'UDP' || protocol === 'SCTP' ? protocol : 'TCP';
}

/** By port and protocol, the managers that own its nodePort. */
type Claims = ReadonlyMap<string, readonly string[]>;

const claimKey = (port: unknown, protocol: unknown): string => `${port}/${protocol}`;

/**
 * Who owns which port's nodePort. One that the API server allocated stands in nobody's managedFields (measured on 1.36.3).
 * Undefined without managedFields, as in a file: there, whoever wrote the object wrote the number. Read once for all ports: a
 * Service that can be stored has 10,000 of them, and each manager as many again.
 */
function nodePortClaims(service: RawObject): Claims | undefined {
  const managers = objectsAt(objectAt(service, 'metadata'), 'managedFields');
  if (managers.length === 0) return undefined;
  const claims = new Map<string, string[]>();
  for (const entry of managers) {
    const owner = `${stringAt(entry, 'manager') ?? ''} ${stringAt(entry, 'operation') ?? ''}`;
    const ports = objectAt(objectAt(objectAt(entry, 'fieldsV1'), 'f:spec'), 'f:ports');
    for (const key of new Set(Object.entries(ports).map(claimOf))) {
      if (key === undefined) continue;
      const owners = claims.get(key);
      if (owners === undefined) claims.set(key, [owner]);
      else owners.push(owner);
    }
  }
  return claims;
}

/** `k:{"port":80,"protocol":"TCP"}` with `f:nodePort` below it. */
function claimOf([key, fields]: readonly [string, unknown]): string | undefined {
  if (!key.startsWith('k:') || !isObject(fields) || !Object.hasOwn(fields, 'f:nodePort')) return undefined;
  const item: unknown = parsed(key.slice('k:'.length));
  return isObject(item) ? claimKey(item['port'], item['protocol'] ?? 'TCP') : undefined;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
