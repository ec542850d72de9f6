import { describe, expect, it } from 'vitest';
import { parseConfiguration, type WriteContext } from '../../src/config/settings.ts';
import type { Access } from '../../src/kube/requester.ts';
import { findingOf, labels, now, sampleRules, service, serviceRule, systemRule } from './sample-rules.ts';

const key = 'exempt.portcullis.dev/service-is-odd';

function outcome(file: object, context: Partial<WriteContext> = {}) {
  const configuration = parseConfiguration({ apiVersion: 'portcullis.dev/v1', ...file }, sampleRules);
  const bound = configuration.bind({ object: service(), operation: 'CREATE', namespaceLabels: labels({ team: 'a' }), now, ...context });
  const reasonFor = (rule: typeof serviceRule, id: string) => bound.exemptionOf(findingOf(rule, id)[0], true);
  return { odd: reasonFor(serviceRule, 'grave'), cut: reasonFor(systemRule, 'cut'), notices: bound.notices };
}

describe('by the configuration', () => {
  const listed = (...entries: object[]) => ({
    exemptions: { list: entries.map((entry) => ({ rules: ['service-is-odd'], reason: 'moving', ...entry })) },
  });
  const jane = { username: 'jane', groups: [] };

  it.each([
    ['everywhere', {}, {}, true],
    ['all rules', { rules: ['*'] }, {}, true],
    ['another rule', { rules: ['resolver-is-cut'] }, {}, false],
    ['its namespace', { namespaces: ['sh*'] }, {}, true],
    ['another namespace', { namespaces: ['shop-*'] }, {}, false],
    ['its namespace’s labels', { namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'In', values: ['a'] }] } }, {}, true],
    ['other labels', { namespaceSelector: { matchLabels: { team: 'b' } } }, {}, false],
    ['its name', { names: ['w*b'] }, {}, true],
    ['another name', { names: ['w'] }, {}, false],
    ['its user', { users: ['jane'] }, { user: jane }, true],
    ['another user', { users: ['jan'] }, { user: jane }, false],
    ['a user where there is none', { users: ['jane'] }, {}, false],
    ['its namespace, but another name', { namespaces: ['shop'], names: ['db'] }, {}, false],
    ['to the end of a day', { until: '2026-11-21' }, { now: Date.parse('2026-11-21T23:59:59.999Z') }, true],
    ['no longer', { until: '2026-11-21' }, { now: Date.parse('2026-11-22T00:00:00Z') }, false],
  ] as const)('%s', (_, entry, context, exempt) => expect(outcome(listed(entry), context).odd !== undefined).toBe(exempt));

  it('quotes the first entry that matches, with its end', () => {
    const { odd, cut } = outcome(listed({ rules: ['*'], until: '2027-03-31' }, { reason: 'other' }));
    expect(odd).toBe('moving (configuration, until 2027-03-31)');
    expect(cut).toBe('moving (configuration, until 2027-03-31)');
    expect(outcome(listed({ names: ['db'] }, { reason: 'other' })).odd).toBe('other (configuration)');
  });

  it('says what has ended, where it would have mattered', () => {
    const ended = { until: '2026-11-20', namespaces: ['shop'] };
    expect(outcome(listed({}, ended)).notices).toEqual([
      'exemptions.list[1] of the configuration ("moving") ended on 2026-11-20; renew it with until: 2027-02-19, or remove it',
    ]);
    expect(outcome(listed(ended), { object: service({ namespace: 'other' }) }).notices).toEqual([]);
    expect(outcome({ ...listed(ended), rules: { 'service-is-odd': { mode: 'off' } } }).notices).toEqual([]);
  });

  it('stands beside `exemptable: false`, which is about annotations', () => {
    expect(outcome({ ...listed({}), rules: { 'service-is-odd': { exemptable: false } } }).odd).toBe('moving (configuration)');
  });
});

describe('by annotation', () => {
  const annotated = (value: string, file: object = { exemptions: { byAnnotation: 'always' } }, name = key) =>
    outcome(file, { object: service({ annotations: { [name]: value } }) });

  it.each([
    ['the legacy client wants it', 'the legacy client wants it (annotation)'],
    ['  the legacy client\n wants it until 2027-01-31 ', 'the legacy client wants it (annotation, until 2027-01-31)'],
    ['kept until we know until 2026-11-21', 'kept until we know (annotation, until 2026-11-21)'],
  ])('%j exempts', (value, reason) => expect(annotated(value)).toEqual({ odd: reason, cut: undefined, notices: [] }));

  it.each([
    ['', 'it gives no reason; write exempt.portcullis.dev/service-is-odd: "<reason> until 2027-02-19"'],
    ['until 2027-01-31', 'it gives no reason; write exempt.portcullis.dev/service-is-odd: "<reason> until 2027-02-19"'],
    ['moving until', '"" is not a date; write exempt.portcullis.dev/service-is-odd: "moving until 2027-02-19"'],
    ['moving until tomorrow', '"tomorrow" is not a date; write exempt.portcullis.dev/service-is-odd: "moving until 2027-02-19"'],
    ['moving until 2027-02-29', '"2027-02-29" is not a date; write exempt.portcullis.dev/service-is-odd: "moving until 2027-02-19"'],
    [
      'moving until 2026-11-20',
      'it ended on 2026-11-20; remove it, or write exempt.portcullis.dev/service-is-odd: "moving until 2027-02-19"',
    ],
  ])('%j does not, and the notice says what would', (value, why) => {
    expect(annotated(value)).toEqual({ odd: undefined, cut: undefined, notices: [`annotation ${key} has no effect: ${why}`] });
  });

  it.each([
    ['where the configuration does not say so', {}, 'exemptions.byAnnotation is never; ask for an entry in exemptions.list'],
    [
      'from a rule that is not exemptable',
      { exemptions: { byAnnotation: 'always' }, rules: { 'service-is-odd': { exemptable: false } } },
      'rules.service-is-odd.exemptable is false; ask for an entry in exemptions.list',
    ],
  ])('does not exempt %s', (_, file, why) => {
    expect(annotated('moving', file)).toMatchObject({ odd: undefined, notices: [`annotation ${key} has no effect: ${why}`] });
  });

  it('names the rule that was probably meant', () => {
    const wrong = 'exempt.portcullis.dev/service-is-od';
    expect(annotated('moving', undefined, wrong)).toMatchObject({
      odd: undefined,
      notices: [`annotation ${wrong} has no effect: no rule has this id; did you mean "service-is-odd"?`],
    });
  });

  it('says nothing of a rule that does not run here', () => {
    const off = { exemptions: { byAnnotation: 'always' }, rules: { 'service-is-odd': { mode: 'off' } } };
    expect(annotated('moving until never', off).notices).toEqual([]);
  });

  it('puts what people wrote on one short line', () => {
    const [notice = ''] = annotated(`${'x\n'.repeat(200)} until \u0007then`).notices;
    expect(notice).toMatch(/^[ -~…]+$/);
    expect(notice.length).toBeLessThan(260);
  });
});

describe('by annotation, where it has to be permitted', () => {
  const permitted = { exemptions: { byAnnotation: 'permitted' } };
  const bindTo = (context: Partial<WriteContext>, file: object = permitted) => {
    const object = service({ annotations: { [key]: 'moving' } });
    const write: WriteContext = { object, operation: 'CREATE', namespaceLabels: labels({}), user: { username: 'jane', groups: [] }, now };
    return parseConfiguration({ apiVersion: 'portcullis.dev/v1', ...file }, sampleRules).bind({ ...write, ...context });
  };
  const [finding] = findingOf(serviceRule, 'grave');
  const one = serviceRule.meta.id;
  const right = (access: Access) => new Map([[one, access]]);
  const unchanged = { operation: 'UPDATE', before: service({ annotations: { [key]: 'moving' } }) } as const;

  it.each([
    ['created', {}, true],
    ['added', { operation: 'UPDATE', before: service() }, true],
    ['changed', { operation: 'UPDATE', before: service({ annotations: { [key]: 'moving until 2026-12-31' } }) }, true],
    ['unchanged', unchanged, false],
    ['on an object that is removed', { operation: 'DELETE' }, false],
  ] as const)('asks for the right to one that is %s', (_, context, isWritten) => {
    const { claims, notices, exemptionOf } = bindTo(context);
    expect(claims).toEqual([{ ruleId: one, isWritten }]);
    expect(notices).toEqual([]);
    expect(exemptionOf(finding, true)).toBeUndefined();
    expect(exemptionOf(finding, false)).toBe(isWritten ? undefined : 'moving (annotation)');
  });

  it('exempts who has the right, from what is new too', () => {
    for (const context of [{}, unchanged]) {
      const { claims, notices, exemptionOf } = bindTo({ ...context, rights: right('allowed') });
      expect({ claims, notices, reason: exemptionOf(finding, true) }).toEqual({ claims: [], notices: [], reason: 'moving (annotation)' });
    }
  });

  it.each([
    ['denied', `you may not use exemptions.portcullis.dev/${one} in shop; ask for that right`],
    ['unknown', 'whether you may use it could not be asked; try again'],
  ] as const)('says of a right that is %s that it has no effect', (access, why) => {
    const { notices, exemptionOf } = bindTo({ rights: right(access) });
    expect(notices).toEqual([`annotation ${key} has no effect: ${why}`]);
    expect([exemptionOf(finding, true), exemptionOf(finding, false)]).toEqual([undefined, undefined]);
  });

  it('leaves what was there before as it is, whoever writes', () => {
    const { exemptionOf } = bindTo({ ...unchanged, rights: right('denied') });
    expect([exemptionOf(finding, true), exemptionOf(finding, false)]).toEqual([undefined, 'moving (annotation)']);
  });

  it('says it in one line for all', () => {
    const two = { [key]: 'moving', 'exempt.portcullis.dev/resolver-is-cut': 'moving' };
    const rights = new Map([...right('denied'), ['resolver-is-cut', 'denied'] as const]);
    expect(bindTo({ object: service({ annotations: two }), rights }).notices).toEqual([
      `annotation ${key} (and 1 more) has no effect: you may not use exemptions.portcullis.dev/${one} in shop; ask for that right`,
    ]);
  });

  it('asks for nothing that cannot have effect, or that the configuration exempts anyway', () => {
    const ended = service({ annotations: { [key]: 'moving until 2020-01-31' } });
    expect(bindTo({ object: ended }).claims).toEqual([]);
    expect(bindTo({}, { ...permitted, rules: { [one]: { mode: 'off' } } }).claims).toEqual([]);
    expect(bindTo({}, { ...permitted, rules: { [one]: { exemptable: false } } }).claims).toEqual([]);
    const listed = { exemptions: { byAnnotation: 'permitted', list: [{ rules: [one], reason: 'ours' }] } };
    const { claims, exemptionOf } = bindTo({}, listed);
    expect([claims, exemptionOf(finding, true)]).toEqual([[], 'ours (configuration)']);
  });

  it('counts in files, which nobody writes whose right could be asked for', () => {
    expect(outcome(permitted, { object: service({ annotations: { [key]: 'moving' } }) })).toMatchObject({
      odd: 'moving (annotation)',
      notices: [],
    });
  });
});
