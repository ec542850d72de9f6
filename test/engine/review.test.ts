import { describe, expect, it } from 'vitest';
import type { Read } from '../../src/cluster/view.ts';
import { afterLiveLook, type Decision, review, type Settings, type Write } from '../../src/engine/review.ts';
import type { ConfiguredRule } from '../../src/engine/rule.ts';
import { clockOf, only8080, service, slow, toyRule, view } from '../support/toy-rules.ts';

const strict: Settings = { modeOf: (_, { modes }) => modes.strict, exemptionOf: () => undefined };
const inMode = (mode: 'deny' | 'warn' | 'audit' | 'off', exemption?: string): Settings => ({
  modeOf: () => mode,
  exemptionOf: () => exemption,
});
const port = (targetPort: number | string, name = 'a') => ({ name, port: name.charCodeAt(0), targetPort });
const object = (...ports: object[]) => service({ ports });

const create = (after = object(port(1)), dryRun = false): Write => ({ operation: 'CREATE', after, dryRun });
const update = (before: ReturnType<typeof object>, after: ReturnType<typeof object>): Write => ({
  operation: 'UPDATE',
  before,
  after,
  dryRun: false,
});

/** What became of each finding, in one word. */
function outcome(decision: Decision): string {
  const words = [
    ...decision.denials.map(() => 'denied'),
    ...decision.warnings.map(({ softened }) => softened ?? 'warned'),
    ...decision.audited.map(() => 'audited'),
    ...decision.exempted.map(({ reason }) => `exempt: ${reason}`),
  ];
  return `${decision.allowed ? 'allowed' : 'refused'}${words.length === 0 ? '' : `, ${words.join(' and ')}`}`;
}

describe('modes and exemptions', () => {
  it.each([
    ['deny', undefined, 'refused, denied'],
    ['warn', undefined, 'allowed, warned'],
    ['audit', undefined, 'allowed, audited'],
    ['off', undefined, 'allowed'],
    ['deny', 'to be moved', 'allowed, exempt: to be moved'],
    ['audit', 'to be moved', 'allowed, exempt: to be moved'],
    ['off', 'to be moved', 'allowed'],
  ] as const)('%s with exemption %s: %s', (mode, exemption, expected) =>
    expect(outcome(review(create(), view(), [only8080()], { settings: inMode(mode, exemption) }))).toBe(expected),
  );

  it('a fault and a skip deny nothing, and are told', () => {
    const faulty = toyRule({
      id: 'faulty',
      check: () => {
        throw new Error('a bug');
      },
    });
    const blind = toyRule({
      id: 'blind',
      check: ({ cluster }) => {
        cluster.list('Ingress', 'shop');
        return [];
      },
    });
    const decision = review(
      create(),
      view(() => 'unsynced'),
      [faulty, blind],
      { settings: strict },
    );
    expect(outcome(decision)).toBe('allowed');
    expect(decision.faults.map(({ ruleId }) => ruleId)).toEqual(['faulty']);
    expect(decision.skipped.map(({ ruleId, reason }) => [ruleId, reason])).toEqual([['blind', 'unsynced']]);
  });
});

describe('the ratchet', () => {
  it.each([
    ['the same defect', object(port(1)), object(port(1)), 'allowed, ratcheted'],
    ['the same defect, in another place', object(port(1), port(8080, 'b')), object(port(8080, 'b'), port(1)), 'allowed, ratcheted'],
    ['another wrong value', object(port(1)), object(port(2)), 'refused, denied'],
    ['one more defect', object(port(1)), object(port(1), port(2, 'b')), 'refused, denied and ratcheted'],
    ['a new defect', object(port(8080)), object(port(1)), 'refused, denied'],
    ['a repair', object(port(1)), object(port(8080)), 'allowed'],
    ['half a repair', object(port(1), port(2, 'b')), object(port(8080), port(2, 'b')), 'allowed, ratcheted'],
  ])('%s', (_, before, after, expected) =>
    expect(outcome(review(update(before, after), view(), [only8080()], { settings: strict }))).toBe(expected),
  );

  it('counts a defect by what it consists of where the message says so', () => {
    const cuts = (): ConfiguredRule =>
      toyRule({
        defects: (data: unknown) => data as readonly string[],
        *check({ object, finding }) {
          const cut = object.spec.ports.map(({ targetPort }) => String(targetPort));
          if (cut.length > 0) yield finding('wrong', ['spec'], cut);
        },
      });
    const told = (before: readonly number[], after: readonly number[]) =>
      outcome(
        review(update(object(...before.map((one) => port(one))), object(...after.map((one) => port(one)))), view(), [cuts()], {
          settings: strict,
        }),
      );
    expect(told([1, 2], [2])).toBe('allowed, ratcheted');
    expect(told([1], [1, 2])).toBe('refused, denied');
  });

  it('counts what is wrong with the object as it was, written in another way that means the same', () => {
    const backwards = toyRule({
      otherwise: (one) => object(...one.spec.ports.toReversed().map(({ targetPort, name }) => port(Number(targetPort), name))),
      *check({ object: { spec }, finding }) {
        if (spec.ports[0]?.targetPort !== 8080) yield finding('wrong', ['spec', 'ports', 0, 'targetPort'], undefined);
      },
    });
    const told = (...after: readonly ReturnType<typeof port>[]) =>
      outcome(review(update(object(port(8080), port(1, 'b')), object(...after)), view(), [backwards], { settings: strict }));
    expect(told(port(1, 'b'), port(8080))).toBe('allowed, ratcheted');
    expect(told(port(2, 'b'), port(8080))).toBe('refused, denied');
  });

  it('denies nothing by a rule that could not be judged on the object as it was', () => {
    const rule = toyRule({
      *check({ object, cluster, finding }) {
        if (object.spec.ports[0]?.targetPort === 1) cluster.list('Ingress', 'shop');
        else yield finding('wrong', ['spec', 'ports', 0, 'targetPort'], undefined);
      },
    });
    const decision = review(
      update(object(port(1)), object(port(2))),
      view(() => 'forbidden'),
      [rule],
      { settings: strict },
    );
    expect(outcome(decision)).toBe('allowed, ratcheted');
  });

  it('judges the object as it was in the cluster as it is: what others did is not this write’s doing', () => {
    const rule = toyRule({
      *check({ cluster, finding }) {
        if (cluster.get('Service', 'shop', 'other') === undefined) yield finding('wrong', ['spec', 'ports'], undefined);
      },
    });
    const relabelled = service({}, { labels: { team: 'a' } });
    expect(outcome(review(update(service(), relabelled), view(), [rule], { settings: strict }))).toBe('allowed, ratcheted');
  });
});

describe('what a controller makes', () => {
  const ownerReferences = [{ apiVersion: 'monitoring.coreos.com/v1', kind: 'Prometheus', name: 'main', uid: 'u', controller: true }];
  const owned = service({ ports: [port(1)] }, { ownerReferences });

  it.each([
    ['forward', owned, 'allowed, owned'],
    ['backward', owned, 'allowed, owned'],
    ['self-contained', owned, 'refused, denied'],
    ['exclusive', owned, 'refused, denied'],
    ['forward', object(port(1)), 'refused, denied'],
    [
      'forward',
      service({ ports: [port(1)] }, { ownerReferences: ownerReferences.map((one) => ({ ...one, controller: false })) }),
      'refused, denied',
    ],
  ] as const)('is not denied for what may still come (%s)', (orderClass, after, expected) => {
    expect(outcome(review(create(after), view(), [only8080({ orderClass })], { settings: strict }))).toBe(expected);
  });
});

describe('the cluster that rules see', () => {
  const names: string[] = [];
  const watcher = toyRule({
    judgesDelete: true,
    check: ({ cluster, before }) => {
      const marked = (of: typeof cluster | undefined) => of?.get('Service', 'shop', 'web')?.metadata.labels['mark'] ?? 'none';
      names.push(`${marked(before?.())} → ${marked(cluster)}`);
      return [];
    },
  });
  const mark = (value: string) => service({}, { labels: { mark: value } });

  it.each([
    ['a creation', { operation: 'CREATE', after: mark('new'), dryRun: false }, 'what the watch has', 'none → new'],
    ['an update', { operation: 'UPDATE', before: mark('old'), after: mark('new'), dryRun: false }, 'what the watch has', 'old → new'],
    ['a removal', { operation: 'DELETE', before: mark('old'), dryRun: false }, 'what the watch has', 'old → none'],
  ] as const)('%s', (_, write, watched, expected) => {
    names.length = 0;
    review(write, view().with([mark(watched)]), [watcher], { settings: strict });
    expect(names).toEqual([expected]);
  });
});

describe('dry-runs', () => {
  it.each([
    ['self-contained', undefined, 'refused, denied'],
    ['exclusive', undefined, 'refused, denied'],
    ['backward', undefined, 'allowed, dry-run'],
    ['forward', undefined, 'allowed, dry-run'],
    ['destructive', undefined, 'allowed, dry-run'],
    ['exclusive', false, 'allowed, dry-run'],
    ['forward', true, 'refused, denied'],
  ] as const)('class %s, deniesDryRun %s: %s', (orderClass, deniesDryRun, expected) => {
    const rule = only8080({ orderClass, ...(deniesDryRun !== undefined && { deniesDryRun }) });
    expect(outcome(review(create(object(port(1)), true), view(), [rule], { settings: strict }))).toBe(expected);
  });
});

describe('the live look before a denial', () => {
  const looksUp = (changes: object): ConfiguredRule =>
    toyRule({
      orderClass: 'forward',
      *check({ cluster, finding }) {
        cluster.list('Ingress', 'shop');
        if (cluster.get('Service', 'shop', 'other') === undefined) yield finding('wrong', ['spec'], undefined);
      },
      ...changes,
    });
  const toConfirm = (rule: ConfiguredRule, settings = strict, held = view()): readonly Read[] =>
    [...review(create(), held, [rule], { settings }).toConfirm.values()].flat();
  const reads = [
    { collection: 'Ingress', namespace: 'shop' },
    { collection: 'Service', namespace: 'shop', name: 'other' },
  ];

  it('reads again what the denying rules have read', () => expect(toConfirm(looksUp({}))).toEqual(reads));
  it('reads only what the rule says its denials rest on', () => expect(toConfirm(looksUp({ confirms: ['Service'] }))).toEqual([reads[1]]));
  it('reads nothing for what the object alone proves', () => expect(toConfirm(only8080())).toEqual([]));
  it('reads again what a rule has looked up, whatever its class', () =>
    expect(toConfirm(looksUp({ orderClass: 'self-contained' }))).toEqual(reads));
  it('reads the rest too where its watch is broken', () => {
    const held = view().knowing({ staleMs: (collection) => (collection === 'Ingress' ? 10_001 : 0) });
    expect(toConfirm(looksUp({ confirms: ['Service'] }), strict, held)).toEqual(reads);
    expect(toConfirm(looksUp({ confirms: ['Service'] }), strict, view().knowing({ staleMs: () => 10_000 }))).toEqual([reads[1]]);
  });
  it('of what it looked for everywhere, reads again what it found and looked up by name', () => {
    const searches = (collection: 'Service' | 'Ingress'): ConfiguredRule =>
      toyRule({
        orderClass: 'exclusive',
        *check({ cluster, finding }) {
          cluster.listAll(collection);
          if (cluster.get('Service', 'shop', 'other') === undefined) yield finding('wrong', ['spec'], undefined);
        },
      });
    expect(toConfirm(searches('Service'))).toEqual([reads[1]]);
    expect(toConfirm(searches('Ingress'))).toEqual([{ collection: 'Ingress', namespace: '*' }, reads[1]]);
  });
  it('reads nothing for a warning', () => expect(toConfirm(looksUp({}), inMode('warn'))).toEqual([]));

  const sure = only8080({ id: 'sure' });
  const unsure = looksUp({ id: 'unsure' });
  const both = [sure, unsure];
  const first = review(create(), view(), both, { settings: strict });
  const second = (held: Parameters<ReturnType<typeof view>['with']>[0]) =>
    review(create(), view().with(held), [unsure], { settings: strict });
  const denying = ({ denials }: Decision) => denials.map(({ ruleId }) => ruleId);

  it('begins with both denials', () => expect(denying(first)).toEqual(['sure', 'unsure']));
  it('lets what it confirms stand', () => expect(denying(afterLiveLook(first, second([])))).toEqual(['sure', 'unsure']));

  it('drops what it refutes', () => {
    const decision = afterLiveLook(first, second([service({}, { name: 'other' })]));
    expect(denying(decision)).toEqual(['sure']);
    expect(decision.warnings).toEqual([]);
  });

  it('that fails leaves a warning of what rests on the cluster’s state', () => {
    const decision = afterLiveLook(first, undefined);
    expect(outcome(decision)).toBe('refused, denied and unconfirmed');
    expect(denying(decision)).toEqual(['sure']);
    expect(outcome(afterLiveLook(review(create(), view(), [unsure], { settings: strict }), undefined))).toBe('allowed, unconfirmed');
  });
});

describe('the time', () => {
  it('is enough to see what was wrong before, however long fixes are tried', () => {
    const clock = clockOf(100);
    const patch = [{ op: 'replace' as const, path: ['spec', 'sessionAffinity'], value: 'None' }];
    const rule = slow(clock, 20, { fixes: [{ text: 'try this', patch }, { text: 'mend it' }] });
    const before = object(port(1), port(2, 'b'), port(3, 'c'));
    const after = object(port(1), port(2, 'b'), port(3, 'c'), port(4, 'd'));
    const decision = review(update(before, after), view(), [rule], { ...clock, settings: strict });
    expect(outcome(decision)).toBe('refused, denied and ratcheted and ratcheted and ratcheted');
  });

  it('is first for what refuses in these settings', () => {
    const clock = clockOf(100);
    const settings: Settings = { ...strict, modeOf: ({ ruleId }) => (ruleId === 'refuses' ? 'deny' : 'warn') };
    const rules = [slow(clock, 100, { id: 'costly' }), only8080({ id: 'refuses' })];
    expect(outcome(review(create(), view(), rules, { ...clock, settings }))).toBe('refused, denied and warned');
  });
});
