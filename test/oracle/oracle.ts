/**
 * What may be said of a connection by NetworkPolicy alone. Where the documentation leaves a choice to network plugins, every
 * plugin that it permits is asked: an answer on which they agree is definite, else it `depends`, and the reasons are the
 * choices that make the difference.
 */
import {
  type Direction,
  type Doubt,
  endAllows,
  isAllowed,
  isIsolated,
  isNode,
  isOnHostNetwork,
  isToItself,
  type Plugin,
  policiesOf,
  type Question,
  ruleAllows,
  rulesOf,
  subjectOf,
} from './network-policy.ts';
import type { RawWorld } from './raw-objects.ts';

export type Verdict = 'allowed' | 'denied' | 'depends';

export interface EndAnswer {
  readonly verdict: Verdict;
  /** Names of the policies that apply to this end in this direction. */
  readonly isolatedBy: readonly string[];
}

export interface Answer {
  readonly verdict: Verdict;
  /** Of the source. */
  readonly egress: EndAnswer;
  /** Of the destination. */
  readonly ingress: EndAnswer;
}

/** Whether the policies of this world allow this connection; with some choices settled, by the plugins that make them so. */
export function ask(world: RawWorld, question: Question, settled: Partial<Plugin> = {}): Answer {
  const plugins = pluginsFor(question, settled);
  const egress = plugins.map((plugin) => endAllows(world, question, 'Egress', plugin));
  const ingress = plugins.map((plugin) => endAllows(world, question, 'Ingress', plugin));
  const isolatedBy = (direction: Direction): readonly string[] => {
    const subject = subjectOf(question, direction);
    if (!plugins.some((plugin) => isIsolated(world, subject, direction, plugin))) return [];
    return policiesOf(world, subject, direction).map(({ metadata }) => metadata.name);
  };
  return {
    verdict: isToItself(question) ? 'allowed' : verdictOf(plugins.map((_, index) => egress[index] === true && ingress[index] === true)),
    egress: { verdict: verdictOf(egress), isolatedBy: isolatedBy('Egress') },
    ingress: { verdict: verdictOf(ingress), isolatedBy: isolatedBy('Ingress') },
  };
}

const doubts = ['hostNetworkIsIsolated', 'hostNetworkIsSelected', 'ipBlockHoldsInCluster', 'sharesNode', 'nodeIsAlwaysReached'] as const;

/** The choices that make the difference where the answer depends, supposing any choice of the others. */
export function reasonsOf(world: RawWorld, question: Question): readonly Doubt[] {
  const makesTheDifference = (doubt: Doubt, plugin: Plugin): boolean =>
    isAllowed(world, question, plugin) !== isAllowed(world, question, { ...plugin, [doubt]: !plugin[doubt] });
  return doubts.filter((doubt) => pluginsFor(question).some((plugin) => makesTheDifference(doubt, plugin)));
}

/** Whether the rule at this position of a policy allows the connection whatever the plugin. */
export function ruleCertainlyAllows(
  world: RawWorld,
  question: Question,
  direction: Direction,
  [name, position]: readonly [string, number],
): boolean {
  const policy = policiesOf(world, subjectOf(question, direction), direction).find(({ metadata }) => metadata.name === name);
  const rule = policy && rulesOf(policy, direction)[position];
  if (policy === undefined || rule === undefined) return false;
  const { namespace } = policy.metadata;
  return pluginsFor(question).every((plugin) => ruleAllows(world, rule, { namespace, question, direction, plugin }));
}

/** Every combination of yes and no; of nodes only where the question is about one, or about a Pod on its network. */
function pluginsFor({ from, to }: Question, settled: Partial<Plugin> = {}): readonly Plugin[] {
  const asksOfNodes = [from, to].some((party) => isOnHostNetwork(party) || isNode(party));
  const choices = doubts.filter((doubt) => !Object.hasOwn(settled, doubt) && (asksOfNodes || doubt === 'ipBlockHoldsInCluster'));
  return choices.reduce<readonly Plugin[]>(
    (plugins, doubt) => plugins.flatMap((plugin) => [plugin, { ...plugin, [doubt]: true }]),
    [{ ...noToAll, ...settled }],
  );
}

const noToAll: Plugin = {
  hostNetworkIsIsolated: false,
  hostNetworkIsSelected: false,
  ipBlockHoldsInCluster: false,
  sharesNode: false,
  nodeIsAlwaysReached: false,
};

function verdictOf(answers: readonly boolean[]): Verdict {
  if (answers.every((allowed) => allowed)) return 'allowed';
  return answers.some((allowed) => allowed) ? 'depends' : 'denied';
}
