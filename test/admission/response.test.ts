import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Asked } from '../../src/admission/request.ts';
import { allow, allowUnread, type Circumstances, encode } from '../../src/admission/response.ts';
import { type Finding, severities } from '../../src/engine/finding.ts';
import type { Decision, Warning } from '../../src/engine/review.ts';
import { decisionWith, findingWith } from './reviews.ts';

const asked: Asked = {
  uid: 'u-1',
  operation: 'CREATE',
  group: '',
  kind: 'Service',
  namespace: 'shop',
  name: 'web',
  dryRun: false,
  user: { username: 'alice', groups: [] },
};
const calm: Circumstances = { notices: [], staleMsOf: () => 0, staleMs: 0, docsBaseUrl: '' };
const answer = (decision: Partial<Decision>, around: Partial<Circumstances> = {}) =>
  encode(asked, decisionWith(decision), { ...calm, ...around }).response;
const warningsOf = (warnings: readonly Warning[], around: Partial<Circumstances> = {}) => answer({ warnings }, around).warnings ?? [];
const lineOf = (finding: Partial<Finding>, softened?: Warning['softened'], around: Partial<Circumstances> = {}) =>
  warningsOf([{ finding: findingWith(finding), ...(softened === undefined ? {} : { softened }) }], around)[0] as string;
const runes = (text: string): number => Array.from(text).length;

describe('an answer', () => {
  it('without a word is as small as can be', () => {
    expect(allow(asked)).toEqual({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: 'u-1', allowed: true } });
    expect(answer({})).toEqual({ uid: 'u-1', allowed: true, auditAnnotations: { decision: 'allow' } });
  });

  it('about an object that could not be read says so', () => {
    expect(allowUnread(asked).response).toMatchObject({
      allowed: true,
      warnings: ['portcullis: Service not checked: the object cannot be read'],
    });
  });
});

describe('a warning', () => {
  it('says where, what, what to do, and the rule', () => {
    expect(lineOf({})).toBe(
      'spec.selector: app=wbe matches 0 of 41 Pods in shop; did you mean app=web (3 Pods)? [service-selector-matches-no-pods]',
    );
  });

  it.each([
    ['dry-run', 'would be denied: spec.selector: '],
    ['ratcheted', 'not new, so not denied: spec.selector: '],
    ['unconfirmed', 'unconfirmed, so not denied: spec.selector: '],
    ['owned', 'made by a controller, so not denied: spec.selector: '],
  ] as const)('in place of a denial (%s) begins with the reason', (softened, start) => {
    expect(lineOf({}, softened).startsWith(start)).toBe(true);
  });

  it('on old data says how old, from 10 seconds on', () => {
    const aged = (ms: number) => lineOf({}, undefined, { staleMsOf: () => ms });
    expect(aged(10_000)).not.toContain('old');
    expect(aged(45_000)).toContain(' in shop (on data 45 s old); did you mean');
    expect(aged(600_000)).toContain('(on data 10 min old)');
  });

  it('loses evidence first where no line is left for it, then the middle of names', () => {
    const others = Array.from({ length: 4 }, (_, at) => ({ finding: findingWith({ severity: 'low', what: `w${at}` }) }));
    const [long = ''] = warningsOf([{ finding: findingWith({ what: `${'Deployment a, '.repeat(40)}all differ` }) }, ...others]);
    expect(runes(long)).toBe(240);
    expect(long).toMatch(/^spec\.selector: Deployment a, .*…; did you mean app=web \(3 Pods\)\? \[service-selector-matches-no-pods\]$/);
    const name = `payments-${'x'.repeat(200)}-web`;
    const named = lineOf({ what: `${name} is not there`, fix: { text: `did you mean ${name}?` } });
    expect(named).toMatch(/^spec\.selector: payments-x+…x+-web is not there; did you mean payments-x+…x+-web\? \[/);
    expect(runes(named)).toBeLessThanOrEqual(240);
  });

  it('keeps the path, the fix and the id of a finding that names only what is 253 long', () => {
    const key = `${'k'.repeat(253)}/${'n'.repeat(63)}`;
    const line = lineOf({ path: ['spec', 'selector', key], what: `${key} is wrong`, fix: { text: `use ${'v'.repeat(63)} or ${key}` } });
    expect(line).toMatch(/^spec\.selector\[k+…k+\/n+…n+\]: .*; use v+…v+ or k+…k+\/n+…n+ \[service-selector-matches-no-pods\]$/);
  });

  it('keeps both parts of a qualified name, each as long as a name may be', () => {
    const key = 'exempt.portcullis.dev/service-numeric-target-port-undeclared';
    expect(lineOf({ path: ['metadata', 'annotations', key], what: `${key} is over`, fix: { text: 'remove it' } })).toBe(
      `metadata.annotations[${key}]: ${key} is over; remove it [service-selector-matches-no-pods]`,
    );
  });

  it('gives the fix a line of its own where beside it nothing could be said of what is wrong', () => {
    const edit = `add {to: [${'{a: b}, '.repeat(20)}]}`;
    const [what, fix, ...none] = warningsOf([
      { finding: findingWith({ what: 'Deployment web cannot reach DNS', fix: { text: edit } }), softened: 'dry-run' },
    ]);
    expect(what).toBe('would be denied: spec.selector: Deployment web cannot reach DNS [service-selector-matches-no-pods]');
    expect(fix).toBe(`spec.selector: ${edit} [service-selector-matches-no-pods]`);
    expect(none).toEqual([]);
  });

  it('tells its evidence whole in a line of its own, where one is left', () => {
    const finding = findingWith({
      what: `3 of 3 connections fail: ${'Deployment web to Service api; '.repeat(4)}`.slice(0, -2),
      fix: { text: `allow ${'x '.repeat(50)}y` },
    });
    const [what, fix, ...none] = warningsOf([{ finding, softened: 'dry-run' }]);
    expect(what).toBe(`would be denied: spec.selector: ${finding.what} [service-selector-matches-no-pods]`);
    expect(fix).toBe(`spec.selector: ${finding.fix.text} [service-selector-matches-no-pods]`);
    expect(none).toEqual([]);
  });

  it('is written once, however often it is found', () => {
    expect(warningsOf([{ finding: findingWith({}) }, { finding: findingWith({ fingerprint: 'g' }) }])).toHaveLength(1);
  });
});

describe('many warnings', () => {
  const many = (count: number): Warning[] =>
    Array.from({ length: count }, (_, index) => ({
      finding: findingWith({ ruleId: `rule-${index}`, what: `w${index}`, severity: 'low' }),
    }));

  it('up to five all stand there', () => expect(warningsOf(many(5)).at(-1)).toContain('[rule-4]'));

  it('more than five end with how many, and which', () => {
    expect(warningsOf(many(7)).slice(3)).toEqual([expect.stringContaining('[rule-3]'), '+3 more: rule-4, rule-5, rule-6']);
  });

  it('never part a fix from what it mends', () => {
    const long = {
      finding: findingWith({
        ruleId: 'rule-long',
        severity: 'low',
        what: 'wrong '.repeat(12),
        fix: { text: `add ${'{a: b} '.repeat(25)}` },
      }),
    } as const;
    const told = warningsOf([...many(3), long, ...many(5).slice(3)]);
    expect(told.map((line) => line.slice(-8))).toEqual(['[rule-0]', '[rule-1]', '[rule-2]', ', rule-4']);
    expect(told.at(-1)).toBe('+3 more: rule-long, rule-3, rule-4');
  });

  it('fill what lines are left with evidence, the gravest first, and put nothing aside for it', () => {
    const long = (severity: Finding['severity']): Warning => ({
      finding: findingWith({
        ruleId: severity,
        severity,
        what: `${severity} ${'wrong '.repeat(25)}end`,
        fix: { text: `mend ${'x '.repeat(45)}y` },
      }),
    });
    const wholes = (told: readonly string[]): readonly string[] =>
      told.filter((line) => line.includes(' end')).map((line) => line.replace(/.*\[|\]/g, ''));
    const fourLines = warningsOf([long('medium'), long('high'), ...many(2)]);
    expect(wholes(fourLines)).toEqual(['high']);
    expect(fourLines).toHaveLength(5);
    const fiveLines = warningsOf([long('medium'), long('high'), ...many(3)]);
    expect(wholes(fiveLines)).toEqual([]);
    expect(fiveLines.map((line) => line.replace(/.*\[|\]/g, ''))).toEqual(['high', 'medium', 'rule-0', 'rule-1', 'rule-2']);
    expect(wholes(answer({ warnings: [long('high'), ...many(2)] }, { notices: ['one', 'two'] }).warnings ?? [])).toEqual([]);
  });

  it('the gravest come first, and of equals the new ones', () => {
    const [a, b, c] = severities.slice(0, 3).map((severity) => findingWith({ severity, ruleId: severity, what: severity }));
    const told = warningsOf([{ finding: c as Finding }, { finding: a as Finding, softened: 'ratcheted' }, { finding: b as Finding }]);
    expect(told.map((line) => line.slice(line.indexOf('[')))).toEqual(['[critical]', '[high]', '[medium]']);
    const equals = warningsOf([{ finding: findingWith({}), softened: 'ratcheted' }, { finding: findingWith({ what: 'new' }) }]);
    expect(equals.map((line) => line.startsWith('not new'))).toEqual([false, true]);
  });

  it('never push out what was not checked, and the notices', () => {
    const decision = { warnings: many(9), skipped: [{ ruleId: 'slow-rule', reason: 'deadline' }] } as const;
    const told = answer(decision, { notices: ['exemption of rule-1 ended on 2026-01-01'] }).warnings ?? [];
    expect(told).toHaveLength(5);
    expect(told).toContain('portcullis: slow-rule not checked: out of time');
    expect(told).toContain('exemption of rule-1 ended on 2026-01-01');
    expect(told.at(-1)).toMatch(/^\+7 more: rule-2, /);
  });
});

describe('what was not checked', () => {
  const skip = (ruleId: string, reason: 'deadline' | 'unsynced' | 'unanswered' | 'forbidden' | 'notServed' | 'notGiven') => ({
    ruleId,
    reason,
  });

  it('is one line for all rules', () => {
    const skipped = [skip('rule-b', 'deadline'), skip('rule-c', 'unsynced')];
    expect(answer({ skipped, faults: [{ ruleId: 'rule-a', cause: new Error('secret') }] }).warnings).toEqual([
      'portcullis: rule-a and 2 more not checked: internal error, out of time, cluster state not loaded yet',
    ]);
  });

  it('says that the API server was silent, which passes', () => {
    expect(answer({ skipped: [{ ...skip('rule-a', 'unanswered'), missing: 'Secret' as const }] }).warnings).toEqual([
      'portcullis: rule-a not checked: the API server did not answer in time',
    ]);
  });

  it('stands in the audit log alone where every write would say it', () => {
    const skipped = [{ ...skip('rule-a', 'forbidden'), missing: 'Pod' as const }, skip('rule-b', 'notServed'), skip('rule-c', 'notGiven')];
    expect(answer({ skipped })).toEqual({
      uid: 'u-1',
      allowed: true,
      auditAnnotations: { decision: 'allow', 'not-evaluated': 'rule-a: forbidden Pod, rule-b: notServed, rule-c: notGiven' },
    });
  });

  it('tells of old data where nothing was found on it', () => {
    expect(answer({}, { staleMs: 299_000 }).warnings).toBeUndefined();
    expect(answer({}, { staleMs: 600_000 }).warnings).toEqual(['portcullis: checked on data 10 min old']);
    expect(answer({}, { staleMs: 600_000.4 }).auditAnnotations).toMatchObject({ 'cache-age-ms': '600000' });
  });
});

describe('a denial', () => {
  const denied = () =>
    answer({
      denials: [
        findingWith({}),
        findingWith({ ruleId: 'tls-secret-missing', path: ['spec', 'tls', 0, 'secretName'], what: 'Secret a is absent' }),
      ],
      warnings: [{ finding: findingWith({ ruleId: 'other-rule', path: [], what: 'odd' }) }],
      skipped: [{ ruleId: 'slow-rule', reason: 'deadline' }],
    });

  it('is Invalid with one cause for each finding, the warnings after them, and what stands beside at the end', () => {
    const { allowed, warnings, status } = denied();
    expect({ allowed, warnings }).toEqual({ allowed: false, warnings: undefined });
    expect(status).toMatchObject({ code: 422, reason: 'Invalid', details: { name: 'web', group: '', kind: 'Service' } });
    expect(status?.details.causes).toEqual([
      {
        reason: 'FieldValueInvalid',
        field: 'spec.selector',
        message:
          'app=wbe matches 0 of 41 Pods in shop; did you mean app=web (3 Pods)? The Service has no endpoints. [service-selector-matches-no-pods] portcullis',
      },
      expect.objectContaining({
        field: 'spec.tls[0].secretName',
        message: expect.stringMatching(/^Secret a is absent; .*\[tls-secret-missing\] portcullis$/),
      }),
      // kubectl would begin the line with a colon if there were no field.
      expect.objectContaining({ field: 'metadata.name', message: expect.stringMatching(/^warning: odd; /) }),
      expect.objectContaining({ field: 'metadata', message: 'portcullis: slow-rule not checked: out of time' }),
    ]);
  });

  it('says beside it why an exemption has no effect, and who says so', () => {
    const { status } = answer({ denials: [findingWith({})] }, { notices: ['annotation x has no effect: it gives no reason'] });
    expect(status?.details.causes.at(-1)?.message).toBe('annotation x has no effect: it gives no reason portcullis');
  });

  it('has a message that says all, since of several objects kubectl shows nothing else', () => {
    const message = denied().status?.message ?? '';
    expect(message).toMatch(
      /^spec\.selector: app=wbe matches .*\[service-selector-matches-no-pods\]; spec\.tls\[0\]\.secretName: .*\[tls-secret-missing\]; /,
    );
    expect(message).toContain('portcullis: slow-rule not checked: out of time');
    expect(message.endsWith('Read on: portcullis explain service-selector-matches-no-pods')).toBe(true);
  });

  it('leads to the published pages if there are any', () => {
    const { status } = answer({ denials: [findingWith({})] }, { docsBaseUrl: 'https://docs.example.com/rules' });
    expect(status?.message.endsWith('Read on: https://docs.example.com/rules/service-selector-matches-no-pods')).toBe(true);
  });

  it('of a hundred findings stays within 4 KiB and still leads on', () => {
    const denials = Array.from({ length: 100 }, (_, index) => findingWith({ ruleId: `rule-${index}`, what: '網'.repeat(200) }));
    const { status } = answer({ denials });
    expect(new TextEncoder().encode(status?.message).length).toBeLessThanOrEqual(4096);
    expect(status?.message.endsWith('Read on: portcullis explain rule-0')).toBe(true);
    expect(status?.details.causes).toHaveLength(21);
    expect(status?.details.causes.at(-1)?.message).toMatch(/^\+80 more: rule-20, /);
  });
});

it('the audit log has the rules, and why something was let through', () => {
  const annotations = answer({
    warnings: [{ finding: findingWith({ ruleId: 'a' }) }, { finding: findingWith({ ruleId: 'b' }), softened: 'ratcheted' }],
    audited: [findingWith({ ruleId: 'c' })],
    exempted: [{ finding: findingWith({ ruleId: 'd' }), reason: 'moved by März' }],
  }).auditAnnotations;
  expect(annotations).toEqual({ decision: 'warn', rules: 'warn:a, ratcheted:b, audit:c, exempt:d (moved by M?rz)' });
});

/** Names and texts as nobody should write them. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.constantFrom(
    '\u001b[31mred\u001b[0m',
    'a\nb\tc',
    '\u202egnp.exe',
    '👩‍👩‍👧‍👦'.repeat(60),
    'x'.repeat(253),
    '\ud800',
    '::error::x',
    '\u2028',
    '\u0000',
    '%s%n',
    '<b>&',
  ),
);
const finding = fc
  .record({
    ruleId: fc.constantFrom('service-selector-matches-no-pods', 'tls-secret-missing', 'network-policy-isolates-dns'),
    severity: fc.constantFrom(...severities),
    path: fc.array(fc.oneof(hostile, fc.nat({ max: 999 }), fc.constantFrom('spec', 'ports')), { maxLength: 8 }),
    what: hostile,
    why: hostile,
    fix: fc.record({ text: hostile }),
  })
  .map((changes) => findingWith(changes));
const warning: fc.Arbitrary<Warning> = fc.oneof(
  finding.map((one) => ({ finding: one })),
  fc.record({ finding, softened: fc.constantFrom('ratcheted', 'dry-run', 'unconfirmed') }),
);
const anyDecision = fc.record({
  denials: fc.array(finding, { maxLength: 3 }),
  warnings: fc.array(warning, { maxLength: 12 }),
  audited: fc.array(finding, { maxLength: 2 }),
  exempted: fc.array(fc.record({ finding, reason: hostile }), { maxLength: 2 }),
  faults: fc.array(fc.record({ ruleId: fc.constant('rule-a'), cause: hostile }), { maxLength: 2 }),
});
const notPrintable = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;

it('whatever stands in objects, every text is printable, on one line and within its limits', () => {
  fc.assert(
    fc.property(anyDecision, hostile, fc.nat(), fc.array(hostile, { maxLength: 7 }), (decision, name, age, notices) => {
      const around = { notices, staleMsOf: () => age, staleMs: age, docsBaseUrl: '' };
      const { uid, warnings = [], status, auditAnnotations = {} } = encode({ ...asked, name }, decisionWith(decision), around).response;
      const causes = status?.details.causes ?? [];
      const told = [
        ...warnings,
        status?.message ?? '',
        status?.details.name ?? '',
        ...causes.flatMap(({ field, message }) => [field, message]),
      ];
      expect(uid).toBe('u-1');
      expect(told.filter((text) => notPrintable.test(text))).toEqual([]);
      expect(warnings.length).toBeLessThanOrEqual(5);
      expect(warnings.filter((line) => runes(line) > 240)).toEqual([]);
      expect(new TextEncoder().encode(status?.message ?? '').length).toBeLessThanOrEqual(4096);
      expect(Object.values(auditAnnotations).filter((value) => !/^[\x20-\x7e]{1,1024}$/.test(value))).toEqual([]);
      if (decision.denials.length === 0) {
        const ids = new Set(decision.warnings.map((one) => one.finding.ruleId));
        expect([...ids].filter((id) => !warnings.some((line) => line.includes(id)))).toEqual([]);
      }
    }),
    { numRuns: 500 },
  );
});
