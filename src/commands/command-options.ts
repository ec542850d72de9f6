/** Options that several commands have, and how their help ends. */
import { Option } from 'commander';
import { severities } from '../engine/finding.ts';
import { reportFormats } from '../reports/report.ts';

export const helpOf = (examples: string): string => `\nExamples:\n${examples.trim().replaceAll(/^/gm, '  ')}\n`;

export const reportOption = (): Option =>
  new Option('-o, --output <format>', 'how to print; docs/output-formats.md says which for what').choices(reportFormats).default('text');
export const failOnOption = (): Option =>
  new Option('--fail-on <severity>', 'exit with 1 for findings this grave, or graver; notes never count')
    .choices(severities)
    .default('medium');
export const baselineOption = (): Option =>
  new Option('--baseline <file>', 'the JSON report of an earlier run: only what is new since then makes exit code 1');
export const outputOption = (): Option => new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text');
