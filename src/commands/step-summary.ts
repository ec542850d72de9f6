/** GitHub shows below a step what the step has appended to a file: the report in Markdown. */
import { appendFile, stat } from 'node:fs/promises';
import { display } from '../kube/display.ts';
import type { Report, ReportOptions } from '../reports/index.ts';
import { markdownReport } from '../reports/markdown.ts';
import type { Terminal } from './terminal.ts';

/** GitHub refuses a summary that is larger (docs.github.com, workflow commands, "Step isolation and limits"). */
const maxBytes = 1024 * 1024;

/** Does nothing where there is no such file. What cannot be written is said, and is no failure of the check. */
export async function appendStepSummary(report: Report, options: ReportOptions, terminal: Terminal): Promise<void> {
  const { stepSummary } = terminal;
  if (!stepSummary) return;
  try {
    const taken = await stat(stepSummary).then(
      ({ size }) => size,
      () => 0,
    );
    await appendFile(stepSummary, markdownReport(report, { ...options, maxBytes: maxBytes - taken }));
  } catch (cause) {
    terminal.error(
      `portcullis: the summary of the step cannot be written (${display(cause instanceof Error ? cause.message : String(cause))})\n`,
    );
  }
}
