import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/engine/finding.ts';
import { withoutCommands } from '../../src/reports/build-commands.ts';
import { htmlReport } from '../../src/reports/html.ts';
import { script } from '../../src/reports/html-script.ts';
import { style } from '../../src/reports/html-style.ts';
import type { DrawnPicture, Report } from '../../src/reports/report.ts';
import { hostileTexts } from '../support/hostile-text.ts';
import { emptyReport, finding, fullReport, reported, subject } from './sample.ts';

/** Without what is the same on every page, and with a line for each element that matters. */
const bodyOf = (page: string): string =>
  page
    .slice(page.indexOf('<body>'))
    .replace(/<script>[\s\S]*?<\/script>/, '')
    .replaceAll(/(<(?:section|article|details|dl|dt|ul|li|tr|h\d|p|pre|form|table|footer|nav|main)\b)/g, '\n$1');

const sha = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

/** Elements of the page, by how often they are opened: what a reader's browser makes of it. */
function elementsOf(page: string): ReadonlyMap<string, number> {
  const body = page.replace(/<(script|style)>[\s\S]*?<\/\1>/g, '<$1>');
  return new Map(
    [...Map.groupBy(body.matchAll(/<([a-zA-Z!][^\s>/]*)/g), ([, name]) => name as string)].map(([name, all]) => [name, all.length]),
  );
}

const picture: DrawnPicture = {
  picture: {
    nodes: [
      { id: 'a', kind: 'service', namespace: 'shop', title: 'Service web', isolated: [] },
      { id: 'b', kind: 'missing', namespace: 'shop', title: 'no Pod', isolated: [] },
    ],
    edges: [{ from: 'a', to: 'b', kind: 'serve', state: 'broken', label: 'selects no Pod', why: 'app=wbe matches nothing (some-rule)' }],
    omitted: [],
  },
  drawings: [
    {
      title: '',
      svg: '<?xml version="1.0"?>\n<svg width="10.50pt" height="20pt"\n viewBox="0.00 0.00 10.50 20.00"><g id="graph0" class="graph"/></svg>',
      omitted: ['cut'],
    },
  ],
  omitted: ['one is left out'],
};

it('has a part for everything that a report can say', () => {
  const report: Report = {
    ...fullReport,
    cluster: 'prod',
    observedAt: Date.UTC(2026, 10, 21, 12),
    findings: fullReport.findings.map((one, index) => ({ ...one, state: index === 0 ? 'introduced' : 'unchanged' })),
    fixed: [{ ruleId: 'gone', subject, path: 'spec', what: 'it was wrong', severity: 'high', fingerprint: 'f' }],
  };
  expect(bodyOf(htmlReport(report, { docsBaseUrl: 'https://docs.example/rules', version: '1.2.3', picture }))).toMatchSnapshot();
});

it('says so where nothing was found, and shows no controls', () => {
  const page = htmlReport(emptyReport);
  expect(page).toContain('Nothing was found in 1 object.');
  expect(page).not.toContain('id="controls"');
  expect(page).not.toContain('id="picture"');
});

describe('policy', () => {
  it('lets run and style only what is in the page', () => {
    const page = htmlReport(fullReport);
    expect(page).toContain(
      `content="default-src 'none'; style-src '${sha(style)}'; script-src '${sha(script)}'; img-src data:; base-uri 'none'; form-action 'none'"`,
    );
    expect(page).toContain(`<script>${script}</script>`);
    expect(page).toContain(`<style>${style}</style>`);
  });

  it('keeps the script small', () => expect(script.length).toBeLessThan(5_000));

  it('survives what is taken out of all output for build servers', () => {
    const page = htmlReport(fullReport);
    expect(withoutCommands(page)).toBe(page);
  });

  it('leaves nothing that it forbids: no style or handler in an attribute, nothing from elsewhere', () => {
    const page = htmlReport(fullReport, { picture });
    expect(page).not.toMatch(/<[^>]+\s(style|on\w+)=/);
    expect(page.replaceAll(/<(script|style)>[\s\S]*?<\/\1>/g, '')).not.toMatch(/\s(src|srcset|action)=|<link|url\(/);
  });
});

it('links rules only to the web', () => {
  expect(htmlReport(fullReport, { docsBaseUrl: 'https://docs.example' })).toContain(
    '<a href="https://docs.example/service-selector-matches-no-pods" rel="noreferrer">',
  );
  expect(htmlReport(fullReport, { docsBaseUrl: 'javascript:alert(1)' })).not.toContain('javascript:');
});

it('has the patch as a command for a cluster, quoted for a shell, and as YAML for a file', () => {
  const patch = finding().fix.patch ?? [];
  const inCluster = { finding: finding({ fix: { text: 'x', patch }, subject: { ...subject, name: "it's" } }), mode: 'warn' } as const;
  expect(htmlReport({ ...emptyReport, findings: [inCluster] })).toContain(
    `kubectl patch service 'it'\\''s' -n shop --type=json -p '[{&quot;op&quot;:&quot;replace&quot;,&quot;path&quot;:&quot;/spec/selector/a~1b~0c&quot;,&quot;value&quot;:&quot;web&quot;}]'`,
  );
  expect(htmlReport({ ...emptyReport, findings: [reported()] })).toContain(
    '- op: replace\n  path: &quot;/spec/selector/a~1b~0c&quot;\n  value: web',
  );
});

it('takes what people wrote for text, wherever it stands', () => {
  // Each 37th of them: the others differ in the place, and a page has all places.
  const texts = hostileTexts.filter((text, index) => index % 37 === 0 || /[<>"'&]/.test(text));
  expect(texts.length).toBeGreaterThan(150);
  const pageOf = (text: string): string => htmlReport(reportOf(text), { docsBaseUrl: 'https://docs.example', version: text, picture });
  const expected = elementsOf(pageOf('plain'));
  for (const text of texts.map((each) => each.slice(0, 2_000))) {
    const page = pageOf(text);
    expect(elementsOf(page), JSON.stringify(text)).toEqual(expected);
    expect(page.replace(/<script>[\s\S]*?<\/script>/, ''), JSON.stringify(text)).not.toMatch(
      /[^\n\P{Cc}]|[\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u,
    );
  }
});

/** The text in every place that holds text of others. */
function reportOf(text: string): Report {
  const ref = { apiVersion: 'v1', kind: text, namespace: text, name: text };
  const every: Finding = finding({
    ruleId: text,
    subject: ref,
    path: ['spec', text],
    what: text,
    why: text,
    related: [ref],
    fix: { text, manifest: { kind: text, list: [text] }, patch: [{ op: 'add', path: [text], value: text }] },
  });
  return {
    ...emptyReport,
    cluster: text,
    findings: [
      { finding: every, mode: 'deny' },
      { finding: every, mode: 'warn', place: { file: text, line: 1, column: 1 } },
    ],
    exempted: [{ finding: every, reason: text }],
    skipped: [{ skip: { ruleId: text, reason: 'forbidden', missing: 'Pod', namespace: 'a' }, object: ref }],
    faults: [{ fault: { ruleId: text, cause: text }, object: ref }],
    errors: [{ file: text, line: 1, column: 1, message: text, hint: text }],
    notices: [text],
    fixed: [{ ruleId: text, subject: ref, path: text, what: text, severity: 'low', fingerprint: '' }],
  };
}

it('stays small: 500 findings in less than a megabyte', () => {
  const many = Array.from({ length: 500 }, (_, index) => reported({ subject: { ...subject, name: `web-${index}` } }));
  expect(htmlReport({ ...emptyReport, findings: many }).length).toBeLessThan(1_000_000);
});
