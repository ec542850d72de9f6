/** Who may talk to whom, for a person at a terminal and for programs. */
import { display } from '../kube/display.ts';
import type { FlowReport, FlowSection, ToldFlow, ToldSide } from '../picture/flow-report.ts';
import { writtenJson } from './json.ts';
import type { Paint } from './report.ts';
import { counted } from './summary.ts';

export interface FlowsOptions {
  /** As people call where it was read: a context, the files. */
  readonly source: string;
  readonly notices: readonly string[];
  readonly paint: Paint;
}

const titles: Readonly<Record<FlowSection, string>> = {
  open: 'Open to everybody',
  isolated: 'Reached by no workload',
  outside: 'Outside the cluster',
  allowed: 'Allowed',
  depends: 'Depends on what policies do not settle',
  denied: 'Denied',
};

/** So many lines a person reads of one section. */
const mostLines = 60;
/** A policy may name thousands of ports. */
const mostRunes = 200;

export function flowsText({ sets, flows, pairs }: FlowReport, { source, notices, paint }: FlowsOptions): string {
  const blocks = [...Map.groupBy(flows, ({ section }) => section)].map(([section, lines]) => blockOf(section, lines, paint));
  const workloads = sets.reduce((sum, set) => sum + set.workloads.length, 0);
  const summary = `${counted(workloads, 'workload')} in ${counted(sets.length, 'set')} that policies tell apart; of ${counted(
    pairs.allowed + pairs.depends + pairs.denied,
    'pair',
  )}, ${pairs.allowed} allowed, ${pairs.depends} uncertain, ${pairs.denied} denied.`;
  const heading = `${paint('bold', 'Who may talk to whom')} in ${display(source)}, by NetworkPolicy alone`;
  return `${[heading, ...blocks, ...notices.map((notice) => display(notice)), summary].join('\n\n')}\n`;
}

function blockOf(section: FlowSection, lines: readonly ToldFlow[], paint: Paint): string {
  const shown = lines.slice(0, mostLines).map((line) => lineOf(line, paint));
  const more =
    lines.length > mostLines ? [paint('dim', `  ${lines.length - mostLines} more; -n narrows it down, and -o json has all`)] : [];
  return [paint('bold', titles[section]), ...shown, ...more].join('\n');
}

function lineOf({ section, from, to, answer, ports, why }: ToldFlow, paint: Paint): string {
  const said =
    section === 'open' || section === 'isolated' ? display(to.name) : `${display(from.name)} ${arrows[answer]} ${display(to.name)}`;
  return `  ${said}${ports === '' ? '' : `  ${display(ports, mostRunes)}`}  ${paint('dim', display(why))}`;
}

const arrows: Readonly<Record<ToldFlow['answer'], string>> = { allowed: '→', depends: '⇢', denied: '✕' };

/** Version 1: keys are only added, never renamed. */
export const flowsJson = ({ sets, flows, pairs }: FlowReport, { source, notices }: FlowsOptions): string =>
  writtenJson({
    version: 1,
    source,
    notices,
    pairs,
    sets: sets.map((set, id) => ({ id, ...set })),
    flows: flows.map(({ section: _, from, to, ...flow }) => ({ from: sideOf(from, sets.length), to: sideOf(to, sets.length), ...flow })),
  });

/** Of many sets those that are missing are fewer. */
export function sideOf({ name, sets, addresses = [], but = [] }: ToldSide, all: number) {
  if (sets === undefined) return { name, outside: true, addresses, ...(but.length > 0 && { but }) };
  if (sets.length <= all / 2 || all < 10) return { name, sets };
  const present = new Set(sets);
  return { name, allSetsBut: Array.from({ length: all }, (_, id) => id).filter((id) => !present.has(id)) };
}
