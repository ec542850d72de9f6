/** The product's engine, in each of its three ways, and the oracle asked the same. The engine knows Pods that are alike as one: the oracle's answers about each are joined. */
import {
  allowedPorts,
  type Direction,
  type Endpoint,
  type Verdict as EngineVerdict,
  type Flow,
  flow,
  type PortAnswers,
} from '../../src/cluster/traffic/flow.ts';
import type { Group } from '../../src/cluster/traffic/groups.ts';
import { includes } from '../../src/cluster/traffic/ports.ts';
import { type Traffic, trafficOf } from '../../src/cluster/traffic/traffic.ts';
import type { ClusterView } from '../../src/cluster/view.ts';
import type { NetworkPolicy, Workload } from '../../src/kube/resources.ts';
import type { Party, Plugin, Question } from './network-policy.ts';
import { ask, ruleCertainlyAllows, type Verdict } from './oracle.ts';
import type { Protocol, RawPod, RawWorld } from './raw-objects.ts';

export interface Port {
  readonly protocol: Protocol;
  readonly port: number;
}

/** One party as both know it. */
interface Both {
  readonly name: string;
  readonly engine: Endpoint;
  readonly oracle: readonly Party[];
}

/** What the documentation leaves open and the engine does not: what a Pod sends to its node is bound by its policies (docs/decisions/0026). */
const settledByEngine: Partial<Plugin> = { nodeIsAlwaysReached: false };

/** What is compared of an answer, in a form that shows a difference. */
interface Told {
  readonly verdict: Verdict;
  readonly egress: Verdict;
  readonly ingress: Verdict;
  readonly isolatedBy: readonly string[];
  /** By the engine's sets of ports. */
  readonly amongAllPorts: Verdict;
  /** By the engine's table of the whole cluster, which holds no addresses, nor what Pods that are alike send one another. */
  readonly inTheTable: Verdict | undefined;
}

export interface Difference {
  readonly question: string;
  readonly engine: Told;
  readonly oracle: Told;
  /** Rules of which the engine says that they allow the connection, and the oracle does not. */
  readonly wrongRules: readonly string[];
}

/** Every pair of Pods, and of a Pod and an address, by every port, where the two do not say the same. */
export function differences(
  world: RawWorld,
  view: ClusterView,
  ports: readonly Port[],
  addresses: readonly string[] = [],
): readonly Difference[] {
  const pods = podsOf(world, view);
  const outside = addresses.map((ip): Both => ({ name: ip, engine: { address: ip }, oracle: [{ ip }] }));
  const nodes = addresses.map((ip): Both => ({ name: `node ${ip}`, engine: { address: ip, ofNode: true }, oracle: [{ ip, node: '' }] }));
  const pairs = pods.flatMap((pod) => [
    ...pods.map((other) => [pod, other] as const),
    ...[...outside, ...nodes].flatMap((other) => [[pod, other] as const, [other, pod] as const]),
  ]);
  const cluster: Cluster = { world, view, table: trafficOf(view) };
  return pairs.flatMap(([from, to]) => ports.flatMap((port) => differenceOf(cluster, { from, to, port }) ?? []));
}

interface Cluster {
  readonly world: RawWorld;
  readonly view: ClusterView;
  readonly table: Traffic;
}

/** The Pods of the view with those of the world that are one to it. */
function podsOf(world: RawWorld, view: ClusterView): readonly Both[] {
  const byName = new Map(world.pods.map((pod) => [`${pod.metadata.namespace}/${pod.metadata.name}`, pod]));
  return view.listAll('Pod').map((workload: Workload): Both => {
    const names = view
      .pods(workload)
      .names(world.pods.length)
      .map((name) => `${workload.metadata.namespace}/${name}`);
    return { name: names.join('+'), engine: workload, oracle: names.map((name) => ({ pod: byName.get(name) as RawPod })) };
  });
}

interface Asked {
  readonly from: Both;
  readonly to: Both;
  readonly port: Port;
}

function differenceOf(cluster: Cluster, asked: Asked): Difference | undefined {
  const { from, to, port } = asked;
  const found = flow(cluster.view, from.engine, { ...port, workload: to.engine, serviceAddresses: [] });
  const questions = questionsOf(asked);
  const engine = engineSays(cluster, asked, found);
  const oracle = oracleSays(cluster.world, questions, from !== to);
  const wrongRules = [
    ...wrongRule(cluster.world, questions, 'Egress', found.egress),
    ...wrongRule(cluster.world, questions, 'Ingress', found.ingress),
  ];
  if (JSON.stringify(engine) === JSON.stringify(oracle) && wrongRules.length === 0) return undefined;
  return { question: `${from.name} -> ${to.name} ${port.protocol}/${port.port}`, engine, oracle, wrongRules };
}

const questionsOf = ({ from, to, port }: Asked): readonly Question[] =>
  from.oracle.flatMap((one) =>
    (from === to ? [...to.oracle, ...to.oracle.map(twinOf)] : to.oracle).map((other) => ({ from: one, to: other, ...port })),
  );

function engineSays({ view, table }: Cluster, { from, to, port }: Asked, { answer, egress, ingress }: Flow): Told {
  const [source, destination] = from === to ? [] : [groupOf(table, from.engine), groupOf(table, to.engine)];
  return {
    verdict: answer,
    egress: egress.answer,
    ingress: ingress.answer,
    isolatedBy: isolatedBy(namesOf(egress.isolatedBy), namesOf(ingress.isolatedBy)),
    amongAllPorts: verdictAmong(allowedPorts(view, from.engine, { workload: to.engine, serviceAddresses: [] }), port),
    inTheTable: source && destination && verdictAmong(table.between(source, destination), port),
  };
}

const groupOf = (table: Traffic, end: Endpoint): Group | undefined => ('pod' in end ? table.groupOf(end) : undefined);

function verdictAmong({ allowed, depends }: PortAnswers, port: Port): Verdict {
  if (includes(allowed, port)) return 'allowed';
  return includes(depends, port) ? 'depends' : 'denied';
}

function oracleSays(world: RawWorld, questions: readonly Question[], areApart: boolean): Told {
  const answers = questions.map((question) => ask(world, question, settledByEngine));
  const verdict = joined(answers.map((one) => one.verdict));
  const isInTable = areApart && questions.every(({ from, to }) => 'pod' in from && 'pod' in to);
  return {
    verdict,
    egress: joined(answers.map(({ egress }) => egress.verdict)),
    ingress: joined(answers.map(({ ingress }) => ingress.verdict)),
    isolatedBy: isolatedBy(answers[0]?.egress.isolatedBy ?? [], answers[0]?.ingress.isolatedBy ?? []),
    amongAllPorts: verdict,
    inTheTable: isInTable ? verdict : undefined,
  };
}

/** What is one Pod today may be two tomorrow: what the engine says of Pods that are alike holds for itself and for another. */
const twinOf = (party: Party): Party => ('pod' in party ? { pod: { ...party.pod } } : party);

/** Pods that are alike have one answer only if it is the same for each. */
const joined = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.every((one) => one === verdicts[0]) ? (verdicts[0] ?? 'depends') : 'depends';

const namesOf = (policies: readonly NetworkPolicy[]): readonly string[] => policies.map(({ metadata }) => metadata.name);

const isolatedBy = (egress: readonly string[], ingress: readonly string[]): readonly string[] => [
  ...egress.map((name) => `egress by ${name}`).sort(),
  ...ingress.map((name) => `ingress by ${name}`).sort(),
];

/** Whoever is isolated and gets through does so by a rule, and by the one that is named. */
function wrongRule(world: RawWorld, questions: readonly Question[], direction: Direction, end: EngineVerdict): readonly string[] {
  const { answer, isolatedBy: policies, allowedBy } = end;
  if (allowedBy === undefined) return answer === 'allowed' && policies.length > 0 ? [`${direction} by no rule`] : [];
  const { policy, rule } = allowedBy;
  const isRight = questions.every((question) => ruleCertainlyAllows(world, question, direction, [policy.metadata.name, rule]));
  return isRight ? [] : [`${direction} by rule ${rule} of ${policy.metadata.name}`];
}
