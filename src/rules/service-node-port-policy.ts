/**
 * A nodePort is opened on every node of the cluster, and each number exists once. Namespaces may be given ranges of
 * their own. Only numbers that somebody wrote are judged: the API server picks the others from the whole range.
 */
import { z } from 'zod';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { matchesAnyGlob } from '../kube/glob.ts';
import { labelsOf, matchesSelector } from '../kube/labels.ts';
import { formatPortRange, isWithin, nearestIn, type PortRange, parsePortRange, staticBand } from '../kube/port-range.ts';
import { formatRef, type ObjectRef, refOf, type Service, type ServicePort } from '../kube/resources.ts';

const ports = z
  .union([z.int(), z.string()])
  .refine((text) => parsePortRange(text) !== undefined, 'is not a port, or a range as 30100-30199');
const requirement = z.strictObject({
  key: z.string(),
  operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
  values: z.array(z.string()).default([]),
});
const range = z
  .strictObject({
    /** Names of namespaces, with `*` for any characters. */
    namespaces: z.array(z.string()).optional(),
    /** Namespaces by their labels. Where `namespaces` is given too, both must match. */
    namespaceSelector: z
      .strictObject({ matchLabels: z.record(z.string(), z.string()).default({}), matchExpressions: z.array(requirement).default([]) })
      .optional(),
    ports: z.array(ports).min(1),
  })
  .refine(
    ({ namespaces, namespaceSelector }) => namespaces ?? namespaceSelector,
    'chooses no namespaces: add namespaces or namespaceSelector',
  );
const options = z.strictObject({
  /** Who may take which nodePorts. Entries that match add up; a namespace that none matches is not restricted. */
  ranges: z.array(range).default([]),
  /** What to do about ports that the API server chose: from the whole range, so `judge` refuses most of them. */
  allocated: z.enum(['allow', 'judge']).default('allow'),
  /** The API server's --service-node-port-range. */
  clusterRange: ports.default('30000-32767'),
});

export const serviceNodePortPolicy = defineRule({
  id: 'service-node-port-policy',
  kinds: ['Service'],
  orderClass: 'self-contained',
  summary: 'A nodePort that somebody chose is one that its namespace may take',
  reads: ['Namespace'],
  since: '0.1.0',
  options,

  messages: {
    notInRanges: {
      severity: 'medium',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'self',
      text: ({ namespace, ...misfit }: Misfit & { readonly namespace: string }): Explanation => ({
        what: `nodePort ${misfit.nodePort} is not among the ports of namespace ${namespace}: ${listed(misfit.allowed)}`,
        why: 'The configuration gives this namespace those nodePorts only.',
        fixes: fixesOf(misfit),
      }),
    },
    outsideClusterRange: {
      severity: 'high',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'self',
      text: (misfit: Misfit): Explanation => ({
        what: `nodePort ${misfit.nodePort} is outside the cluster's range ${listed(misfit.allowed)}`,
        why: 'The API server refuses this Service.',
        fixes: fixesOf(misfit),
      }),
    },
    usedTwice: {
      severity: 'high',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'foreign',
      text: ({ other, ...misfit }: Misfit & { readonly other: string }): Explanation => ({
        what: `nodePort ${misfit.nodePort} is also that of ${other}`,
        why: 'The API server gives a number to one Service only, whatever the protocol, and refuses the second.',
        fixes: fixesOf(misfit),
      }),
    },
    inDynamicBand: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'self',
      text: (misfit: Misfit): Explanation => ({
        what: `nodePort ${misfit.nodePort} is one that the API server hands out by itself; chosen ones belong in ${listed(misfit.allowed)}`,
        why: 'Where another Service got the number first, this one is refused.',
        fixes: fixesOf(misfit),
      }),
    },
  },

  *check({ object: service, before, cluster, known, offline, options, finding }) {
    const { metadata, spec } = service;
    if (spec.type === 'ClusterIP' || spec.type === 'ExternalName') return;
    const taken = takenByOthers(service, known);
    const whole = [parsePortRange(options.clusterRange) as PortRange];
    for (const [index, port] of spec.ports.entries()) {
      const { nodePort } = port;
      const named = port.nodePortNamed && !wasAllocated(port, service, before);
      if (nodePort === undefined || !(named || options.allocated === 'judge')) continue;
      const path = ['spec', 'ports', index, 'nodePort'];
      const misfit = (allowed: readonly PortRange[]): Misfit => ({
        path,
        nodePort,
        allowed,
        free: nearestIn(allowed, nodePort, (one) => !taken.has(one)),
      });

      const allowed = isWithin(whole, nodePort) || !offline ? rangesOf(options.ranges, metadata.namespace, cluster) : undefined;
      const twin = offline ? taken.get(nodePort) : undefined;
      const band = staticBand(whole[0] as PortRange);
      if (offline && !isWithin(whole, nodePort)) yield finding('outsideClusterRange', path, misfit(whole));
      else if (allowed !== undefined && !isWithin(allowed, nodePort))
        yield finding('notInRanges', path, { ...misfit(allowed), namespace: metadata.namespace });
      else if (twin !== undefined) yield finding('usedTwice', path, { ...misfit(allowed ?? whole), other: formatRef(twin) }, [twin]);
      else if (named && allowed === undefined && band !== undefined && !isWithin([band], nodePort))
        yield finding('inDynamicBand', path, misfit([band]));
    }
  },
});

interface Misfit {
  readonly path: FieldPath;
  readonly nodePort: number;
  readonly allowed: readonly PortRange[];
  /** The nearest allowed one that no known Service uses. */
  readonly free: number | undefined;
}

/** The nodePorts of other Services, wherever they are: the API server's list of them knows neither namespace nor protocol. */
function takenByOthers({ metadata }: Service, known: ClusterView): ReadonlyMap<number, ObjectRef> {
  const others = known
    .listAll('Service')
    .filter((one) => one.metadata.namespace !== metadata.namespace || one.metadata.name !== metadata.name);
  return new Map(
    others.flatMap((other) => other.spec.ports.flatMap(({ nodePort }) => (nodePort === undefined ? [] : [[nodePort, refOf(other)]]))),
  );
}

/** The API server chose it at an earlier write: to write it down now, as `kubectl get -o yaml` does, chooses nothing. */
const wasAllocated = ({ nodePort }: ServicePort, { metadata }: Service, before: ClusterView | undefined): boolean =>
  before?.get('Service', metadata.namespace, metadata.name)?.spec.ports.some((port) => port.nodePort === nodePort && !port.nodePortNamed) ??
  false;

/** The ports of all entries that match the namespace; undefined if none does. */
function rangesOf(entries: z.infer<typeof options>['ranges'], namespace: string, cluster: ClusterView): readonly PortRange[] | undefined {
  const matching = entries.filter(({ namespaces, namespaceSelector }) => {
    if (namespaces !== undefined && !matchesAnyGlob(namespaces, namespace)) return false;
    if (namespaceSelector === undefined) return true;
    const labels = cluster.get('Namespace', '', namespace)?.metadata.labels ?? labelsOf({});
    return matchesSelector({ ...namespaceSelector, matchLabels: labelsOf(namespaceSelector.matchLabels) }, labels);
  });
  return matching.length === 0 ? undefined : matching.flatMap((entry) => entry.ports.flatMap((one) => parsePortRange(one) ?? []));
}

function fixesOf({ path, free, allowed }: Misfit): readonly [...Fix[], Fix] {
  const last = { text: `take a free nodePort of ${listed(allowed)}, or another type of Service` };
  if (free === undefined) return [last];
  return [{ text: `use ${free}, the nearest free nodePort`, patch: [{ op: 'replace', path, value: free }] }, last];
}

const listed = (ranges: readonly PortRange[]): string =>
  [...ranges.slice(0, 4).map(formatPortRange), ...(ranges.length > 4 ? ['…'] : [])].join(', ');
