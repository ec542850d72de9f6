/** What was found, in the forms in which it can be written. */
import { githubReport } from './github.ts';
import { gitlabReport } from './gitlab.ts';
import { htmlReport } from './html.ts';
import { jsonReport } from './json.ts';
import { junitReport } from './junit.ts';
import { markdownReport } from './markdown.ts';
import { dotReport, mermaidReport } from './picture-text.ts';
import type { Report, ReportFormat, ReportOptions } from './report.ts';
import { sarifReport } from './sarif.ts';
import { textReport } from './text.ts';

export type { Report, ReportFormat, ReportOptions, ReportPlace } from './report.ts';

export const reports: Readonly<Record<ReportFormat, (report: Report, options: ReportOptions) => string>> = {
  text: textReport,
  json: jsonReport,
  markdown: markdownReport,
  sarif: sarifReport,
  junit: junitReport,
  github: githubReport,
  gitlab: gitlabReport,
  html: htmlReport,
  dot: dotReport,
  mermaid: mermaidReport,
};
