import { labelsOf } from './labels.ts';
import { booleanAt, given, isObject, numberAt, objectAt, objectsAt, stringAt, stringsAt } from './read.ts';
import type { ObjectMeta, Protocol, RawObject, Service, ServicePort } from './resources.ts';

const types = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const;

export function normalizeService(raw: RawObject, metadata: ObjectMeta): Service {
  const spec = objectAt(raw, 'spec');
  const clusterIP = stringAt(spec, 'clusterIP');
  const clusterIPs = stringsAt(spec, 'clusterIPs');
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: {
      type: types.find((type) => type === spec['type']) ?? 'ClusterIP',
      selector: labelsOf(spec['selector']),
      ports: objectsAt(spec, 'ports').map((port) => portOf(port, raw)),
      clusterIPs: clusterIPs.length > 0 || !clusterIP ? clusterIPs : [clusterIP],
      ...given('externalName', stringAt(spec, 'externalName')),
      publishNotReadyAddresses: booleanAt(spec, 'publishNotReadyAddresses'),
    },
  };
}

/** targetPort 0 or "" is `port`, a missing protocol TCP (SetDefaults_Service). */
function portOf(raw: RawObject, service: RawObject): ServicePort {
  const port = numberAt(raw, 'port') ?? 0;
  const protocol = protocolOf(raw);
  const nodePort = numberAt(raw, 'nodePort') || undefined;
  const owners = nodePortOwners(service, port, protocol);
  return {
    ...given('name', stringAt(raw, 'name') || undefined),
    protocol,
    port,
    targetPort: stringAt(raw, 'targetPort') || numberAt(raw, 'targetPort') || port,
    ...given('nodePort', nodePort),
    ...given('nodePortNamed', nodePort === undefined ? undefined : owners !== ''),
    ...given('nodePortOwners', owners || undefined),
  };
}

export function protocolOf(raw: RawObject): Protocol {
  const protocol = stringAt(raw, 'protocol');
  return protocol === 'UDP' || protocol === 'SCTP' ? protocol : 'TCP';
}

/**
 * Who owns the port's nodePort. One that the API server allocated stands in nobody's managedFields (measured on 1.36.3).
 * Undefined without managedFields, as in a file: there, whoever wrote the object wrote the number.
 */
function nodePortOwners(service: RawObject, port: number, protocol: Protocol): string | undefined {
  const managers = objectsAt(objectAt(service, 'metadata'), 'managedFields');
  if (managers.length === 0) return undefined;
  const owners = managers.filter((entry) => {
    const ports = objectAt(objectAt(objectAt(entry, 'fieldsV1'), 'f:spec'), 'f:ports');
    return Object.entries(ports).some(([key, fields]) => {
      if (!key.startsWith('k:') || !isObject(fields) || !Object.hasOwn(fields, 'f:nodePort')) return false;
      const item: unknown = parsed(key.slice('k:'.length));
      return isObject(item) && item['port'] === port && (item['protocol'] ?? 'TCP') === protocol;
    });
  });
  return owners.map((entry) => `${stringAt(entry, 'manager') ?? ''} ${stringAt(entry, 'operation') ?? ''}`).join();
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
