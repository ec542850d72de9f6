/**
 * A port name in a NetworkPolicy is looked up in the Pods at the receiving end: those that the policy selects for ingress,
 * the peers for egress. Where none of them declares a port of that name and protocol, the entry opens nothing. An address
 * outside the cluster has no port names at all.
 */
import { z } from 'zod';
import { asBackends } from '../cluster/backends.ts';
import { declaredIn, keyOf } from '../cluster/declared-port-names.ts';
import { isCertainTypo, nearestWord } from '../cluster/near-miss.ts';
import { type MeantPods, type PlacedRule, podsOfPeers, rulesInForce, workloadsMeant } from '../cluster/policy-peers.ts';
import type { ClusterView } from '../cluster/view.ts';
import { type Explanation, editTowards, type Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { display } from '../kube/display.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { listed } from '../kube/listed.ts';
import { formatPort } from '../kube/ports.ts';
import { type ContainerPort, formatRef, type NetworkPolicy, type Protocol, refOf } from '../kube/resources.ts';
import { inSinglePorts } from '../kube/single-rules.ts';

/** So many Pods are told apart; of more, the rest counts as known. */
const mostWorkloads = 500;

/** One for each workload that does not declare it: an update that brings more of them is new. */
const defects = ({ name, protocol, path, workloads: { workloads } }: Undeclared): readonly string[] =>
  workloads.slice(0, mostWorkloads).map((workload) => [path[1], keyOf(name, protocol), formatRef(refOf(workload))].join(' '));

const opensNothing = 'A name is looked up in the Pods at the receiving end, so this entry opens nothing.';

export const networkPolicyNamedPortUnresolved = defineRule({
  id: 'network-policy-named-port-unresolved',
  kinds: ['NetworkPolicy'],
  orderClass: 'forward',
  summary: 'A port that a NetworkPolicy names is declared by a Pod at the receiving end',
  reads: ['Namespace', 'Pod', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),
  // A name that some of a rule's Pods declare opens nothing at the others: who splits the rule has not broken it.
  otherwise: inSinglePorts,

  messages: {
    undeclared: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      text: explain,
      defects,
    },
    undeclaredElsewhere: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'foreign',
      text: explain,
      defects,
    },
    /** Beside ports that are there: often that of a feature which is switched off. */
    oneOfSeveral: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'namespace',
      text: explain,
    },
    blocksHaveNoNames: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'self',
      text: ({ name }: { readonly name: string }): Explanation => ({
        what: `all peers are address blocks, and addresses have no port called ${display(name, 30)}`,
        why: opensNothing,
        fixes: [{ text: 'write the number of the port' }],
      }),
    },
  },

  *check({ object: policy, cluster, known, elsewhere, finding }) {
    const receiversOf = receivers(policy, cluster, elsewhere);
    const naming = rulesInForce(policy, cluster)
      .filter(({ ports = [] }) => ports.some(({ port }) => typeof port === 'string'))
      .toArray();
    for (const rule of naming.filter((one) => !isOfBlocks(one))) {
      const workloads = receiversOf(rule);
      // Where nobody is meant yet, other rules speak of that.
      if (workloads === undefined || workloads.workloads.length === 0) continue;
      const declared = declaredIn(workloads);
      const missing = namesIn(rule, cluster).filter(({ name, protocol }) => !declared.has(keyOf(name, protocol)));
      const message = messageFor(missing.length < (rule.ports ?? []).length, workloads);
      if (message === undefined) continue;
      for (const one of missing) yield finding(message, one.path, { ...one, declared: [...declared.values()], workloads, known });
    }
    // What needs no look at the cluster comes last: where one cannot be had, nothing is said of the policy.
    for (const rule of naming.filter(isOfBlocks))
      for (const one of namesIn(rule, cluster)) yield finding('blocksHaveNoNames', one.path, one);
  },
});

/** Beside ports that are there, nobody is told of other namespaces. */
const messageFor = (isOneOfSeveral: boolean, { isForeign }: MeantPods) =>
  isForeign ? (isOneOfSeveral ? undefined : 'undeclaredElsewhere') : isOneOfSeveral ? 'oneOfSeveral' : 'undeclared';

interface NamedPort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly path: FieldPath;
}

const namesIn = ({ ports = [], path }: PlacedRule, cluster: ClusterView): readonly NamedPort[] =>
  ports.flatMap(({ port: name, protocol }, index) => {
    cluster.step();
    return typeof name === 'string' ? [{ name, protocol, path: [...path, 'ports', index, 'port'] }] : [];
  });

interface Undeclared extends NamedPort {
  readonly declared: readonly ContainerPort[];
  readonly workloads: MeantPods;
  readonly known: ClusterView;
}

const isOfBlocks = ({ direction, peers }: PlacedRule): boolean =>
  direction === 'Egress' && peers?.every(({ ipBlock }) => ipBlock !== undefined) === true;

/** The Pods in which a name of this rule is looked up; undefined where it may be any Pod, or they are not all known. */
function receivers({ metadata: { namespace }, spec }: NetworkPolicy, cluster: ClusterView, elsewhere: ClusterView | undefined) {
  let selected: MeantPods | undefined;
  return ({ direction, peers }: PlacedRule): MeantPods | undefined => {
    if (direction === 'Egress') return podsOfPeers(peers, namespace, cluster, elsewhere);
    selected ??= { workloads: [...workloadsMeant(cluster, spec.podSelector, namespace)], isForeign: false };
    return selected;
  };
}

function explain({ name, protocol, path, declared, workloads: { workloads }, known }: Undeclared): Explanation {
  const titles = listed(asBackends(workloads, known).map(({ title }) => title));
  const fix = nearest(name, protocol, declared, path);
  return {
    what: `no Pod at the receiving end (${titles}) declares a port ${display(name, 30)} (${protocol}); declared: ${listed(declared.map(formatPort)) || 'no name'}`,
    why: opensNothing,
    fixes: [...(fix === undefined ? [] : [fix]), { text: 'write a declared name, or the number of the port' }],
  };
}

function nearest(name: string, protocol: Protocol, declared: readonly ContainerPort[], path: FieldPath): Fix | undefined {
  const other = declared.find((port) => port.name === name);
  const patch = [{ op: 'add', path: [...path.slice(0, -1), 'protocol'], value: other?.protocol }] as const;
  if (other !== undefined) return { text: `did you mean protocol ${other.protocol}?`, patch };
  const names = declared.flatMap((port) => (port.protocol === protocol ? (port.name ?? []) : []));
  const word = nearestWord(name, names);
  if (word === undefined) return undefined;
  return { text: `did you mean ${word}?`, ...editTowards(isCertainTypo(name, word, names), [{ op: 'replace', path, value: word }]) };
}
