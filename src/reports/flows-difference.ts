/** What two states of a cluster allow differently, for a person at a terminal and for programs. */
import { display } from '../kube/display.ts';
import type { ChangeKind, FlowChange, FlowDifference } from '../picture/flow-difference.ts';
import { inFull } from '../picture/flow-names.ts';
import { sideOf } from './flows-text.ts';
import { writtenJson } from './json.ts';
import type { Paint } from './report.ts';
import { counted } from './summary.ts';

export interface DifferenceOptions {
  /** As people call them. */
  readonly before: string;
  readonly after: string;
  readonly notices: readonly string[];
  readonly paint: Paint;
}

const titles: Readonly<Record<ChangeKind, readonly [title: string, style: Parameters<Paint>[0]]>> = {
  lost: ['Lost', 'red'],
  gained: ['Gained', 'cyan'],
  unsure: ['Uncertain before, or now', 'yellow'],
};

/** So many lines a person reads of one kind. */
const mostLines = 60;
/** A policy may name thousands of ports. */
const mostRunes = 200;

export function differenceText({ changes, added, removed }: FlowDifference, { before, after, notices, paint }: DifferenceOptions): string {
  const blocks = [...Map.groupBy(changes, ({ change }) => change)].map(([change, lines]) => blockOf(change, lines, paint));
  const workloads = [
    ...(added.length === 0 ? [] : [`New: ${inFull(added, 8)}.`]),
    ...(removed.length === 0 ? [] : [`Gone: ${inFull(removed, 8)}.`]),
  ];
  const heading = `${paint('bold', 'Who may talk to whom')}, by NetworkPolicy alone: ${display(before)} → ${display(after)}`;
  return `${[heading, ...blocks, ...workloads, ...notices.map((one) => display(one)), summaryOf(changes)].join('\n\n')}\n`;
}

function blockOf(change: ChangeKind, lines: readonly FlowChange[], paint: Paint): string {
  const [title, style] = titles[change];
  const shown = lines
    .slice(0, mostLines)
    .map(
      ({ from, to, ports, why }) =>
        `  ${display(from.name)} → ${display(to.name)}  ${display(ports, mostRunes)}${why === '' ? '' : `  ${paint('dim', display(why))}`}`,
    );
  const more = lines.length > mostLines ? [paint('dim', `  ${lines.length - mostLines} more; -o json has all`)] : [];
  return [paint(style, title), ...shown, ...more].join('\n');
}

const countsOf = (changes: readonly FlowChange[]) => {
  const sum = (kind: ChangeKind): number => changes.reduce((all, { change, pairs }) => (change === kind ? all + pairs : all), 0);
  return { lost: sum('lost'), gained: sum('gained'), unsure: sum('unsure') };
};

function summaryOf(changes: readonly FlowChange[]): string {
  if (changes.length === 0) return 'No connection is lost or gained.';
  const { lost, gained, unsure } = countsOf(changes);
  return `${counted(lost, 'connection')} lost, ${gained} gained, ${unsure} uncertain.`;
}

/** Version 1: keys are only added, never renamed. */
export const differenceJson = ({ sets, changes, added, removed }: FlowDifference, { before, after, notices }: DifferenceOptions): string =>
  writtenJson({
    version: 1,
    before,
    after,
    notices,
    summary: countsOf(changes),
    sets: sets.map((set, id) => ({ id, ...set })),
    changes: changes.map((change) => changeJson(change, sets.length)),
    added,
    removed,
  });

const changeJson = ({ change, from, to, ports, why, pairs }: FlowChange, all: number) => ({
  change,
  ports,
  from: from.name,
  to: to.name,
  ends: { from: sideOf(from, all), to: sideOf(to, all) },
  pairs,
  why,
});
