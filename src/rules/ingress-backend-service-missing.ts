/**
 * An Ingress leads to Services of its own namespace. Where the one that it names is not there, every request to that
 * host and path is answered with 503 or 404, and some controllers drop the whole Ingress. Usually the name is misspelt,
 * or the Service stands in another namespace.
 */
import { z } from 'zod';
import { portCalled, type WantedPort } from '../cluster/chain.ts';
import { formatWanted, wantedServices } from '../cluster/ingress-services.ts';
import { isCertainTypo, type nearestWord, nearestWords } from '../cluster/near-miss.ts';
import { type Explanation, editTowards, type Fix } from '../engine/finding.ts';
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
      isEvident: (missing: Missing) => missing.others.length > 0 || fixesFor(missing).some(({ patch }) => patch !== undefined),
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
    const missing = new Map([...byName].filter(([name]) => cluster.get('Service', namespace, name) === undefined));
    if (missing.size === 0) return;
    const services = cluster.list('Service', namespace);
    const names = services.map(({ metadata }) => metadata.name);
    const fitting = fittingNames(services, names);
    // Gone through once for all names: there may be thousands of both.
    const elsewhereByName = Map.groupBy(
      elsewhere?.those('Service', ({ metadata }) => missing.has(metadata.name)) ?? [],
      ({ metadata }) => metadata.name,
    );
    const nearest = nearestWords();
    for (const [name, wanted] of missing) {
      const paths = wanted.flatMap((one) => one.paths.map((path) => [...path, 'service', 'name']));
      const others = (elsewhereByName.get(name) ?? []).map(({ metadata }) => metadata.namespace);
      const data = { name, namespace, paths, ports: wanted.map(({ port }) => port), names, others, offline, fitting, nearest };
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
  readonly names: readonly string[];
  /** Namespaces with a Service of that name. */
  readonly others: readonly string[];
  readonly offline: boolean;
  readonly fitting: ReturnType<typeof fittingNames>;
  readonly nearest: typeof nearestWord;
}

const besides = ({ names: { length } }: Missing): string =>
  length === 0 ? ', nor any other' : `, only ${length === 1 ? 'another one' : `${length} others`}`;

function fixesFor({ name, paths, ports, names, others, fitting, nearest: nearestTo }: Missing): readonly [...Fix[], Fix] {
  const nearest = nearestTo(name, fitting(ports));
  const rename = paths.map((path) => ({ op: 'replace', path, value: nearest }) as const);
  const there = `create it here: an Ingress leads to Services of its own namespace only, and ${shorten(name)} is in ${listed(others)}`;
  return [
    ...(nearest === undefined ? [] : [{ text: `did you mean ${nearest}?`, ...editTowards(isCertainTypo(name, nearest, names), rename) }]),
    { text: others.length > 0 ? there : `create it with ${listed([...new Set(ports.map(formatWanted))])}${orAnother(names)}` },
  ];
}

const orAnother = (names: readonly string[]): string => (names.length === 0 ? '' : `, or name one that is there: ${listed(names)}`);

/** Of the Services that have all ports wanted; where there is none, of all. Looked for once for the same ports. */
function fittingNames(services: readonly Service[], names: readonly string[]): (ports: readonly WantedPort[]) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  return (ports) => {
    const key = JSON.stringify(ports.map(formatWanted));
    const fits = (service: Service): boolean => ports.every((port) => portCalled(port, service) !== undefined);
    const fitting = known.get(key) ?? services.filter(fits).map(({ metadata }) => metadata.name);
    known.set(key, fitting);
    return fitting.length > 0 ? fitting : names;
  };
}
