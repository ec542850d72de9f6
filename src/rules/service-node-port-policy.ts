/**
 * A nodePort is opened on every node of the cluster, and each number exists once. Namespaces may be given ranges of
 * their own. Only numbers that somebody wrote are judged: the API server picks the others from the whole range.
 */
import { z } from 'zod';
import { choosesNamespace } from '../cluster/namespace-choice.ts';
import { otherWithNodePort, wasAllocated } from '../cluster/node-ports.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { formatPortRanges, isWithin, nearestIn, type PortRange, parsePortRange, staticBand } from '../kube/port-range.ts';
import { formatRef, type ObjectRef } from '../kube/resources.ts';
import { choosesSome, chosenNamespaces } from './options/chosen-namespaces.ts';

const ports = z.union([z.int(), z.string()]).refine((text) => parsePortRange(text), 'is not a port, or a range as 30100-30199');
const entry = z
  .strictObject({ ...chosenNamespaces, ports: z.array(ports).min(1).describe('NodePorts and ranges of them, as `30100-30199`') })
  .refine(...choosesSome);

export const serviceNodePortPolicy = defineRule({
  id: 'service-node-port-policy',
  kinds: ['Service'],
  orderClass: 'self-contained',
  summary: 'A nodePort that somebody chose is one that its namespace may take',
  reads: ['Namespace'],
  since: '0.1.0',

  options: z.strictObject({
    ranges: z
      .array(entry)
      .default([])
      .describe('Who may take which nodePorts. Entries that match a namespace add up; one that none matches is not restricted'),
    allocated: z
      .enum(['allow', 'judge'])
      .default('allow')
      .describe('Ports that the API server chose from its whole range; `judge` treats them like written ones'),
    clusterRange: ports.default('30000-32767').describe('The range of the API server, `--service-node-port-range`'),
  }),

  messages: {
    notInRanges: {
      severity: 'medium',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'self',
      text: (misfit: Misfit): Explanation => ({
        what: `nodePort ${misfit.nodePort} is not among the ports of namespace ${misfit.namespace}: ${formatPortRanges(misfit.allowed)}`,
        why: 'The configuration gives this namespace those nodePorts only.',
        fixes: fixesOf(misfit),
      }),
    },
    outsideClusterRange: {
      severity: 'high',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'self',
      text: (misfit: Misfit): Explanation => ({
        what: `nodePort ${misfit.nodePort} is outside the range of the cluster, ${formatPortRanges(misfit.allowed)}`,
        why: 'The API server refuses this Service.',
        fixes: fixesOf(misfit),
      }),
    },
    usedTwice: {
      severity: 'high',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'foreign',
      text: (misfit: Misfit & { readonly twin: ObjectRef }): Explanation => ({
        what: `nodePort ${misfit.nodePort} is also that of ${formatRef(misfit.twin)}`,
        why: 'The API server gives a number to one Service only, whatever the protocol, and refuses the second.',
        fixes: fixesOf(misfit),
      }),
    },
    inDynamicBand: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'self',
      text: (misfit: Misfit): Explanation => ({
        what: `nodePort ${misfit.nodePort} is one that the API server hands out by itself; chosen ones belong in ${formatPortRanges(misfit.allowed)}`,
        why: 'Where another Service got the number first, this one is refused.',
        fixes: fixesOf(misfit),
      }),
    },
  },

  *check({ object: service, before, cluster, known, offline, options, finding }) {
    const { metadata, spec } = service;
    if (spec.type === 'ClusterIP' || spec.type === 'ExternalName') return;
    const twinOf = otherWithNodePort(service, known);
    const whole = parsePortRange(options.clusterRange) as PortRange;
    for (const [index, port] of spec.ports.entries()) {
      cluster.step();
      const { nodePort } = port;
      const named = port.nodePortNamed === true && !wasAllocated(port, service, before);
      if (nodePort === undefined || !(named || options.allocated === 'judge')) continue;
      const ranges = rangesOf(options.ranges, metadata.namespace, cluster);
      const wrong = defectOf({ nodePort, named, whole, offline, twin: offline ? twinOf(nodePort) : undefined, ranges });
      if (wrong === undefined) continue;
      const path = ['spec', 'ports', index, 'nodePort'];
      const free = nearestIn(wrong.allowed, nodePort, (one) => twinOf(one) === undefined);
      const misfit = { path, nodePort, namespace: metadata.namespace, allowed: wrong.allowed, free };
      if (wrong.defect === 'usedTwice') yield finding('usedTwice', path, { ...misfit, twin: wrong.twin }, [wrong.twin]);
      else yield finding(wrong.defect, path, misfit);
    }
  },
});

interface Misfit {
  readonly path: FieldPath;
  readonly nodePort: number;
  readonly namespace: string;
  readonly allowed: readonly PortRange[];
  /** The nearest allowed one that no known Service uses. */
  readonly free: number | undefined;
}

interface Judged {
  readonly nodePort: number;
  readonly named: boolean;
  readonly offline: boolean;
  readonly whole: PortRange;
  /** Those of the namespace; undefined if it is not restricted. */
  readonly ranges: readonly PortRange[] | undefined;
  readonly twin: ObjectRef | undefined;
}

function defectOf({ nodePort, named, offline, whole, ranges, twin }: Judged) {
  if (offline && !isWithin([whole], nodePort)) return { defect: 'outsideClusterRange', allowed: [whole] } as const;
  if (ranges !== undefined && !isWithin(ranges, nodePort)) return { defect: 'notInRanges', allowed: ranges } as const;
  if (twin !== undefined) return { defect: 'usedTwice', allowed: ranges ?? [whole], twin } as const;
  const band = staticBand(whole);
  const isStray = named && ranges === undefined && band !== undefined && isWithin([whole], nodePort) && !isWithin([band], nodePort);
  return isStray ? ({ defect: 'inDynamicBand', allowed: [band] } as const) : undefined;
}

/** The ports of all entries that match the namespace; undefined if none does. */
function rangesOf(entries: readonly z.infer<typeof entry>[], namespace: string, cluster: ClusterView): readonly PortRange[] | undefined {
  const matching = entries.filter((one) => choosesNamespace(one, namespace, cluster));
  return matching.length === 0 ? undefined : matching.flatMap((one) => one.ports.flatMap((text) => parsePortRange(text) ?? []));
}

function fixesOf({ path, free, allowed }: Misfit): readonly [...Fix[], Fix] {
  const last = { text: `ask for more ports, since none of ${formatPortRanges(allowed)} is free, or take another type of Service` };
  if (free === undefined) return [last];
  return [{ text: `use ${free}, the nearest free nodePort`, patch: [{ op: 'replace', path, value: free }] }, last];
}
