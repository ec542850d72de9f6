/** A report with one of everything, and text that someone hostile wrote. */
import type { Finding } from '../../src/engine/finding.ts';
import type { BaselineFinding } from '../../src/reports/baseline.ts';
import type { Report, ReportedFinding, ReportOptions } from '../../src/reports/report.ts';

export const subject = { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web' };

export const finding = (more: Partial<Finding> = {}): Finding => ({
  ruleId: 'service-selector-matches-no-pods',
  messageId: 'noPodMatches',
  severity: 'high',
  facts: 'namespace',
  subject,
  path: ['spec', 'selector'],
  what: 'no Pod in shop matches app=wbe',
  why: 'Connections fail.',
  fix: { text: 'use app=web', patch: [{ op: 'replace', path: ['spec', 'selector', 'a/b~c'], value: 'web' }] },
  related: [{ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' }],
  fingerprint: 'print',
  defects: [],
  ...more,
});

export const reported = (
  more: Partial<Finding> = {},
  mode: ReportedFinding['mode'] = 'warn',
  file = 'a.yaml',
  line = 3,
  column = 5,
): ReportedFinding => ({
  finding: finding(more),
  mode,
  place: { file, line, column },
});

export const emptyReport: Report = {
  objects: 1,
  files: 1,
  judged: [{ object: subject, rules: ['service-selector-matches-no-pods'], place: { file: 'a.yaml', line: 1, column: 1 } }],
  findings: [],
  exempted: [],
  skipped: [],
  faults: [],
  errors: [],
  notices: [],
};

export const fullReport: Report = {
  objects: 4,
  files: 2,
  judged: [
    {
      object: subject,
      rules: ['service-selector-matches-no-pods', 'later-in-file', 'only-noted', 'let-through', 'unsure', 'late', 'wide', 'broken'],
      place: { file: 'b.yaml', line: 1, column: 1 },
    },
    { object: { ...subject, name: 'api' }, rules: ['unsure', 'all-well'], place: { file: 'a.yaml', line: 1, column: 1 } },
  ],
  findings: [
    reported({ severity: 'low', ruleId: 'later-in-file' }, 'warn', 'b.yaml', 20, 1),
    { ...reported({}, 'deny', 'b.yaml', 7, 3), relatedPlaces: [{ file: 'web.yaml', line: 1, column: 1 }] },
    reported({ ruleId: 'only-noted', severity: 'medium' }, 'audit', 'b.yaml', 7, 2),
    reported(
      { fix: { text: 'apply this', manifest: { kind: 'NetworkPolicy', metadata: { name: 'dns' } } }, severity: 'medium' },
      'warn',
      'a.yaml',
    ),
  ],
  exempted: [{ finding: finding({ ruleId: 'let-through' }), reason: 'moved by the platform team' }],
  skipped: [
    { skip: { ruleId: 'unsure', reason: 'notGiven', missing: 'Pod', namespace: 'shop' }, object: subject },
    { skip: { ruleId: 'unsure', reason: 'notGiven', missing: 'Pod', namespace: 'shop' }, object: { ...subject, name: 'api' } },
    { skip: { ruleId: 'late', reason: 'deadline' }, object: subject },
    { skip: { ruleId: 'wide', reason: 'forbidden', missing: 'Service', namespace: '*' }, object: subject },
  ],
  faults: [{ fault: { ruleId: 'broken', cause: new TypeError('x is not a function') }, object: subject }],
  errors: [
    { file: 'c.yaml', line: 2, column: 9, message: 'is not valid YAML', hint: 'Repair it.' },
    { file: 'd.yaml', message: 'does not exist', hint: 'Check the path.' },
  ],
  notices: ['an exemption has expired'],
};

export const hostile = 'a\n\u001b[2Jb\u202Ec\u009b';

/** The same findings in a cluster: no files, no places. */
export const clusterReport: Report = {
  ...emptyReport,
  objects: 3,
  files: 0,
  cluster: 'prod',
  observedAt: Date.UTC(2026, 10, 21, 15, 20, 31),
  judged: [
    { object: subject, rules: ['service-selector-matches-no-pods'] },
    { object: { ...subject, namespace: 'payments' }, rules: ['service-selector-matches-no-pods'] },
    { object: { ...subject, namespace: 'quiet' }, rules: ['service-selector-matches-no-pods'] },
  ],
  findings: [
    { finding: finding({ severity: 'low', messageId: 'mild', fingerprint: 'mild' }), mode: 'warn' },
    { finding: finding(), mode: 'deny' },
    { finding: finding({ subject: { ...subject, namespace: 'payments' }, fingerprint: 'payments' }), mode: 'audit' },
  ],
  exempted: [{ finding: finding({ ruleId: 'let-through' }), reason: 'moved by the platform team' }],
};

const earlier: BaselineFinding = {
  ruleId: 'service-selector-matches-no-pods',
  subject: { ...subject, name: 'api' },
  path: 'spec.selector',
  what: 'no Pod in shop matches app=apl',
  severity: 'high',
  fingerprint: 'api',
  file: 'a.yaml',
};

/** One finding that is new, two that were there before, one that is fixed, and one that nobody has looked at. */
export const comparedReport: Report = {
  ...emptyReport,
  findings: [
    { ...reported({ fingerprint: 'new' }), state: 'introduced' },
    { ...reported({ severity: 'critical' }, 'deny'), state: 'unchanged' },
    { ...reported({ severity: 'low' }), state: 'unchanged' },
  ],
  fixed: [earlier],
  notCompared: 1,
};

/** What the commands tell of rules. */
export const options: ReportOptions = {
  docsBaseUrl: 'https://docs.example/rules',
  version: '1.2.3',
  root: '/work',
  rules: [
    {
      id: 'service-selector-matches-no-pods',
      summary: 'A Service selector matches at least one Pod',
      kinds: ['Service'],
      severities: ['low', 'high'],
      page: () =>
        '<!-- generated -->\n# service-selector-matches-no-pods\n\nSee the [configuration](../configuration.md) and [Kubernetes](https://kubernetes.io).\n',
    },
  ],
};
