/** A rule as SARIF describes it: what the reader of a result is shown beside it. */
import { type Severity, severities } from '../engine/finding.ts';
import type { RuleText } from './report.ts';

/** GitHub's scale: over 9.0 critical, 7.0 high, 4.0 medium, 0.1 low (docs.github.com, "SARIF support", reportingDescriptor). */
const scores: Readonly<Record<Severity, string>> = { critical: '9.5', high: '8.0', medium: '5.5', low: '3.0', info: '0.1' };

export function ruleDescriptor({ id, summary, kinds, severities: own, page }: RuleText, docsBaseUrl: string) {
  const gravest = severities.find((severity) => own.includes(severity)) ?? 'info';
  const text = `${summary}. Read on: portcullis explain ${id}`;
  const markdown = page();
  return {
    id,
    shortDescription: { text: `${summary}.` },
    fullDescription: { text: `${summary}.` },
    help: { text, ...(markdown === undefined ? {} : { markdown: withoutOurLinks(markdown) }) },
    ...(docsBaseUrl === '' ? {} : { helpUri: `${docsBaseUrl}/${encodeURIComponent(id)}` }),
    defaultConfiguration: { level: severities.indexOf(gravest) <= 1 ? 'error' : severities.indexOf(gravest) <= 3 ? 'warning' : 'note' },
    properties: { tags: ['security', 'kubernetes', 'networking', ...kinds], precision: 'high', 'security-severity': scores[gravest] },
  };
}

/** Links within our documentation lead nowhere from where the page is shown. */
const withoutOurLinks = (page: string): string =>
  page.replaceAll(/<!--[\s\S]*?-->\n?/g, '').replaceAll(/\[([^\]\n]+)\]\((?!https?:)[^)\s]+\)/g, '$1');
