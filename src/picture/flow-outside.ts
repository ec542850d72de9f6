/** What lies outside the cluster as one node: what may come from there, and go there, as far as policies name addresses. */

import { answersOf, type PortVoice } from '../cluster/traffic/end.ts';
import type { Answer, Direction, Endpoint, PortAnswers } from '../cluster/traffic/flow.ts';
import type { Group } from '../cluster/traffic/groups.ts';
import { directions } from '../cluster/traffic/groups.ts';
import { type PolicyRule, rulesOf } from '../cluster/traffic/policy-rules.ts';
import { noPorts, type Ports, portsNamedBy, union, without } from '../cluster/traffic/ports.ts';
import { holdTogether } from '../kube/address-ranges.ts';
import { type IpBlock, parseBlock } from '../kube/cidr.ts';
import { onceFor } from '../kube/once-for.ts';
import { formatRef, type NetworkPolicy, refOf } from '../kube/resources.ts';
import { Numbered } from './flow-map.ts';
import { type FlowSet, inCommon } from './flow-sets.ts';

export interface OutsideLine {
  /** `Ingress`: from outside to these. */
  readonly direction: Direction;
  readonly sets: readonly FlowSet[];
  /** Which addresses; none for any. */
  readonly addresses: readonly string[];
  readonly answer: Answer;
  readonly ports: Ports;
}

/** Sets of which the same is true are told together. */
export function outsideLines(sets: readonly FlowSet[]): readonly OutsideLine[] {
  return directions.flatMap((direction) => {
    const numbered = new Numbered();
    const told = sets.flatMap((set) =>
      partsOf(set, direction).map(({ addresses, answers }) => ({
        set,
        addresses,
        number: numbered.numberOf(answers.allowed, answers.depends),
      })),
    );
    const alike = Map.groupBy(told, ({ addresses, number }) => `${number} ${addresses.join()}`);
    return [...alike.values()].flatMap((some) => {
      const [{ addresses, number }] = some as [(typeof some)[number]];
      return linesOf({ direction, addresses, sets: some.map(({ set }) => set) }, numbered.of(number));
    });
  });
}

function linesOf(
  line: Pick<OutsideLine, 'direction' | 'addresses' | 'sets'>,
  [allowed = noPorts, depends = noPorts]: readonly Ports[],
): readonly OutsideLine[] {
  if (allowed.length + depends.length === 0) return [{ ...line, answer: 'denied', ports: noPorts }];
  return [
    ...(allowed.length > 0 ? [{ ...line, answer: 'allowed' as const, ports: allowed }] : []),
    ...(depends.length > 0 ? [{ ...line, answer: 'depends' as const, ports: depends }] : []),
  ];
}

interface Part {
  readonly addresses: readonly string[];
  readonly answers: PortAnswers;
}

/** What holds for any address, and beyond that for those that policies name. */
function partsOf(set: FlowSet, direction: Direction): readonly Part[] {
  const anywhere = outsideAnswers(set, direction, undefined);
  const more = Array.from(blocksIn(set, direction), ([title, block]): Part => {
    const { allowed, depends } = outsideAnswers(set, direction, block);
    return {
      addresses: [title],
      answers: { allowed: without(allowed, anywhere.allowed), depends: without(depends, union(anywhere.allowed, anywhere.depends)) },
    };
  }).filter(({ answers }) => answers.allowed.length + answers.depends.length > 0);
  const numbered = new Numbered();
  const merged = [...Map.groupBy(more, ({ answers: { allowed, depends } }) => numbered.numberOf(allowed, depends)).values()].map(
    (alike): Part => ({ addresses: alike.flatMap(({ addresses }) => addresses), answers: (alike[0] as Part).answers }),
  );
  const isClosed = anywhere.allowed.length + anywhere.depends.length === 0;
  return isClosed && merged.length > 0 ? merged : [{ addresses: [], answers: anywhere }, ...merged];
}

/** `0.0.0.0/0 but 10.0.0.0/8`. */
const titleOf = ({ cidr, except }: IpBlock): string => (except.length === 0 ? cidr : `${cidr} but ${except.join(', ')}`);

/** The blocks that policies of these Pods name, each once, by its title. */
export const blocksIn = ({ groups }: FlowSet, direction: Direction): ReadonlyMap<string, IpBlock> =>
  new Map(
    groups.flatMap(({ binding }) =>
      binding[direction].flatMap(({ policy }) =>
        Array.from(rulesByBlock[direction](policy), ([title, { block }]) => [title, block] as const),
      ),
    ),
  );

/** The policies of which a rule is about any address, or about some. */
export const speakersOf = ({ groups }: FlowSet, direction: Direction, isAnywhere: boolean): readonly string[] =>
  groups.flatMap(({ binding }) =>
    binding[direction].flatMap(({ policy }) => {
      const speaks = ({ peers }: PolicyRule): boolean =>
        peers === undefined || (!isAnywhere && peers.some(({ ipBlock }) => ipBlock !== undefined));
      return rulesOf(policy, direction).some(speaks) ? [formatRef(refOf(policy))] : [];
    }),
  );

/** What is true of every address of a block; without one, of any address. */
export const outsideAnswers = ({ groups }: FlowSet, direction: Direction, block: IpBlock | undefined): PortAnswers =>
  inCommon(groups.map((group) => answersFor(group, direction, block)));

/** What the policies of these Pods say of all addresses of a block, or of any address. */
function answersFor({ binding, workloads }: Group, direction: Direction, block: IpBlock | undefined): PortAnswers {
  const destination: Endpoint = direction === 'Ingress' ? workloads[0] : { address: '' };
  const isReadable = block === undefined || [block.cidr, ...block.except].every((one) => parseBlock(one) !== undefined);
  const voices = binding[direction].map(({ policy, selected }): PortVoice => {
    const portsOf = (rules: readonly PolicyRule[]): Ports =>
      rules.reduce((all, rule) => union(all, portsNamedBy(rule.ports, destination)), noPorts);
    const open = portsOf(rulesOf(policy, direction).filter(({ peers }) => peers === undefined));
    if (block === undefined) return { selected, allowed: open, perhaps: noPorts };
    const named = portsOf(rulesHolding(policy, direction, block));
    return isReadable ? { selected, allowed: union(open, named), perhaps: noPorts } : { selected, allowed: open, perhaps: named };
  });
  return answersOf(voices, false);
}

interface OfBlock {
  readonly block: IpBlock;
  readonly rules: PolicyRule[];
}

/** The rules of a policy by the blocks that they name, whose titles are the keys. */
const rulesByBlock = {
  Ingress: onceFor((policy: NetworkPolicy) => byBlock(rulesOf(policy, 'Ingress'))),
  Egress: onceFor((policy: NetworkPolicy) => byBlock(rulesOf(policy, 'Egress'))),
};

function byBlock(rules: readonly PolicyRule[]): ReadonlyMap<string, OfBlock> {
  const made = new Map<string, OfBlock>();
  for (const rule of rules)
    for (const { ipBlock } of rule.peers ?? []) {
      if (ipBlock === undefined) continue;
      const title = titleOf(ipBlock);
      const of = made.get(title) ?? { block: ipBlock, rules: [] };
      made.set(title, of);
      of.rules.push(rule);
    }
  return made;
}

/** A policy may name thousands of blocks. That one of so many lies within another is not looked for: it is told on a line of its own. */
const mostCompared = 50;

/** The rules that hold every address of the block. */
function rulesHolding(policy: NetworkPolicy, direction: Direction, block: IpBlock): readonly PolicyRule[] {
  const all = rulesByBlock[direction](policy);
  const same = all.get(titleOf(block))?.rules ?? [];
  if (all.size > mostCompared) return same;
  const holding = rulesOf(policy, direction).filter(({ peers = [] }) =>
    holdTogether(
      peers.flatMap(({ ipBlock = [] }) => ipBlock),
      block,
    ),
  );
  return [...new Set([...same, ...holding])];
}
