import { describe, expect, it } from 'vitest';
import {
  formatLabels,
  formatSelector,
  isRunTimeLabel,
  labelsOf,
  matchesPairs,
  matchesSelector,
  selectsEverything,
} from '../../src/kube/labels.ts';
import type { LabelSelector } from '../../src/kube/resources.ts';

const labels = labelsOf({ app: 'web', tier: 'front' });
const selector = (matchLabels: object, ...matchExpressions: LabelSelector['matchExpressions']): LabelSelector => ({
  matchLabels: labelsOf(matchLabels),
  matchExpressions,
});
const requirement = (key: string, operator: string, ...values: string[]) => ({ key, operator, values });

describe('labelsOf', () => {
  it('keeps strings and drops the rest', () => expect({ ...labelsOf({ a: 'x', b: 1, d: {} }) }).toEqual({ a: 'x' }));
  it('takes null for empty, as the API server stores it', () => expect({ ...labelsOf({ a: null, b: 'x' }) }).toEqual({ a: '', b: 'x' }));
  it.each([undefined, null, 'text', 3])('makes nothing of %s', (value) => expect(Object.keys(labelsOf(value))).toEqual([]));

  it('holds keys that every object has', () => {
    const hostile = labelsOf(JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}'));
    expect(Object.keys(hostile)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(matchesPairs(hostile, hostile)).toBe(true);
    expect(labelsOf({})['constructor']).toBeUndefined();
  });
});

describe('matchesPairs', () => {
  it.each([
    [{}, true],
    [{ app: 'web' }, true],
    [{ app: 'web', tier: 'front' }, true],
    [{ app: 'web', tier: 'back' }, false],
    [{ app: 'web', track: 'x' }, false],
    [{ constructor: 'Object' }, false],
  ])('%j: %s', (pairs, expected) => expect(matchesPairs(labelsOf(pairs), labels)).toBe(expected));
});

describe('matchesSelector', () => {
  it.each<[string, LabelSelector, boolean]>([
    ['empty matches all', selector({}), true],
    ['In, present', selector({}, requirement('app', 'In', 'web', 'api')), true],
    ['In, absent', selector({}, requirement('track', 'In', 'x')), false],
    ['NotIn, other value', selector({}, requirement('app', 'NotIn', 'api')), true],
    ['NotIn, that value', selector({}, requirement('app', 'NotIn', 'web')), false],
    ['NotIn matches what lacks the key', selector({}, requirement('track', 'NotIn', 'x')), true],
    ['Exists', selector({}, requirement('app', 'Exists')), true],
    ['Exists, absent', selector({}, requirement('track', 'Exists')), false],
    ['DoesNotExist matches what lacks the key', selector({}, requirement('track', 'DoesNotExist')), true],
    ['DoesNotExist, present', selector({}, requirement('app', 'DoesNotExist')), false],
    ['an unknown operator matches nothing', selector({}, requirement('app', 'Near', 'web')), false],
    ['labels and expressions must both hold', selector({ app: 'web' }, requirement('tier', 'In', 'back')), false],
  ])('%s', (_, one, expected) => expect(matchesSelector(one, labels)).toBe(expected));

  it('knows the selector of everything', () => {
    expect(selectsEverything(selector({}))).toBe(true);
    expect(selectsEverything(selector({ app: 'web' }))).toBe(false);
    expect(selectsEverything(selector({}, requirement('app', 'Exists')))).toBe(false);
  });
});

describe('run-time labels', () => {
  it.each(['statefulset.kubernetes.io/pod-name', 'pod-template-hash', 'controller-revision-hash', 'role', 'spilo-role'])(
    '%s is one',
    (key) => expect(isRunTimeLabel(key)).toBe(true),
  );
  it.each(['app', 'tier', 'constructor'])('%s is none', (key) => expect(isRunTimeLabel(key)).toBe(false));
});

describe('as kubectl writes them', () => {
  it.each([
    [selector({}), 'all'],
    [selector({ app: 'web', tier: 'front' }), 'app=web,tier=front'],
    [selector({ app: 'web' }, requirement('a', 'In', 'x', 'y'), requirement('b', 'NotIn', 'z')), 'app=web,a in (x,y),b notin (z)'],
    [selector({}, requirement('a', 'Exists'), requirement('b', 'DoesNotExist')), 'a,!b'],
  ])('%#: %s', (one, text) => expect(formatSelector(one)).toBe(text));
  it('labels', () => expect(formatLabels(labels)).toBe('app=web,tier=front'));
});
