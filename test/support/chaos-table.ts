/** The chaos matrix as a table: one row for each outage and failure policy. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Judged, Outcome } from './load.ts';

export interface Row {
  readonly outage: string;
  readonly policy: 'Ignore' | 'Fail';
  readonly judged: readonly Judged[];
  /** Writes that no policy of ours may touch, at the same time; counted in the row of `Fail`. */
  readonly others: readonly Judged[];
  /** From the end of the outage to the first write after which all verdicts were right. */
  readonly recoveryMs: number;
}

export const count = (judged: readonly Judged[], outcome: Outcome): number => judged.filter((one) => one.outcome === outcome).length;
export const slowestOursMs = (judged: readonly Judged[]): number => Math.max(0, ...judged.map(({ oursMs }) => oursMs));

const columns = [
  'outage',
  'policy',
  'writes',
  'judged',
  'unsure',
  'failed open',
  'blocked',
  'not served',
  'wrong',
  'other writes blocked',
  'slowest by us, ms',
  'right again after, ms',
] as const;

export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ outage, policy, judged, others, recoveryMs }) => [
    outage,
    policy,
    ...[judged.length, count(judged, 'judged'), count(judged, 'unsure'), count(judged, 'failedOpen'), count(judged, 'blocked')],
    ...[count(judged, 'unserved'), count(judged, 'wrong')],
    others.length === 0 ? '' : `${count(others, 'blocked') + count(others, 'wrong')} of ${others.length}`,
    ...[Math.round(slowestOursMs(judged)), Math.round(recoveryMs)],
  ]);
  return [columns, columns.map((_, index) => (index < 2 ? '---' : '--:')), ...cells].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

const begin = '<!-- test/e2e/chaos.e2e.test.ts writes from here -->';
const end = '<!-- to here -->';

/** Puts the table between its marks. */
export function writeTable(file: string, text: string): void {
  const page = readFileSync(file, 'utf8');
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${file} has no place for the table`);
  writeFileSync(file, `${before}${begin}\n\n${text}\n\n${end}${after}`);
}
