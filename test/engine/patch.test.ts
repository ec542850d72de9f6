import { describe, expect, it } from 'vitest';
import type { PatchOperation } from '../../src/engine/finding.ts';
import { applyPatch, asWritten, jsonPointer } from '../../src/engine/patch.ts';

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const patched = (object: unknown, ...operations: PatchOperation[]): unknown => plain(applyPatch(object, operations));

describe('applyPatch', () => {
  it.each<[string, unknown, PatchOperation, unknown]>([
    ['replaces a field', { a: 1, b: 2 }, { op: 'replace', path: ['a'], value: 3 }, { a: 3, b: 2 }],
    ['replaces in a list', { a: [1, 2] }, { op: 'replace', path: ['a', 1], value: 3 }, { a: [1, 3] }],
    ['replaces below a list', { a: [{ b: 1 }, { b: 2 }] }, { op: 'replace', path: ['a', 1, 'b'], value: 3 }, { a: [{ b: 1 }, { b: 3 }] }],
    ['adds a field', { a: 1 }, { op: 'add', path: ['b'], value: 2 }, { a: 1, b: 2 }],
    ['inserts into a list', { a: [1, 3] }, { op: 'add', path: ['a', 1], value: 2 }, { a: [1, 2, 3] }],
    ['appends to a list', { a: [1] }, { op: 'add', path: ['a', '-'], value: 2 }, { a: [1, 2] }],
    ['appends to a list that is not there', {}, { op: 'add', path: ['spec', 'egress', '-'], value: {} }, { spec: { egress: [{}] } }],
    ['makes missing parents', {}, { op: 'add', path: ['a', 'b', 'c'], value: 1 }, { a: { b: { c: 1 } } }],
    ['removes a field', { a: 1, b: 2 }, { op: 'remove', path: ['a'] }, { b: 2 }],
    ['removes from a list', { a: [1, 2, 3] }, { op: 'remove', path: ['a', 1] }, { a: [1, 3] }],
    ['removes what is not there', { a: 1 }, { op: 'remove', path: ['b'] }, { a: 1 }],
    ['replaces the whole', { a: 1 }, { op: 'replace', path: [], value: { b: 2 } }, { b: 2 }],
  ])('%s', (_, before, operation, after) => expect(patched(before, operation)).toEqual(after));

  it('applies operations one after the other', () =>
    expect(patched({ a: [] }, { op: 'add', path: ['a', '-'], value: 1 }, { op: 'add', path: ['a', '-'], value: 2 })).toEqual({
      a: [1, 2],
    }));

  it('leaves the original alone and shares what it does not touch', () => {
    const before = Object.freeze({ a: Object.freeze([Object.freeze({ b: 1 })]), c: Object.freeze({}) });
    const after = applyPatch(before, [{ op: 'replace', path: ['a', 0, 'b'], value: 2 }]);
    expect(before.a[0]?.b).toBe(1);
    expect(after.a[0]?.b).toBe(2);
    expect(after.c).toBe(before.c);
  });

  it('leaves alone what an operation brings, though a later one edits it', () => {
    const value = Object.freeze({ b: Object.freeze([1]) });
    const append: PatchOperation = { op: 'add', path: ['a', 'b', '-'], value: 2 };
    expect(patched({}, { op: 'add', path: ['a'], value }, append)).toEqual({ a: { b: [1, 2] } });
    expect(value).toEqual({ b: [1] });
  });

  it('takes a key called __proto__ for a key', () => {
    const after = applyPatch<Record<string, unknown>>({}, [{ op: 'add', path: ['__proto__'], value: 'x' }]);
    expect(Object.hasOwn(after, '__proto__')).toBe(true);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

it('is written without what is empty and means the same', () => {
  const ipBlock = { cidr: '10.0.0.0/8', except: [] };
  const podSelector = { matchLabels: {}, matchExpressions: [] };
  expect(asWritten([{ op: 'add', path: ['spec', 'egress'], value: [{ to: [{ ipBlock }, { podSelector }] }] }])).toEqual([
    { op: 'add', path: ['spec', 'egress'], value: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }, { podSelector: {} }] }] },
  ]);
});

describe('jsonPointer', () => {
  it.each([
    [['spec', 'ports', 0, 'targetPort'], '/spec/ports/0/targetPort'],
    [['metadata', 'annotations', 'a/b~c'], '/metadata/annotations/a~1b~0c'],
    [['spec', 'egress', '-'], '/spec/egress/-'],
    [[], ''],
  ])('%j → %s', (path, pointer) => expect(jsonPointer(path)).toBe(pointer));
});
