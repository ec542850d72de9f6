/**
 * An Ingress names a port of a Service by its number or by its name in `spec.ports`, never by targetPort, and never by
 * the name that a container gave it. Where the Service has no such port, controllers have nothing to forward to and
 * answer every request to that host and path with 503.
 */
import { z } from 'zod';
import { portCalled, type WantedPort } from '../cluster/chain.ts';
import { formatWanted, wantedServices } from '../cluster/ingress-services.ts';
import { isCertainTypo, type nearestWord, nearestWords } from '../cluster/near-miss.ts';
import { type Explanation, editTowards, type Fix, type PatchOperation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { shorten } from '../kube/display.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { listed } from '../kube/listed.ts';
import { onceFor } from '../kube/once-for.ts';
import { refOf, type Service, type ServicePort } from '../kube/resources.ts';

export const ingressBackendPortMissing = defineRule({
  id: 'ingress-backend-port-missing',
  kinds: ['Ingress'],
  orderClass: 'backward',
  summary: 'Every Service that an Ingress leads to has the port that it names',
  reads: ['Service'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    noSuchPort: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      defects: defectsOf,
      isEvident: () => true, // the Service is there
      text: (missing: Missing): Explanation => ({
        what: whatOf(missing),
        why: 'Controllers find nothing to forward to, so requests that this backend should answer fail.',
        fixes: fixesFor(missing),
      }),
    },
    /** The number on which the container listens, or the name that it gave its port. */
    targetPortNamed: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      defects: defectsOf,
      isEvident: () => true, // the Service is there
      text: (missing: Missing): Explanation => ({
        what: `${whatOf(missing)}; ${missing.port.name ?? missing.port.number} is the targetPort of ${missing.meant?.port}`,
        why: 'An Ingress names the port of the Service; where that leads is for the Service to say.',
        fixes: fixesFor(missing),
      }),
    },
  },

  *check({ object: ingress, cluster, finding }) {
    const { namespace } = ingress.metadata;
    const nearest = nearestWords();
    for (const { name, port, paths } of wantedServices(ingress)) {
      const service = cluster.get('Service', namespace, name);
      // ingress-backend-service-missing says that it is not there. Of an external name, any number will do.
      if (service === undefined || service.spec.type === 'ExternalName' || portCalled(port, service) !== undefined) continue;
      const behind = service.spec.ports.filter(({ targetPort }) => targetPort === (port.name ?? port.number));
      const meant = behind.length === 1 ? behind[0] : probablyMeant(port, service, nearest);
      const path = [...paths[0], 'service', 'port', port.name === undefined ? 'number' : 'name'];
      const data = { port, service, meant, isCertain: behind.length === 1 || isTypo(port, meant, service), paths };
      yield finding(behind.length === 1 ? 'targetPortNamed' : 'noSuchPort', path, data, [refOf(service)]);
    }
  },
});

interface Missing {
  readonly port: WantedPort;
  readonly service: Service;
  /** The port of the Service that the Ingress should have named. */
  readonly meant: ServicePort | undefined;
  readonly isCertain: boolean;
  /** Of the backends that name this one. */
  readonly paths: readonly FieldPath[];
}

function defectsOf({ port, service }: Missing): readonly string[] {
  return [`${service.metadata.name}:${port.name ?? port.number}`];
}

function whatOf({ port, service: { metadata, spec } }: Missing): string {
  const has = spec.ports.length === 0 ? 'no ports' : listed(portTitles(spec.ports));
  return `Service ${shorten(metadata.name)} has no ${formatWanted(port)}; it has ${has}`;
}

/** Once for a list: as many ports may be missing as there are others. */
const namesOf = onceFor((ports: readonly ServicePort[]) => ports.flatMap(({ name }) => name ?? []));
const portTitles = onceFor((ports: readonly ServicePort[]) => ports.map(formatServicePort));

const formatServicePort = ({ name, port }: ServicePort): string => (name === undefined ? String(port) : `${name} (${port})`);

/** The name that looks alike, or the only port that there is. */
function probablyMeant({ name }: WantedPort, { spec: { ports } }: Service, nearest: typeof nearestWord): ServicePort | undefined {
  const alike = name === undefined ? undefined : nearest(name, namesOf(ports));
  if (alike !== undefined) return ports.find((port) => port.name === alike);
  return ports.length === 1 ? ports[0] : undefined;
}

const isTypo = ({ name }: WantedPort, meant: ServicePort | undefined, { spec: { ports } }: Service): boolean =>
  name !== undefined && meant?.name !== undefined && isCertainTypo(name, meant.name, namesOf(ports));

/** By name where the Ingress gave a name and there is one, else by number. */
function fixesFor({ port, service, meant, isCertain, paths }: Missing): readonly [...Fix[], Fix] {
  const last = { text: `name a port that the Service has, or add ${formatWanted(port)} to Service ${shorten(service.metadata.name)}` };
  if (meant === undefined) return [last];
  const byName = port.name !== undefined && meant.name !== undefined;
  const value = byName ? { name: meant.name } : { number: meant.port };
  const edit = paths.map((path): PatchOperation => ({ op: 'replace', path: [...path, 'service', 'port'], value }));
  return [{ text: `use port.${byName ? `name ${meant.name}` : `number ${meant.port}`}`, ...editTowards(isCertain, edit) }, last];
}
