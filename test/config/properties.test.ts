import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDate } from '../../src/config/dates.ts';
import { durationMs } from '../../src/config/duration.ts';
import { type Configuration, parseConfiguration, type WriteContext } from '../../src/config/settings.ts';
import { type Mode, modes, profiles } from '../../src/engine/mode.ts';
import type { Rule } from '../../src/engine/rule.ts';
import { OperatorError } from '../../src/errors.ts';
import { labelsOf } from '../../src/kube/labels.ts';
import { rules } from '../../src/rules/index.ts';
import { runs } from '../support/figures.ts';
import { findingOf, now, sampleRule, sampleRules, service } from './sample-rules.ts';

function parsed(file: unknown, known: readonly Rule[] = sampleRules): Configuration | undefined {
  try {
    return parseConfiguration(file, known);
  } catch (error) {
    if (error instanceof OperatorError && error.code === 'PC0003') return undefined;
    throw error;
  }
}

const namespace = fc.constantFrom('shop', 'team-a', 'kube-system');
const glob = fc.constantFrom('*', 'shop', 'team-*', '*-a', 'x');
const selector = fc.record(
  {
    matchLabels: fc.dictionary(fc.constantFrom('team', 'stage', '__proto__'), fc.constantFrom('a', 'b')),
    matchExpressions: fc.array(fc.record({ key: fc.constant('team'), operator: fc.constantFrom('Exists', 'DoesNotExist') }), {
      maxLength: 2,
    }),
  },
  { requiredKeys: [] },
);
const choice = { namespaces: fc.array(glob, { minLength: 1, maxLength: 3 }), namespaceSelector: selector };
const override = fc.record({ ...choice, mode: fc.constantFrom(...modes) }, { requiredKeys: ['namespaces', 'mode'] });
const ruleSettings = fc.record(
  { mode: fc.constantFrom(...modes, false), exemptable: fc.boolean(), overrides: fc.array(override, { maxLength: 3 }) },
  { requiredKeys: [] },
);
const ids = sampleRules.map(({ meta }) => meta.id);
const entry = fc.record(
  {
    ...choice,
    rules: fc.array(fc.constantFrom('*', ...ids), { minLength: 1, maxLength: 2 }),
    names: fc.array(glob, { minLength: 1, maxLength: 2 }),
    reason: fc.constant('moving'),
    until: fc.constantFrom('2026-11-20', '2026-11-21', '2030-01-01'),
  },
  { requiredKeys: ['rules', 'reason'] },
);
const file = fc.record(
  {
    apiVersion: fc.constant('portcullis.dev/v1'),
    profile: fc.constantFrom(...profiles),
    namespaceProfiles: fc.constantFrom('ignore', 'stricter', 'any'),
    rules: fc.dictionary(fc.constantFrom(...ids), ruleSettings),
    exemptions: fc.record({ byAnnotation: fc.constantFrom('never', 'always'), list: fc.array(entry, { maxLength: 3 }) }),
    protectedNamespaces: fc.constantFrom([], ['kube-system']),
  },
  { requiredKeys: ['apiVersion'] },
);
/** The same with nonsense put in the place of some value, or beside it. */
const brokenFile = fc
  .tuple(file, fc.constantFrom('profile', 'rules', 'exemptions', 'grace', 'secrets', 'workloads', 'nonsense'), fc.jsonValue())
  .map(([whole, key, nonsense]) => ({ ...whole, [key]: nonsense }));
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', ' ', '\n', '\u0007', '\u202e', '\ud800', '2026-11-21', 'until'), maxLength: 8 }),
  fc.constantFrom('moving', 'moving until 2026-11-21', 'until', 'moving until x'),
);
const annotations = fc.dictionary(
  fc.oneof(
    fc.constantFrom(...ids, '__proto__', '').map((id) => `exempt.portcullis.dev/${id}`),
    fc.string(),
  ),
  text,
);
const context: fc.Arbitrary<WriteContext> = fc
  .record({
    operation: fc.constantFrom('CREATE', 'UPDATE', 'DELETE'),
    namespace,
    annotations,
    labels: fc.dictionary(fc.constantFrom('team', 'portcullis.dev/profile', 'constructor'), fc.constantFrom('a', '__proto__', ...profiles)),
    user: fc.option(
      fc.record({ username: fc.constantFrom('jane', 'system:kube-controller-manager', '__proto__'), groups: fc.constant([]) }),
      { nil: undefined },
    ),
    offline: fc.boolean(),
  })
  .map(({ namespace: name, annotations: written, labels, user, ...rest }) => ({
    ...rest,
    object: service({ namespace: name, annotations: written }),
    namespaceLabels: labelsOf(labels),
    ...(user && { user }),
    now,
  }));

const answer = (configuration: Configuration, write: WriteContext): unknown => {
  const bound = configuration.bind(write);
  return sampleRules.flatMap((rule) =>
    Object.keys(rule.messages).map((id) => {
      const [finding, message] = findingOf(rule, id);
      const { notices, factsOf } = bound;
      const ran = bound.rules.map(({ meta }) => meta.id);
      return [id, bound.modeOf(finding, message), bound.exemptionOf(finding, true), ran, notices, factsOf?.(write.object)];
    }),
  );
};

describe('parseConfiguration', () => {
  it('takes any JSON, and answers with a configuration or an OperatorError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), brokenFile), (json) => {
        parsed(json);
        parsed(json, rules);
      }),
      { numRuns: runs(150, 20_000) },
    );
  });

  it('takes what is well formed', () => {
    fc.assert(
      fc.property(file, (good) => {
        expect(JSON.stringify(good).includes('__proto__') || parsed(good) !== undefined).toBe(true);
      }),
    );
  });

  it('takes nesting that no walk by recursion would', () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    expect(parsed({ apiVersion: 'portcullis.dev/v1', deep })).toBeUndefined();
  });
});

describe('bind', () => {
  it('gives the same answer for the same write, and never throws', () => {
    fc.assert(
      fc.property(file, context, (json, write) => {
        const configuration = parsed(json);
        fc.pre(configuration !== undefined);
        expect(answer(configuration, write)).toEqual(answer(parsed(structuredClone(json)) as Configuration, structuredClone(write)));
      }),
      { numRuns: runs(60, 5_000) },
    );
  });

  const strength = (mode: Mode): number => modes.length - modes.indexOf(mode);
  /** A message for every pair of modes that is not milder in strict, grave and informational. */
  const verdicts = modes.flatMap((guided) =>
    modes
      .filter((strict) => strength(strict) >= strength(guided))
      .flatMap((strict) =>
        (['high', 'info'] as const).map((severity) => [`${guided}-${strict}-${severity}`, [guided, strict, severity]] as const),
      ),
  );
  const everyMessage = sampleRule('service-is-odd', Object.fromEntries(verdicts));

  it('is never loosened by a label, unless the configuration lets any label do so', () => {
    fc.assert(
      fc.property(file, context, (json, write) => {
        const configuration = parsed({ ...json, namespaceProfiles: 'stricter' }, [everyMessage, ...sampleRules.slice(1)]);
        fc.pre(configuration !== undefined);
        const without = labelsOf(write.namespaceLabels, (key) => key !== 'portcullis.dev/profile');
        const plain = configuration.bind({ ...write, namespaceLabels: without });
        for (const label of [...profiles, 'nonsense']) {
          const labelled = configuration.bind({ ...write, namespaceLabels: labelsOf({ ...without, 'portcullis.dev/profile': label }) });
          for (const id of Object.keys(everyMessage.messages)) {
            const judged = findingOf(everyMessage, id);
            expect(strength(labelled.modeOf(...judged)), `${id} ${label}`).toBeGreaterThanOrEqual(strength(plain.modeOf(...judged)));
          }
        }
      }),
      { numRuns: runs(60, 5_000) },
    );
  });
});

it('no rule is milder in strict than in guided: on that rests that a stricter profile never loosens', () => {
  const milder = rules.flatMap(({ meta, messages }) =>
    Object.entries(messages)
      .filter(([, message]) => modes.indexOf(message.modes.strict) > modes.indexOf(message.modes.guided))
      .map(([id]) => `${meta.id} ${id}`),
  );
  expect(milder).toEqual([]);
});

it('a date is one that the calendar has', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
      expect(isDate(date.toISOString().slice(0, 10))).toBe(true);
    }),
  );
  for (const wrong of ['2026-02-29', '2026-00-10', '2026-13-01', '26-01-01', '2026-1-1', '2026-01-01T00:00:00Z', ' 2026-01-01'])
    expect(isDate(wrong)).toBe(false);
});

it('a duration is hours, minutes and seconds in this order', () => {
  for (const [written, ms] of Object.entries({ '0s': 0, '60s': 60_000, '1m30s': 90_000, '24h': 86_400_000, '1h0m1s': 3_601_000 }))
    expect(durationMs(written)).toBe(ms);
  for (const wrong of ['', '60', 's', '1s1m', '-1s', '1.5s', '24h1s', '1 s']) expect(durationMs(wrong)).toBeUndefined();
});
