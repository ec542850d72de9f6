/** What was found, in the forms in which it can be written. */
import { jsonReport } from './json.ts';
import type { Report, ReportOptions } from './report.ts';
import { textReport } from './text.ts';

export type { Report, ReportOptions } from './report.ts';

export const reports: Readonly<Record<'text' | 'json', (report: Report, options: ReportOptions) => string>> = {
  text: textReport,
  json: jsonReport,
};
