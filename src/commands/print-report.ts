/** How a command that judges ends: the report is compared with an earlier one, printed, and made an exit code. */
import type { ResolverName } from '../cluster/resolver.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import { type Severity, severities } from '../engine/finding.ts';
import { type BaselineFinding, comparedWith } from '../reports/baseline.ts';
import { type Report, type ReportFormat, type ReportOptions, reports } from '../reports/index.ts';
import { rules } from '../rules/index.ts';
import type { DrawnFormat } from './draw.ts';
import { readBaseline } from './read-baseline.ts';
import { rulePage } from './rule-pages.ts';
import { appendStepSummary } from './step-summary.ts';
import type { Terminal } from './terminal.ts';

export interface PrintOptions {
  readonly output: ReportFormat;
  /** Findings of this severity or a graver one, in mode deny or warn, make the exit code 1. */
  readonly failOn: Severity;
  /** The JSON report of an earlier run: what it tells of makes no exit code any more. */
  readonly baseline?: string;
  /** Of Portcullis. */
  readonly version?: string | undefined;
}

/** What a command has found, and what its report needs beside it. */
export interface Printed extends Omit<ReportOptions, 'paint' | 'rules' | 'picture' | 'root' | 'version'> {
  readonly report: Report;
  /** What was judged, for the formats that show who may talk to whom. */
  readonly snapshot: ClusterSnapshot;
  /** Which Service is the cluster's resolver, where the configuration says so. */
  readonly resolver: ResolverName | undefined;
  /** Whether the object of a finding of the baseline, which was not judged now, is certain not to exist any more. */
  readonly isGone: (earlier: BaselineFinding) => boolean;
}

/**
 * Prints, and returns the exit code: 0 clean, 1 findings, 2 something could not be used or judged. Throws an
 * OperatorError where the baseline cannot be used: PC0002 unreadable, PC0009 no report.
 */
export async function printReport(
  { report, snapshot, resolver, isGone, ...more }: Printed,
  options: PrintOptions,
  terminal: Terminal,
): Promise<0 | 1 | 2> {
  const { output, failOn, baseline, version } = options;
  const compared = baseline === undefined ? report : comparedWith(report, await readBaseline(baseline), isGone);
  const picture = isDrawn(output) ? await (await import('./draw.ts')).draw(snapshot, report, { format: output, resolver }) : undefined;
  const told: ReportOptions = {
    ...more,
    ...(picture && { picture }),
    ...(version === undefined ? {} : { version }),
    root: process.cwd(),
    paint: terminal.paint,
    rules: ruleTexts,
  };
  terminal.out(reports[output](compared, told), output === 'github' ? 'commands' : 'text');
  await appendStepSummary(compared, told, terminal);
  return exitCode(compared, failOn);
}

const isDrawn = (output: ReportFormat): output is DrawnFormat => output === 'html' || output === 'dot' || output === 'mermaid';

const ruleTexts = rules.map(({ meta, messages }) => ({
  id: meta.id,
  summary: meta.summary,
  kinds: meta.kinds,
  severities: Object.values(messages).map(({ severity }) => severity),
  page: () => rulePage(meta.id),
}));

/** A result that is not complete is 2 whatever else was found (ecosystem.md B4). Of a baseline, only what is new counts. */
function exitCode({ errors, faults, findings }: Report, failOn: Severity): 0 | 1 | 2 {
  if (errors.length > 0 || faults.length > 0) return 2;
  const grave = severities.slice(0, severities.indexOf(failOn) + 1);
  return findings.some(({ finding, mode, state }) => mode !== 'audit' && state !== 'unchanged' && grave.includes(finding.severity)) ? 1 : 0;
}
