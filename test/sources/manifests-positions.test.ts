import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { dump, load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import type { FieldPath } from '../../src/kube/field-path.ts';
import { locator, placer } from '../../src/sources/positions.ts';

const text = `# a Service
apiVersion: v1
kind: Service
metadata:
  name: web
  labels: {app: web, "example.com/x": y}
spec:
  selector:
    app: web
  ports:
    - name: http
      port: 80
      targetPort: web
    -   port: 443
`;
const placeOf = (path: FieldPath, from = text): string => {
  const { line, column } = placer(from)(locator(from)(path));
  return `${line}:${column}`;
};

describe('places of fields', () => {
  it.each<[FieldPath, string]>([
    [[], '2:1'],
    [['kind'], '3:1'],
    [['metadata', 'name'], '5:3'],
    [['metadata', 'labels', 'app'], '6:12'],
    [['metadata', 'labels', 'example.com/x'], '6:22'],
    [['spec'], '7:1'],
    [['spec', 'selector'], '8:3'],
    [['spec', 'selector', 'app'], '9:5'],
    [['spec', 'ports'], '10:3'],
    [['spec', 'ports', 0], '11:7'],
    [['spec', 'ports', 0, 'targetPort'], '13:7'],
    [['spec', 'ports', 1], '14:9'],
    [['spec', 'ports', 1, 'port'], '14:9'],
  ])('%j stands at %s', (path, place) => expect(placeOf(path)).toBe(place));

  it.each<[FieldPath, string]>([
    [['spec', 'type'], '7:1'],
    [['spec', 'ports', 1, 'targetPort'], '14:9'],
    [['spec', 'ports', 7, 'port'], '10:3'],
    [['spec', 'selector', 'tier', 'deeper'], '8:3'],
    [['status', 'x'], '2:1'],
    [['metadata', 'name', 'x'], '5:3'],
    [['metadata', 'labels', 'constructor'], '6:3'],
    [['spec', 'ports', 'name'], '10:3'],
  ])('%j is missing, so its nearest parent at %s is shown', (path, place) => expect(placeOf(path)).toBe(place));

  it('finds what comes from an anchor where it is written', () => {
    const anchored = 'x: &p\n  - port: 80\nspec:\n  ports: *p\n  more:\n    <<: &m {a: 1}\n    b: 2\n';
    expect(placeOf(['spec', 'ports', 0, 'port'], anchored)).toBe('2:5');
    expect(placeOf(['spec', 'ports'], anchored)).toBe('4:3');
    expect(placeOf(['spec', 'more', 'a'], anchored)).toBe('6:13');
    expect(placeOf(['spec', 'more', 'b'], anchored)).toBe('7:5');
  });
  it('takes keys as the object has them', () => {
    expect(placeOf(['true'], 'a: 1\non: 2\n')).toBe('2:1');
    expect(placeOf(['15'], 'a: 1\n017: 2\n')).toBe('2:1');
    expect(placeOf(['k'], 'k: 1\nk: 2\n')).toBe('2:1');
  });
  it('counts lines with every line ending, and columns in UTF-16 units', () => {
    expect(placer('a\r\nb\rc\nd')(7)).toEqual({ line: 4, column: 1 });
    expect(placer('😀x')(2)).toEqual({ line: 1, column: 3 });
    expect(placer('')(0)).toEqual({ line: 1, column: 1 });
  });
  it('has a place for an empty document', () => expect(locator('# nothing')(['a'])).toBe(0));

  it('points at the key of every field of any object, as it was written', () => {
    const key = fc.string({ unit: fc.constantFrom(...Array.from('abc /.-:#"é')), minLength: 1, maxLength: 6 });
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('x', '1', 'yes', ''),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(key, tie('node'), { maxKeys: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(fc.dictionary(key, value, { minKeys: 1, maxKeys: 4 }), fc.boolean(), (object, flow) => {
        const written = dump(object, { flowLevel: flow ? 1 : -1, lineWidth: -1, noRefs: true, forceQuotes: true, quoteStyle: 'double' });
        fc.pre(isDeepStrictEqual(readBack(written), object)); // what js-yaml cannot read back itself proves nothing
        const locate = locator(written);
        for (const path of pathsOf(object)) {
          const last = path.at(-1);
          const at = written.slice(locate(path));
          if (
            typeof last === 'string' &&
            !at.startsWith(last) &&
            !at.startsWith(JSON.stringify(last)) &&
            !at.startsWith(`'${last}`) &&
            !at.startsWith('? ')
          )
            throw new Error(`${JSON.stringify(path)} leads to ${at.slice(0, 20)}`);
        }
      }),
      { numRuns: 300 },
    );
  });
});

function readBack(text: string): unknown {
  try {
    return load(text);
  } catch {
    return undefined;
  }
}

function pathsOf(value: unknown, path: FieldPath = []): FieldPath[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => [[...path, index], ...pathsOf(item, [...path, index])]);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [[...path, key], ...pathsOf(item, [...path, key])]);
}
