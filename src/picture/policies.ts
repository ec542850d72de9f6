/** What NetworkPolicies say of connections between workloads, for those that some policy selects; of all others, everything is let through. */
import { asksResolver, isUdp, type Resolver } from '../cluster/resolver.ts';
import { type Answer, type Destination, type Direction, type Doubt, type Flow, flow, type PortOfPod } from '../cluster/traffic/flow.ts';
import { rulesOf } from '../cluster/traffic/policy-rules.ts';
import { selecting, selects } from '../cluster/traffic/selecting.ts';
import type { ClusterView } from '../cluster/view.ts';
import { listed } from '../kube/listed.ts';
import { formatRef, type NetworkPolicy, refOf, type Workload } from '../kube/resources.ts';
import { type Alike, drawAlike, drawEvery } from './alike.ts';
import type { PictureEdge, Sketch } from './picture.ts';
import { type FindingsOf, stateOf } from './wiring.ts';

/** Why an answer is not certain, as a phrase. */
export const doubts: Readonly<Record<Doubt, string>> = {
  label: 'only the labels of the running Pods tell',
  namespace: 'the labels of the namespace are not known',
  address: 'network plugins differ on whether an ipBlock covers Pods',
  block: 'an ipBlock can be read in more than one way, or in none',
  hostNetwork: 'network plugins differ on Pods on the host network',
  sameNode: 'what comes from the same node is always let through',
  itself: 'a Pod always reaches itself',
};

/** What is said of one pair, as far as the picture tells it; pairs of which the same is said are drawn as one. */
interface Said {
  readonly answer: Answer;
  readonly label: string;
  readonly why: string;
}

interface Pair {
  readonly other: Alike;
  readonly said: Said;
}

/** What is drawn on, and from what. */
export interface Scene {
  readonly sketch: Sketch;
  readonly view: ClusterView;
  /** Every workload of the cluster. */
  readonly all: readonly Alike[];
  readonly resolver: Resolver | undefined;
}

/** All edges by policy that end, or begin, at one set of alike workloads. */
export function drawPolicies(scene: Scene, one: Alike): void {
  const { view, all } = scene;
  if (one.isolated.includes('Ingress')) {
    const pairs = all.map((other) => ({ other, said: saidOf(view, other === one ? anotherOf(one) : other, one) }));
    drawPairs(scene, pairs, one, 'to');
  }
  if (one.isolated.includes('Egress')) {
    // The others are drawn from their side.
    const open = all.filter(({ isolated }) => !isolated.includes('Ingress'));
    const pairs = open.map((other) => ({ other, said: saidOf(view, one, other) }));
    drawPairs(scene, pairs, one, 'from');
  }
}

/** Stood for by another of its members: what a Pod sends to itself is a question of its own. */
const anotherOf = (one: Alike): Alike => ({ ...one, workload: one.members.at(-1)?.workload ?? one.workload });

/** So many ports are asked about. */
const mostPorts = 8;

/** What the target declares, and what policies name; undefined where nobody says a number, and one port is as good as another. */
function portsOf(view: ClusterView, { workload: from }: Alike, { workload: to }: Alike): readonly PortOfPod[] | undefined {
  const declared = to.pod.ports.map(({ containerPort, protocol }) => ({ port: containerPort, protocol }));
  // Where a workload declares nothing, only those who call it know its ports.
  const named = [...portsNamed(view, to, 'Ingress'), ...(declared.length > 0 ? [] : portsNamed(view, from, 'Egress'))];
  const ports = new Map([...declared, ...named].map((one) => [`${one.port}/${one.protocol}`, one]));
  return ports.size === 0 ? undefined : [...ports.values()].slice(0, mostPorts);
}

/** The port numbers that policies about these Pods name, for what reaches them or for what they reach. */
function portsNamed(view: ClusterView, workload: Workload, direction: Direction): readonly PortOfPod[] {
  const ports = selecting(view, workload).flatMap(({ policy }) => rulesOf(policy, direction).flatMap(({ ports: those = [] }) => those));
  return ports.flatMap(({ port, protocol }) => (typeof port === 'number' ? [{ port, protocol }] : []));
}

const anyPort: readonly PortOfPod[] = [
  { port: 80, protocol: 'TCP' },
  { port: 80, protocol: 'UDP' },
];

function saidOf(view: ClusterView, from: Alike, to: Alike): Said {
  const ports = portsOf(view, from, to);
  const flows = (ports ?? anyPort).map((port) => ({
    port,
    flow: flow(view, from.workload, { ...port, workload: to.workload, serviceAddresses: [] }),
  }));
  const open = flows.filter(({ flow: { answer } }) => answer !== 'denied');
  const names = open.map(({ port: { port, protocol } }) => (ports === undefined ? `any ${protocol} port` : `${port}/${protocol}`));
  const label = ports === undefined && names.length > 1 ? 'any port' : listed(names);
  return { answer: answerOf(flows.map(({ flow }) => flow.answer)), label, why: whyOf(open.map(({ flow }) => flow)) };
}

/** Of several ports: what is let through counts, and what may be. */
const answerOf = (answers: readonly Answer[]): Answer =>
  answers.includes('allowed') ? 'allowed' : answers.includes('depends') ? 'depends' : 'denied';

function whyOf(flows: readonly Flow[]): string {
  const allowing = flows.flatMap(({ egress, ingress }) => [egress.allowedBy?.policy ?? [], ingress.allowedBy?.policy ?? []].flat());
  const policies = [...new Set(allowing.map((policy) => formatRef(refOf(policy))))];
  const open = [...new Set(flows.filter(({ answer }) => answer === 'depends').flatMap((one) => one.doubts))];
  return [...(policies.length > 0 ? [listed(policies, 2)] : []), ...open.map((doubt) => doubts[doubt])].join('; ');
}

/** A set of workloads of one namespace of which the same is said, and who of that namespace is not among them. */
interface Group {
  readonly namespace: string;
  readonly pairs: readonly [Pair, ...Pair[]];
  readonly exceptions: readonly string[];
}

/** So many exceptions are told beside "every workload"; and of so few workloads, each is drawn. */
const mostExceptions = 2;
const fewMembers = 3;
/** So many namespaces of which the same is said become one. */
const manyNamespaces = 3;

/** Each pair that is not denied; of a namespace, or of many, of which the same is said, one edge. */
function drawPairs({ sketch, resolver }: Scene, pairs: readonly Pair[], one: Alike, end: 'from' | 'to'): void {
  const groups = groupsOf(pairs.filter(({ other }) => other !== one || other.members.length > 1));
  const isSaidOfMany = (said: readonly Group[]): boolean => said.length >= manyNamespaces;
  const whole = Map.groupBy(
    groups.filter(({ exceptions }) => exceptions.length === 0),
    ({ pairs: [{ said }] }) => JSON.stringify(said),
  );
  const many = [...whole.values()].filter(isSaidOfMany);
  for (const each of many) {
    const names = each.map(({ namespace }) => namespace);
    connect(sketch, [drawEvery(sketch, names)], drawAlike(sketch, one), end, (each[0] as Group).pairs[0].said);
  }
  for (const group of groups.filter((each) => !many.flat().includes(each))) {
    const { namespace, exceptions } = group;
    const { said } = group.pairs[0];
    if (membersOf(group).length > fewMembers && exceptions.length <= mostExceptions) {
      const but = exceptions.length === 0 ? said.label : `${said.label}, but ${listed(exceptions)}`;
      connect(sketch, [drawEvery(sketch, [namespace])], drawAlike(sketch, one), end, { ...said, label: but });
      continue;
    }
    // Of the resolver, the edges for DNS tell.
    const others = group.pairs.filter(({ other }) => end === 'to' || !isBehind(resolver, other));
    for (const { other } of others) connect(sketch, drawAlike(sketch, other), drawAlike(sketch, one), end, said);
  }
}

const membersOf = ({ pairs }: Group): readonly string[] => pairs.flatMap(({ other }) => other.members.map(({ title }) => title));

function groupsOf(pairs: readonly Pair[]): readonly Group[] {
  return [...Map.groupBy(pairs, ({ other }) => other.namespace)].flatMap(([namespace, within]) =>
    [...Map.groupBy(within, ({ said }) => JSON.stringify(said)).values()].flatMap((group) => {
      const [first, ...others] = group as [Pair, ...Pair[]];
      if (first.said.answer === 'denied') return [];
      const rest = within.filter((pair) => !group.includes(pair)).flatMap(({ other }) => other.members.map(({ title }) => title));
      return [{ namespace, pairs: [first, ...others] as const, exceptions: rest }];
    }),
  );
}

const states: Readonly<Record<Answer, PictureEdge['state']>> = { allowed: 'works', depends: 'depends', denied: 'blocked' };

function connect(
  sketch: Sketch,
  others: readonly string[],
  ones: readonly string[],
  end: 'from' | 'to',
  { answer, label, why }: Said,
): void {
  for (const one of ones)
    for (const other of others) {
      const ends = end === 'to' ? { from: other, to: one } : { from: one, to: other };
      if (ends.from !== ends.to) sketch.edge({ ...ends, kind: 'policy', state: states[answer], label, why });
    }
}

const isBehind = (resolver: Resolver | undefined, { workload }: Alike): boolean =>
  resolver?.destinations.some((destination) => destination.workload === workload) ?? false;

/** Blocks of addresses that a policy lets in or out. */
export function drawBlocks({ sketch, view }: Scene, one: Alike): void {
  for (const policy of view.list('NetworkPolicy', one.namespace).filter((policy) => isolates(policy, one)))
    for (const direction of one.isolated.filter((each) => policy.spec.policyTypes.includes(each))) {
      const blocks = rulesOf(policy, direction).flatMap(({ peers = [] }) => peers.flatMap(({ ipBlock }) => ipBlock?.cidr ?? []));
      if (blocks.length === 0) continue;
      const title = `Addresses ${listed([...new Set(blocks)])}`;
      const said = { answer: 'allowed', label: '', why: formatRef(refOf(policy)) } as const;
      const addresses = sketch.node(`addresses:${title}`, 'outside', '', title);
      connect(sketch, [addresses], drawAlike(sketch, one), direction === 'Ingress' ? 'to' : 'from', said);
    }
}

const isolates = ({ spec: { podSelector } }: NetworkPolicy, { workload }: Alike): boolean => selects(podSelector, workload) !== false;

/** Whether workloads that a policy selects reach the cluster's resolver; a finding about the policy that keeps them from it breaks the edge. */
export function drawDns({ sketch, view, all, resolver }: Scene, findingsOf: FindingsOf): void {
  const destinations = resolver?.destinations.filter(isUdp) ?? [];
  if (resolver === undefined || destinations.length === 0) return;
  const isClosed = all.some((one) => isBehind(resolver, one) && one.isolated.includes('Ingress'));
  const to = sketch.objectNode('service', refOf(resolver.service));
  const asking = all.filter(
    (one) => (isClosed || one.isolated.includes('Egress')) && !isBehind(resolver, one) && asksResolver(one.workload, resolver),
  );
  for (const [namespace, ones] of Map.groupBy(asking, (one) => one.namespace)) {
    const isEvery =
      ones.flatMap(({ members }) => members).length ===
      all.filter((one) => one.namespace === namespace).flatMap(({ members }) => members).length;
    const groups = Map.groupBy(ones, (one) => JSON.stringify(saidOfDns(view, one, destinations, findingsOf)));
    for (const [key, group] of groups) {
      const said = JSON.parse(key) as SaidOfDns;
      const from =
        isEvery && groups.size === 1 && group.length > 1
          ? [drawEvery(sketch, [namespace])]
          : group.flatMap((one) => drawAlike(sketch, one));
      for (const each of from) sketch.edge({ from: each, to, kind: 'dns', label: 'DNS', ...said });
    }
  }
}

type SaidOfDns = Pick<PictureEdge, 'state' | 'why'>;

function saidOfDns(view: ClusterView, { workload }: Alike, destinations: readonly Destination[], findingsOf: FindingsOf): SaidOfDns {
  const flows = destinations.map((destination) => flow(view, workload, destination));
  const answer = answerOf(flows.map((each) => each.answer));
  const policies = [...new Set(flows.flatMap(({ egress, ingress }) => [...egress.isolatedBy, ...ingress.isolatedBy]))];
  const findings = answer === 'denied' ? policies.flatMap((policy) => findingsOf(policy)) : [];
  return findings.length > 0 ? stateOf(findings) : { state: states[answer], why: whyOf(flows) };
}
