/** Workloads that are alike to every NetworkPolicy: one answer is true of all of them. */
import { asBackends } from '../cluster/backends.ts';
import type { Direction } from '../cluster/traffic/flow.ts';
import { namespaceMatches } from '../cluster/traffic/peers.ts';
import { rulesOf } from '../cluster/traffic/policy-rules.ts';
import { selects } from '../cluster/traffic/selecting.ts';
import type { ClusterView } from '../cluster/view.ts';
import { listed } from '../kube/listed.ts';
import type { NetworkPolicyPeer } from '../kube/policy-parts.ts';
import type { LabelSelector, NetworkPolicy, ObjectRef, Workload } from '../kube/resources.ts';
import { idOf, type Sketch } from './picture.ts';

/** A workload as people know it, and Pods of it that stand for all. */
export interface Member {
  readonly id: string;
  readonly title: string;
  readonly workload: Workload;
}

export interface Alike {
  readonly namespace: string;
  readonly members: readonly [Member, ...Member[]];
  /** Stands for all members where policies are asked. */
  readonly workload: Workload;
  readonly isolated: readonly Direction[];
  /** Whether these are all workloads of their namespace. */
  readonly isWhole: boolean;
}

const directions: readonly Direction[] = ['Ingress', 'Egress'];

/** All workloads of a namespace, put together where no policy of the cluster tells them apart. */
export function alikeIn(view: ClusterView, namespace: string, policies: readonly NetworkPolicy[]): readonly Alike[] {
  const asked = askedOf(view, namespace, policies);
  const members = membersOf(view, namespace);
  const groups = Map.groupBy(members, ({ workload }) => signatureOf(view, workload, asked));
  const own = view.list('NetworkPolicy', namespace);
  return [...groups.values()].map((group) => {
    const [{ workload }] = group as [Member];
    const isolated = directions.filter((direction) =>
      own.some(({ spec }) => {
        view.step();
        return spec.policyTypes.includes(direction) && !workload.pod.hostNetwork && selects(spec.podSelector, workload) !== false;
      }),
    );
    return { namespace, members: group as [Member, ...Member[]], workload, isolated, isWhole: group.length === members.length };
  });
}

/** A workload as people know it, and everything that stands for it: its Pods, or a template while it has none. */
export interface Known {
  readonly ref: ObjectRef;
  readonly title: string;
  readonly workloads: readonly [Workload, ...Workload[]];
}

/** A Deployment and its Pods are one; the Pods that exist speak for it, since they have addresses and all labels. */
export function knownIn(view: ClusterView, namespace: string): readonly Known[] {
  const workloads = view.workloads(namespace);
  const byShape = new Map(workloads.map((workload) => [workload.pod, workload]));
  return asBackends(workloads, view).map(({ ref, title, shapes }) => {
    const all = shapes.flatMap((shape) => byShape.get(shape) ?? []);
    const pods = all.filter(({ kind }) => kind === 'Pod');
    return { ref, title, workloads: (pods.length > 0 ? pods : all.slice(0, 1)) as [Workload, ...Workload[]] };
  });
}

const membersOf = (view: ClusterView, namespace: string): readonly Member[] =>
  knownIn(view, namespace).map(({ ref, title, workloads: [workload] }) => ({ id: idOf(ref), title, workload }));

/** What policies ask of the workloads of a namespace. */
interface Asked {
  readonly selectors: readonly LabelSelector[];
  /** Whether some policy asks for addresses. */
  readonly addresses: boolean;
}

/** Every selector of a policy that may be about Pods of this namespace, once. */
function askedOf(view: ClusterView, namespace: string, policies: readonly NetworkPolicy[]): Asked {
  const selectors = new Map<string, LabelSelector>();
  let addresses = false;
  for (const policy of policies) {
    view.step();
    const isOwn = policy.metadata.namespace === namespace;
    const peers = peersOf(policy).filter((peer) => mayMean(view, peer, namespace, isOwn));
    const asked = [...(isOwn ? [policy.spec.podSelector] : []), ...peers.flatMap(({ podSelector = [] }) => podSelector)];
    for (const selector of asked) selectors.set(JSON.stringify(selector), selector);
    addresses ||= peers.some(({ ipBlock }) => ipBlock !== undefined);
  }
  return { selectors: [...selectors.values()], addresses };
}

/** Whether a peer may be a Pod of this namespace. */
function mayMean(view: ClusterView, { namespaceSelector, ipBlock }: NetworkPolicyPeer, namespace: string, isOwn: boolean): boolean {
  view.step();
  if (ipBlock !== undefined) return true;
  return namespaceSelector === undefined ? isOwn : namespaceMatches(view, namespaceSelector, namespace) !== false;
}

const peersOf = (policy: NetworkPolicy): readonly NetworkPolicyPeer[] =>
  directions.flatMap((direction) => rulesOf(policy, direction).flatMap(({ peers = [] }) => peers));

/** Equal for workloads of which every policy says the same. */
function signatureOf(view: ClusterView, workload: Workload, { selectors, addresses }: Asked): string {
  const answers = selectors.map((selector) => {
    view.step();
    return selects(selector, workload);
  });
  const ips = addresses && workload.kind === 'Pod' ? Array.from(view.pods(workload).records(), ([, record]) => record.ips) : [];
  return JSON.stringify([answers, workload.pod.hostNetwork, workload.kind === 'Pod', workload.pod.ports, ips]);
}

/** So many are drawn one by one. */
const mostMembers = 3;

/** The nodes that stand for these workloads: themselves while they are few, else one for all. */
export function drawAlike(sketch: Sketch, { namespace, members, isWhole }: Alike): readonly string[] {
  if (members.length <= mostMembers) return members.map(({ id, title }) => sketch.node(id, 'workload', namespace, title));
  if (isWhole) return [drawEvery(sketch, [namespace])];
  const title = `${members.length} workloads of ${namespace}: ${listed(
    members.map((member) => member.title),
    2,
  )}`;
  return [sketch.node(`group:${members[0].id}:${members.length}`, 'group', namespace, title)];
}

/** One node for all workloads of these namespaces; of several, it is in none. */
export const drawEvery = (sketch: Sketch, namespaces: readonly string[]): string =>
  sketch.node(
    `every:${namespaces.join()}`,
    'group',
    namespaces.length === 1 ? (namespaces[0] as string) : '',
    `every workload of ${listed(namespaces, 4)}`,
  );
