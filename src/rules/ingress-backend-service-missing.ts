/**
 * An Ingress leads to Services of its own namespace. Where the one that it names is not there, every request to that
 * host and path is answered with 503 or 404, and some controllers drop the whole Ingress. Usually the name is misspelt,
 * or the Service stands in another namespace.
 */
import { z } from 'zod';
import { portCalled, type WantedPort } from '../cluster/chain.ts';
import { formatWanted, wantedServices } from '../cluster/ingress-services.ts';
import { nearestWord } from '../cluster/near-miss.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { shorten } from '../kube/display.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { listed } from '../kube/listed.ts';
import type { Service } from '../kube/resources.ts';

export const ingressBackendServiceMissing = defineRule({
  id: 'ingress-backend-service-missing',
  kinds: ['Ingress'],
  orderClass: 'backward',
  summary: 'Every Service that an Ingress leads to exists in its namespace',
  reads: ['Service'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    noSuchService: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      defects: ({ name }: Missing) => [name],
      text: (missing: Missing): Explanation => ({
        what: `there is no Service ${shorten(missing.name)} in ${missing.namespace}${besides(missing)}`,
        why: `Requests that this backend should answer fail.${missing.offline ? '' : ' Where the Service comes later in the same apply, this settles itself.'}`,
        fixes: fixesFor(missing),
      }),
    },
  },

  *check({ object: ingress, cluster, elsewhere, offline, finding }) {
    const { namespace } = ingress.metadata;
    const byName = Map.groupBy(wantedServices(ingress), ({ name }) => name);
    for (const [name, wanted] of byName) {
      if (cluster.get('Service', namespace, name) !== undefined) continue;
      const paths = wanted.flatMap((one) => one.paths.map((path) => [...path, 'service', 'name']));
      const services = cluster.list('Service', namespace);
      const others = (elsewhere?.those('Service', ({ metadata }) => metadata.name === name) ?? []).map(
        ({ metadata }) => metadata.namespace,
      );
      const data = { name, namespace, paths, ports: wanted.map(({ port }) => port), services, others, offline };
      yield finding('noSuchService', paths[0] as FieldPath, data);
    }
  },
});

interface Missing {
  readonly name: string;
  readonly namespace: string;
  /** The fields that name it. */
  readonly paths: readonly FieldPath[];
  /** The ports that the Ingress wants of it. */
  readonly ports: readonly WantedPort[];
  /** Those that are there. */
  readonly services: readonly Service[];
  /** Namespaces with a Service of that name. */
  readonly others: readonly string[];
  readonly offline: boolean;
}

const besides = ({ services: { length } }: Missing): string =>
  length === 0 ? ', nor any other' : `, only ${length === 1 ? 'another one' : `${length} others`}`;

function fixesFor({ name, paths, ports, services, others }: Missing): readonly [...Fix[], Fix] {
  const nearest = nearestWord(name, namesWith(ports, services));
  const rename = paths.map((path) => ({ op: 'replace', path, value: nearest }) as const);
  const there = `create it here: an Ingress leads to Services of its own namespace only, and ${shorten(name)} is in ${listed(others)}`;
  return [
    ...(nearest === undefined ? [] : [{ text: `did you mean ${nearest}?`, patch: rename }]),
    { text: others.length > 0 ? there : `create it with ${listed([...new Set(ports.map(formatWanted))])}${orAnother(services)}` },
  ];
}

const orAnother = (services: readonly Service[]): string =>
  services.length === 0 ? '' : `, or name one that is there: ${listed(services.map(({ metadata }) => metadata.name))}`;

/** Of the Services that have all ports wanted; where there is none, of all. */
function namesWith(ports: readonly WantedPort[], services: readonly Service[]): readonly string[] {
  const fitting = services.filter((service) => ports.every((port) => portCalled(port, service) !== undefined));
  return (fitting.length > 0 ? fitting : services).map(({ metadata }) => metadata.name);
}
