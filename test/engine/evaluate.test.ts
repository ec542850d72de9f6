import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/engine/evaluate.ts';
import { defineRule } from '../../src/engine/rule.ts';
import { type Clock, clockOf, only8080, service, slow, toyRule, view } from '../support/toy-rules.ts';

const subject = (spec = {}) => ({ object: service(spec), operation: 'WRITE', before: undefined }) as const;
const path = ['spec', 'ports', 0, 'targetPort'];

describe('evaluate', () => {
  it('orders findings by severity, and within one as the rules stand', () => {
    const mild = only8080({ id: 'a', severity: 'low' });
    const grave = only8080({ id: 'b', severity: 'critical' });
    const also = only8080({ id: 'c', severity: 'low' });
    const { findings } = evaluate(subject(), view(), [mild, grave, also]);
    expect(findings.map(({ ruleId }) => ruleId)).toEqual(['b', 'a', 'c']);
  });

  it('ends after as many findings as anybody reads, and says so', () => {
    const rule = toyRule({
      *check({ finding }) {
        for (let port = 0; port < 10_000; port++) yield finding('wrong', ['spec', 'ports', port], undefined);
      },
    });
    const { findings, skipped, clean } = evaluate(subject(), view(), [rule]);
    expect([findings.length, skipped, clean.size]).toEqual([250, [{ ruleId: 'service-is-wrong', reason: 'tooMany' }], 0]);
  });

  it('tries fixes as long as that finds little, and no longer', () => {
    let found = 0;
    const patch = [{ op: 'replace' as const, path: ['spec', 'ports', 0, 'port'], value: 81 }];
    const rule = toyRule({
      fixes: [{ text: 'try this', patch }, { text: 'mend it' }],
      *check({ finding }) {
        for (let port = 0; port < 1_000; port++, found++) yield finding('wrong', ['spec', 'ports', port], undefined);
      },
    });
    evaluate(subject(), view(), [rule]);
    expect(found).toBeLessThan(2_500);
  });

  it('tries fixes as long as that takes few steps, and no longer, whatever time there is', () => {
    let steps = 0;
    const patch = [{ op: 'replace' as const, path: ['spec', 'ports', 0, 'port'], value: 81 }];
    const rule = toyRule({
      fixes: [{ text: 'try this', patch }, { text: 'mend it' }],
      *check({ cluster, finding }) {
        for (let step = 0; step < 20_000; step++, steps++) cluster.step();
        for (let port = 0; port < 20; port++) yield finding('wrong', ['spec', 'ports', port], undefined);
      },
    });
    const { findings, skipped } = evaluate(subject(), view(), [rule]);
    expect([findings.length, skipped]).toEqual([20, []]);
    expect(findings.map(({ fix }) => fix.text)).toContain('mend it');
    expect(steps).toBeLessThan(20_000 + 65_000);
  });

  it('ends in the middle of a fix that is tried when the time is over', () => {
    let steps = 0;
    const patch = [{ op: 'replace' as const, path: ['spec', 'ports', 0, 'port'], value: 81 }];
    const rule = toyRule({
      fixes: [{ text: 'try this', patch }, { text: 'mend it' }],
      *check({ finding }) {
        for (let port = 0; port < 100; port++, steps++) yield finding('wrong', ['spec', 'ports', port], undefined);
      },
    });
    const { skipped } = evaluate(subject(), view(), [rule], { timeLeft: () => 50 - steps });
    expect([skipped, steps < 60]).toEqual([[{ ruleId: 'service-is-wrong', reason: 'deadline' }], true]);
  });

  it('keeps what a rule found before it met something unknown', () => {
    const rule = toyRule({
      *check({ cluster, finding }) {
        yield finding('wrong', path, undefined);
        cluster.list('Ingress', 'shop');
        yield finding('wrong', ['spec'], undefined);
      },
    });
    const forbidden = view((collection) => (collection === 'Ingress' ? 'forbidden' : 'complete'));
    const { findings, skipped, faults } = evaluate(subject(), forbidden, [rule]);
    expect(findings.map((finding) => finding.path)).toEqual([path]);
    expect(skipped).toEqual([{ ruleId: 'service-is-wrong', reason: 'forbidden', missing: 'Ingress', namespace: 'shop' }]);
    expect(faults).toEqual([]);
  });

  it('lets a rule conclude from what is there, whatever else is unknown', () => {
    const held = view(() => 'unsynced').with([service({}, { name: 'other' })]);
    const rule = toyRule({
      *check({ cluster, finding }) {
        if (cluster.get('Service', 'shop', 'other') !== undefined) yield finding('wrong', path, undefined);
      },
    });
    const { findings, skipped } = evaluate(subject(), held, [rule]);
    expect(findings).toHaveLength(1);
    expect(skipped).toEqual([]);
  });

  it('makes a fault of a rule that throws, and goes on with the next', () => {
    const cause = new TypeError('a bug');
    const broken = toyRule({
      id: 'broken',
      check: () => {
        throw cause;
      },
    });
    const { findings, faults } = evaluate(subject(), view(), [broken, only8080()]);
    expect(faults).toEqual([{ ruleId: 'broken', cause }]);
    expect(findings).toHaveLength(1);
  });

  it('starts no rule once time is up, and says which', () => {
    const clock = clockOf(100);
    const { findings, skipped } = evaluate(subject(), view(), [slow(clock, 100, { id: 'a' }), only8080({ id: 'b' })], clock);
    expect(findings.map(({ ruleId }) => ruleId)).toEqual(['a']);
    expect(skipped).toEqual([{ ruleId: 'b', reason: 'deadline' }]);
  });

  it('runs first what can refuse, and tells of all in their order', () => {
    const clock = clockOf(100);
    const rules = [slow(clock, 100, { id: 'costly' }), only8080({ id: 'refuses' })];
    const { findings, skipped } = evaluate(subject(), view(), rules, { ...clock, mayDeny: ({ meta }) => meta.id === 'refuses' });
    expect(findings.map(({ ruleId }) => ruleId)).toEqual(['costly', 'refuses']);
    expect(skipped).toEqual([]);
  });

  it('gives what can refuse a time of its own', () => {
    const clock = clockOf(0);
    const options = {
      ...clock,
      timeToRefuse: () => 100,
      mayDeny: ({ meta }: { readonly meta: { readonly id: string } }) => meta.id === 'refuses',
    };
    const { findings, skipped } = evaluate(subject(), view(), [only8080({ id: 'tells' }), only8080({ id: 'refuses' })], options);
    expect([findings.map(({ ruleId }) => ruleId), skipped]).toEqual([['refuses'], [{ ruleId: 'tells', reason: 'deadline' }]]);
  });

  it('lets no rule use up the time of the others, and gives it what they have left', () => {
    const endless = (id: string, clock: Clock, needed: number) =>
      toyRule({
        id,
        *check({ cluster, finding }) {
          for (let spent = 0; spent < needed; spent++, clock.pass(1)) for (let step = 0; step < 128; step++) cluster.step();
          yield finding('wrong', path, undefined);
        },
      });
    const ran = (...needed: readonly number[]) => {
      const clock = clockOf(100);
      const costly = needed.map((ms, index) => endless(`costly-${index}`, clock, ms));
      const { findings, skipped } = evaluate(subject(), view(), [...costly, only8080({ id: 'cheap' })], clock);
      return [findings.map(({ ruleId }) => ruleId), skipped.map(({ ruleId, reason }) => `${ruleId}: ${reason}`)];
    };
    expect(ran(1000)).toEqual([['cheap'], ['costly-0: deadline']]);
    expect(ran(1000, 5)).toEqual([['costly-1', 'cheap'], ['costly-0: deadline']]);
    expect(ran(49)).toEqual([['costly-0', 'cheap'], []]);
    // More than its share, and less than is left at the end.
    expect(ran(40, 1, 1)).toEqual([['costly-0', 'costly-1', 'costly-2', 'cheap'], []]);
  });

  it('tries fixes once all rules have looked', () => {
    const clock = clockOf(100);
    const patch = [{ op: 'replace' as const, path, value: 8080 }];
    const trying = slow(clock, 60, { id: 'trying', fixes: [{ text: 'try this', patch }, { text: 'mend it' }] });
    const { findings, skipped } = evaluate(subject(), view(), [trying, only8080({ id: 'other' })], clock);
    expect([findings.map(({ ruleId, fix }) => [ruleId, fix.text]), skipped]).toEqual([
      [
        ['trying', 'try this'],
        ['other', 'mend it'],
      ],
      [],
    ]);
  });

  it('tells what may refuse to its end, and of the rest what there is time for', () => {
    const clock = clockOf(100);
    const fixes = [{ text: 'mend it' }] as const;
    const ports = { ports: [{ port: 1 }, { port: 2 }] };
    const told = (mayDeny: boolean) => {
      const costly = (): readonly string[] => {
        clock.pass(200);
        return ['it'];
      };
      const rule = only8080({ fixes, defects: costly });
      const { findings, skipped } = evaluate(subject(ports), view(), [rule], { ...clock, mayDeny: () => mayDeny });
      clock.pass(-200 * findings.length);
      return [findings.length, skipped.map(({ reason }) => reason)];
    };
    expect([told(false), told(true)]).toEqual([
      [1, ['deadline']],
      [2, []],
    ]);
  });

  it('counts what a rule finds by message, so that mild findings hide no grave one', () => {
    const explained: string[] = [];
    const message = (id: string) => ({
      severity: 'low' as const,
      modes: { guided: 'warn' as const, strict: 'deny' as const },
      facts: 'self' as const,
      text: () => {
        explained.push(id);
        return { what: id, why: 'It fails.', fixes: [{ text: 'mend it' }] as const };
      },
    });
    const rule = defineRule({
      ...only8080().meta,
      kinds: ['Service'],
      options: { parse: (value: unknown) => value },
      messages: { mild: message('mild'), grave: message('grave') },
      *check({ finding }) {
        for (let port = 0; port < 10_000; port++) yield finding('mild', ['spec', 'ports', port], undefined);
        yield finding('grave', path, undefined);
      },
    }).configure();
    const { findings, skipped } = evaluate(subject(), view(), [rule]);
    expect(findings.filter(({ messageId }) => messageId === 'grave')).toHaveLength(1);
    expect(skipped).toEqual([{ ruleId: 'service-is-wrong', reason: 'tooMany' }]);
    expect(explained.length).toBe(251);
  });

  it('makes a fault of a text that fails', () => {
    const cause = new TypeError('a bug');
    const broken = toyRule({
      id: 'broken',
      defects: () => {
        throw cause;
      },
      *check({ finding }) {
        yield finding('wrong', path, undefined);
      },
    });
    const { findings, faults } = evaluate(subject(), view(), [broken, only8080()]);
    expect([findings.length, faults]).toEqual([1, [{ ruleId: 'broken', cause }]]);
  });

  it('calls a rule clean that came to its end, found nothing, and judges no removal and no change', () => {
    const quiet = (id: string, meta: Partial<Parameters<typeof toyRule>[0]> = {}) => toyRule({ id, check: () => [], ...meta });
    const broken = toyRule({
      id: 'broken',
      check: () => {
        throw new TypeError('a bug');
      },
    });
    const unsure = toyRule({
      id: 'unsure',
      check: ({ cluster }) => {
        cluster.list('Ingress', 'shop');
        return [];
      },
    });
    const forbidden = view((collection) => (collection === 'Ingress' ? 'forbidden' : 'complete'));
    const rules = [
      only8080({ id: 'found' }),
      broken,
      unsure,
      quiet('removals', { judgesDelete: true }),
      quiet('changes', { orderClass: 'destructive' }),
      quiet('clean'),
    ];
    expect([...evaluate(subject(), forbidden, rules).clean]).toEqual(['clean']);
    expect([...evaluate(subject(), forbidden, rules, { timeLeft: () => 0 }).clean]).toEqual([]);
  });

  it('runs the rule about exemptions last, and tells it which are clean', () => {
    const told: string[][] = [];
    const about = toyRule({
      id: 'about',
      judgesExemptions: true,
      check: ({ exemptions }) => {
        told.push([...(exemptions?.clean ?? ['nothing is said'])]);
        return [];
      },
    });
    const rules = [about, only8080(), only8080({ id: 'clean', check: () => [] })];
    evaluate(subject(), view(), rules, { exemptions: { factsOf: () => [], isSurvey: true } });
    evaluate(subject(), view(), rules);
    expect(told).toEqual([['clean'], ['nothing is said']]);
  });

  it('runs a rule on a removal only where the rule judges those', () => {
    const removal = { object: service(), operation: 'DELETE', before: undefined } as const;
    expect(evaluate(removal, view(), [only8080()]).findings).toEqual([]);
    expect(evaluate(removal, view(), [only8080({ judgesDelete: true })]).findings).toHaveLength(1);
  });

  it('notes what each rule looked up', () => {
    const rule = toyRule({
      check: ({ cluster, known }) => {
        cluster.get('Ingress', 'shop', 'web');
        cluster.workloadsSelectedBy({ app: 'web' }, 'shop');
        known.listAll('NetworkPolicy'); // explanations look without leave to conclude
        return [];
      },
    });
    expect(evaluate(subject(), view(), [rule]).readsOf('service-is-wrong')).toEqual([
      { collection: 'Ingress', namespace: 'shop', name: 'web' },
      { collection: 'Template', namespace: 'shop' },
      { collection: 'Pod', namespace: 'shop', selector: { app: 'web' } },
    ]);
  });

  it('tells a rule of other namespaces, and of files, only where it may', () => {
    const seen: unknown[] = [];
    const rule = toyRule({
      check: ({ elsewhere, offline }) => {
        seen.push([elsewhere !== undefined, offline]);
        return [];
      },
    });
    evaluate(subject(), view(), [rule]);
    evaluate(subject(), view(), [rule], { tellsOfOthers: true, offline: true });
    expect(seen).toEqual([
      [false, false],
      [true, true],
    ]);
  });
});

describe('fixes', () => {
  const patch = (value: unknown) => [{ op: 'replace', path, value }] as const;
  const fixOf = (fixes: Parameters<typeof only8080>[0]) => evaluate(subject(), view(), [only8080(fixes)]).findings[0]?.fix.text;

  it('keeps the first that makes the rule content', () => {
    const good = { text: 'good', patch: patch(8080) };
    expect(fixOf({ fixes: [{ text: 'bad', patch: patch(9090) }, good, { text: 'last' }] })).toBe('good');
  });

  it('drops all that do not hold, down to the last, which promises nothing', () =>
    expect(fixOf({ fixes: [{ text: 'bad', patch: patch(9090) }, { text: 'last' }] })).toBe('last'));

  it('tries a guess as it tries a patch, and hands it to nobody', () => {
    const [finding] = evaluate(subject(), view(), [
      only8080({ fixes: [{ text: 'a guess?', guess: patch(8080) }, { text: 'last' }] }),
    ]).findings;
    expect(finding?.fix).toEqual({ text: 'a guess?' });
    expect(fixOf({ fixes: [{ text: 'a wrong guess?', guess: patch(9090) }, { text: 'last' }] })).toBe('last');
  });

  it('drops one on which the rule breaks', () => {
    const rule = toyRule({
      fixes: [{ text: 'breaks', patch: patch('boom') }, { text: 'last' }],
      *check({ object, finding }) {
        if (object.spec.ports[0]?.targetPort === 'boom') throw new Error('a bug');
        yield finding('wrong', path, undefined);
      },
    });
    const { findings, faults } = evaluate(subject(), view(), [rule]);
    expect(findings[0]?.fix.text).toBe('last');
    expect(faults).toEqual([]);
  });

  it('tries an object to apply beside it in the cluster', () => {
    const manifest = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'helper', namespace: 'shop' }, spec: { ports: [{ port: 1 }] } };
    const rule = (name: string) =>
      toyRule({
        fixes: [{ text: 'apply it', manifest }, { text: 'last' }],
        *check({ cluster, finding }) {
          if (cluster.get('Service', 'shop', name) === undefined) yield finding('wrong', path, undefined);
        },
      });
    expect(evaluate(subject(), view(), [rule('helper')]).findings[0]?.fix.text).toBe('apply it');
    expect(evaluate(subject(), view(), [rule('another')]).findings[0]?.fix.text).toBe('last');
  });

  it('judges a fix by the field that it mends, not by what is wrong elsewhere', () => {
    const both = subject({
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81 },
      ],
    });
    const [first, second] = evaluate(both, view(), [
      only8080({ fixes: [{ text: 'good', patch: patch(8080) }, { text: 'last' }] }),
    ]).findings;
    expect([first?.fix.text, second?.fix.text]).toEqual(['good', 'last']);
  });
});

describe('fingerprints', () => {
  const prints = (spec: object) => evaluate(subject(spec), view(), [only8080()]).findings.map(({ fingerprint }) => fingerprint);

  it('are equal wherever in a list the defect stands', () => {
    const a = { name: 'a', port: 80, targetPort: 1 };
    const b = { name: 'b', port: 81, targetPort: 8080 };
    expect(prints({ ports: [a, b] })).toEqual(prints({ ports: [b, a] }));
  });

  it('differ with the value', () =>
    expect(prints({ ports: [{ port: 80, targetPort: 1 }] })).not.toEqual(prints({ ports: [{ port: 80, targetPort: 2 }] })));
});
