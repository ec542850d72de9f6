import { describe, expect, it } from 'vitest';
import { parseConfiguration, type WriteContext } from '../../src/config/settings.ts';
import type { Access } from '../../src/kube/requester.ts';
import { findingOf, labels, now, sampleRules, service, serviceRule, systemRule } from './sample-rules.ts';

const key = 'exempt.portcullis.dev/service-is-odd';

function outcome(file: object, context: Partial<WriteContext> = {}) {
  const configuration = parseConfiguration({ apiVersion: 'portcullis.dev/v1', ...file }, sampleRules);
  const bound = configuration.bind({ object: service(), operation: 'CREATE', namespaceLabels: labels({ team: 'a' }), now, ...context });
  const reasonFor = (rule: typeof serviceRule, id: string) => bound.exemptionOf(findingOf(rule, id)[0], true);
  const facts = bound.factsOf?.(context.object ?? service()).map(({ ruleId: _, path: __, ...fact }) => fact);
  return { odd: reasonFor(serviceRule, 'grave'), cut: reasonFor(systemRule, 'cut'), notices: bound.notices, facts };
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
      'exemptions.list[1] of the configuration ("moving") ended on 2026-11-20; renew it with until: 2027-02-28, or remove it',
    ]);
    expect(outcome(listed(ended), { object: service({ namespace: 'other' }) }).notices).toEqual([]);
    expect(outcome({ ...listed(ended), rules: { 'service-is-odd': { mode: 'off' } } }).notices).toEqual([]);
  });

  it('stands beside `exemptable: false`, which is about annotations', () => {
    expect(outcome({ ...listed({}), rules: { 'service-is-odd': { exemptable: false } } }).odd).toBe('moving (configuration)');
  });
});

describe('entries that somebody should look at', () => {
  const reviewed = (entry: object, needed?: readonly string[], file: object = {}) => {
    const exemptions = {
      list: [
        { rules: ['*'], reason: 'ours' },
        { rules: ['service-is-odd'], reason: 'moving', ...entry },
      ],
    };
    const configuration = parseConfiguration({ apiVersion: 'portcullis.dev/v1', exemptions, ...file }, sampleRules);
    return configuration.entriesToReview(now, needed && new Set(['exemptions.list[0]', ...needed])).map(({ is, text }) => [is, text]);
  };
  const moving = 'exemptions.list[1] of the configuration ("moving")';
  const it1 = 'exemptions.list[1]';

  it.each([
    ['2026-11-20', 'expired', 'ended on 2026-11-20; renew it with until: 2027-02-28, or remove it'],
    ['2026-11-21', 'ending', 'ends on 2026-11-21; repair what it excuses, or renew it with until: 2027-02-28'],
    ['2026-12-04', 'ending', 'ends on 2026-12-04; repair what it excuses, or renew it with until: 2027-02-28'],
  ])('one until %s is %s', (until, is, text) => {
    expect(reviewed({ until })).toEqual([[is, `${moving} ${text}`]]);
    expect(reviewed({ until }, [it1])).toEqual([[is, `${moving} ${text}`]]);
  });

  it('one that ends in more than two weeks is not among them, nor one that is needed', () => {
    expect(reviewed({ until: '2026-12-05' })).toEqual([]);
    expect(reviewed({}, [it1])).toEqual([]);
  });

  const unused = [['unused', `${moving} exempts nothing: its rules find nothing in what it matches; remove it`]];
  it('one that a whole cluster does not need is unused', () => {
    expect(reviewed({}, [])).toEqual(unused);
    expect(reviewed({ until: '2026-11-22' }, [])).toEqual(unused);
    expect(reviewed({})).toEqual([]);
  });

  it('one for users, or for a rule that is off, is never called so: nobody knows', () => {
    expect(reviewed({ users: ['jane'] }, [])).toEqual([]);
    expect(reviewed({ rules: ['service-is-dormant', 'service-is-odd'] }, [], { namespaceProfiles: 'ignore' })).toEqual([]);
  });
});

describe('by annotation', () => {
  const annotated = (value: string, file: object = { exemptions: { byAnnotation: 'always' } }, name = key) =>
    outcome(file, { object: service({ annotations: { [name]: value } }) });

  it.each([
    ['the legacy client wants it', 'the legacy client wants it (annotation)', { is: 'effective' }],
    ['  the legacy client\n wants it until 2027-01-31 ', 'the legacy client wants it (annotation, until 2027-01-31)', { is: 'effective' }],
    ['moving until 2026-12-05', 'moving (annotation, until 2026-12-05)', { is: 'effective' }],
    ['moving until 2026-12-04', 'moving (annotation, until 2026-12-04)', { is: 'ending', corrected: 'moving until 2027-02-28' }],
    ['kept until we know until 2026-11-21', 'kept until we know (annotation, until 2026-11-21)', { is: 'ending' }],
  ])('%j exempts', (value, reason, fact) =>
    expect(annotated(value)).toMatchObject({ odd: reason, cut: undefined, notices: [], facts: [fact] }),
  );

  const corrected = 'moving until 2027-02-28';
  it.each([
    ['', { is: 'noReason' }],
    ['until 2027-01-31', { is: 'noReason', until: '2027-01-31' }],
    ['until 2026-11-29 we wait for the team', { is: 'dateNotLast', corrected: 'we wait for the team until 2026-11-29' }],
    ['the team moves until 2026-11-29 at last', { is: 'dateNotLast', corrected: 'the team moves at last until 2026-11-29' }],
    ['moving until', { is: 'noDate', given: '', corrected }],
    ['moving until tomorrow', { is: 'noDate', given: 'tomorrow', corrected }],
    ['moving until 2027-02-29', { is: 'noDate', given: '2027-02-29', corrected }],
    ['moving until 2026-11-20', { is: 'expired', until: '2026-11-20', corrected }],
  ])('%j does not, and it is known why', (value, fact) =>
    expect(annotated(value)).toEqual({ odd: undefined, cut: undefined, notices: [], facts: [fact] }),
  );

  it.each([
    ['where the configuration does not say so', {}, 'byAnnotation'],
    [
      'from a rule that is not exemptable',
      { exemptions: { byAnnotation: 'always' }, rules: { 'service-is-odd': { exemptable: false } } },
      'exemptable',
    ],
  ])('does not exempt %s', (_, file, by) =>
    expect(annotated('moving', file)).toMatchObject({ odd: undefined, notices: [], facts: [{ is: 'notAllowed', by }] }),
  );

  it('names the annotation that was probably meant, unless it is there', () => {
    const wrong = 'exempt.portcullis.dev/service-is-od';
    expect(annotated('moving', undefined, wrong).facts).toEqual([{ is: 'unknownRule', value: 'moving', meant: key, isCertain: false }]);
    expect(annotated('moving', undefined, key.replace('service', 'sevrice')).facts).toMatchObject([{ meant: key, isCertain: true }]);
    const object = service({ annotations: { [wrong]: 'moving', [key]: 'moving' } });
    expect(outcome({ exemptions: { byAnnotation: 'always' } }, { object }).facts).toContainEqual({
      is: 'unknownRule',
      value: 'moving',
      meant: undefined,
      isCertain: false,
    });
  });

  it('says nothing of a rule that does not run here', () => {
    const off = { exemptions: { byAnnotation: 'always' }, rules: { 'service-is-odd': { mode: 'off' } } };
    expect(annotated('moving until never', off).facts).toEqual([]);
  });

  it('tells of few that name no rule, however many there are', () => {
    const annotations = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`${key}-${index}`, 'x']));
    expect(outcome({}, { object: service({ annotations: { ...annotations, [key]: 'moving' } }) }).facts).toHaveLength(11);
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

  it.each(['denied', 'unknown'] as const)('says of a right that is %s that it has no effect', (access) => {
    const { factsOf, exemptionOf } = bindTo({ rights: right(access) });
    const path = ['metadata', 'annotations', key];
    for (const value of ['moving', 'moving until 2026-11-22'])
      expect(factsOf?.(service({ annotations: { [key]: value } }))).toEqual([
        { ruleId: one, path, is: 'notEntitled', access, namespace: 'shop' },
      ]);
    expect([exemptionOf(finding, true), exemptionOf(finding, false)]).toEqual([undefined, undefined]);
  });

  it('leaves what was there before as it is, whoever writes', () => {
    const { exemptionOf } = bindTo({ ...unchanged, rights: right('denied') });
    expect([exemptionOf(finding, true), exemptionOf(finding, false)]).toEqual([undefined, 'moving (annotation)']);
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
