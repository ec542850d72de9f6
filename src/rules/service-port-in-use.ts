/**
 * An Ingress names a port of a Service by its name or its number. An update that removes that port, or calls it otherwise,
 * breaks each route that still uses the old name or number: its requests find no backend from then on.
 */
import { z } from 'zod';
import { portCalled, type Route } from '../cluster/chain.ts';
import { areKeptTogether, keeperAnnotations } from '../cluster/managed-together.ts';
import { formatUses, type Uses, usesBy } from '../cluster/referrers.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { refOf, type Service, type ServicePort } from '../kube/resources.ts';

export const servicePortInUse = defineRule({
  id: 'service-port-in-use',
  kinds: ['Service'],
  orderClass: 'destructive',
  summary: 'An update of a Service keeps the ports that Ingresses name',
  reads: ['Ingress'],
  since: '0.1.0',
  options: z.strictObject({}),
  annotations: () => keeperAnnotations,

  messages: {
    stillNamed: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      defects: ({ wanted }: Lost) => [wanted],
      text: (lost: Lost): Explanation => ({
        what: `port ${lost.wanted}, named by ${formatUses(lost.uses)}, ${fateOf(lost)}`,
        why: 'Requests on these routes find no backend from now on: most Ingress controllers answer them with 503.',
        fixes: fixesOf(lost),
      }),
    },
    /** `helm upgrade` writes Services first: the Ingress follows, if the chart was changed on both sides. */
    namedBySameKeeper: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      defects: ({ wanted }: Lost) => [wanted],
      text: (lost: Lost): Explanation => ({
        what: `port ${lost.wanted}, named by ${formatUses(lost.uses)} of the same release or controller, ${fateOf(lost)}`,
        why: 'Until the Ingress is written too, requests on these routes find no backend.',
        fixes: fixesOf(lost),
      }),
    },
  },

  *check({ object: service, before, cluster, finding }) {
    const { namespace, name } = service.metadata;
    const earlier = before?.().get('Service', namespace, name);
    if (earlier === undefined || service.spec.type === 'ExternalName') return;
    const kept = new Set(service.spec.ports.map(callOf));
    const lost = new Set(earlier.spec.ports.filter((port) => !kept.has(callOf(port))));
    if (lost.size === 0) return;
    const lostBy = ({ backend }: Route): ServicePort | undefined => {
      const old = backend.service && portCalled(backend.service.port, earlier);
      return backend.service && old && lost.has(old) && portCalled(backend.service.port, service) === undefined ? old : undefined;
    };
    for (const isKept of [false, true]) {
      const usesOfPort = usesBy(service, cluster, (route, ingress) => {
        const old = lostBy(route);
        return old !== undefined && areKeptTogether(service, ingress) === isKept ? old : undefined;
      });
      for (const old of lost) {
        const uses = usesOfPort.get(old);
        if (uses === undefined) continue;
        const data = { old, wanted: wantedIn(uses), ...successorOf(old, service), uses };
        const related = uses.ingresses.slice(0, mostRelated).map(({ ingress }) => refOf(ingress));
        yield finding(isKept ? 'namedBySameKeeper' : 'stillNamed', pathOf(data), data, related);
      }
    }
  },
});

/** A port with the same is the same to an Ingress. */
const callOf = ({ name, port }: ServicePort): string => `${port} ${name ?? ''}`;

interface Lost {
  /** The port as it was. */
  readonly old: ServicePort;
  /** How the first of the Ingresses calls it: `http`, `80`. */
  readonly wanted: string;
  /** The port that has its number or its name now, and where it stands. */
  readonly successor: ServicePort | undefined;
  readonly index: number;
  readonly uses: Uses;
}

/** Of more the text gives a number. */
const mostRelated = 10;

function wantedIn({ ingresses: [use] }: Uses): string {
  const port = use?.routes[0].backend.service?.port;
  return String(port?.name ?? port?.number);
}

function successorOf(old: ServicePort, { spec }: Service): Pick<Lost, 'successor' | 'index'> {
  const index = spec.ports.findIndex(
    ({ name, port, protocol }) => protocol === old.protocol && (port === old.port || (name !== undefined && name === old.name)),
  );
  return { successor: spec.ports[index], index };
}

/** The field that calls the port otherwise now; of a port that is gone, the list in which it was. */
function pathOf({ old, successor, index }: Lost): FieldPath {
  if (successor === undefined) return ['spec', 'ports'];
  return ['spec', 'ports', index, successor.port === old.port ? 'name' : 'port'];
}

function fateOf({ old, successor }: Lost): string {
  if (successor === undefined) return 'is removed';
  if (successor.port !== old.port) return `is ${successor.port} now`;
  return successor.name === undefined ? 'has no name now' : `is called ${successor.name} now`;
}

function fixesOf(lost: Lost): readonly [...Fix[], Fix] {
  const { old, wanted, successor } = lost;
  const later: Fix = { text: `keep port ${wanted} until the Ingress names another one` };
  if (successor === undefined) return [later];
  const value = successor.port === old.port ? old.name : old.port;
  const patch: Fix['patch'] = value === undefined ? [{ op: 'remove', path: pathOf(lost) }] : [{ op: 'replace', path: pathOf(lost), value }];
  return [{ text: value === undefined ? later.text : `keep ${value} until the Ingress names the other one`, patch }, later];
}
