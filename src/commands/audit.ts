/** `portcullis audit`: the rules on all that a cluster holds, once, with the rights of whoever runs it. */

import { interruptible } from './interrupt.ts';
import { type PrintOptions, printReport } from './print-report.ts';
import { type ScanOptions, scanCluster } from './scan.ts';
import { goneFrom } from './survey-report.ts';
import type { Terminal } from './terminal.ts';

export interface AuditOptions extends PrintOptions, Omit<ScanOptions, 'signal'> {}

/**
 * Prints a report and returns the exit code of `check`: 0 clean, 1 findings, 2 something could not be judged; 130 after
 * Ctrl-C. Rejects with an OperatorError where nothing can be judged.
 */
export const audit = (options: AuditOptions, terminal: Terminal): Promise<number> =>
  interruptible(async (signal) => {
    const { report, snapshot, configuration } = await scanCluster({ ...options, signal }, terminal);
    const { docsBaseUrl, file } = configuration;
    return printReport({ report, snapshot, docsBaseUrl, resolver: file.dns.resolver, isGone: goneFrom(snapshot) }, options, terminal);
  });
