/** What stands less indented than its parent: kubectl 1.36.3 reads each of these (`kubectl kustomize`), and where it does not is said. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { locator } from '../../src/sources/positions.ts';
import { readYaml, YamlError } from '../../src/sources/yaml.ts';

const read = (text: string): unknown => readYaml(text).value;

it.each([
  [
    'a closing brace below the key',
    'spec:\n  selector: {\n    app: x,\n    b: c\n  }\n  count: 1\n',
    { spec: { selector: { app: 'x', b: 'c' }, count: 1 } },
  ],
  ['a closing bracket below the key', 'spec:\n  ports: [\n    {port: 80}\n  ]\n', { spec: { ports: [{ port: 80 }] } }],
  [
    'everything at the margin',
    'spec:\n  selector: {\n app: x, # a comment, with ] and }\nb: c\n}\n',
    { spec: { selector: { app: 'x', b: 'c' } } },
  ],
  ['a line that begins with a tab', 'args:\n  - [\n    "a",\n\t"b",\n  ]\n', { args: [['a', 'b']] }],
  ['a quoted text', 'a:\n  b: "one\n two\n\n three"\n', { a: { b: 'one two\nthree' } }],
  ['flow in flow', 'a:\n    b: [\n  [\n1\n],\n  {c: d,\ne: f}\n]\n', { a: { b: [[1], { c: 'd', e: 'f' }] } }],
])('is read: %s', (_, text, value) => expect(read(text)).toEqual(value));

it.each([
  ['a document that begins within', 'a: [b,\n---\nc]\n'],
  ['what is never closed', 'a:\n  b: [\nc,\nd\n'],
  ['a block that is indented too little', 'a:\n  - b: 1\n c: 2\n'],
])('is refused: %s', (_, text) => expect(() => read(text)).toThrow(YamlError));

it('says what is wrong where it stands, behind such lines too', () => {
  const text = 'a:\n  b: [\nc,\n],\nd: 1\n';
  const offset = (() => {
    try {
      read(text);
    } catch (error) {
      return (error as YamlError).offset;
    }
    return undefined;
  })();
  expect(text.slice(offset)).toMatch(/^,\n/);
});

it('is bounded: a text of many such lines is refused, and soon', () => {
  expect(() => read(`a:\n  b: [\n${'c,\n'.repeat(20_000)}]\n`)).toThrow('deficient indentation');
});

it('has its places in the text as it stands', () => {
  const text = 'a:\n  b: [\nc,\n {d: e},\n]\n  f: g\n';
  expect(text.slice(locator(text)(['a', 'b', 1, 'd']))).toMatch(/^d: e\},/);
  expect(text.slice(locator(text)(['a', 'f']))).toMatch(/^f: g\n/);
});

it('is worth the same with any indentation', () => {
  const line = fc.tuple(
    fc.nat(6),
    fc.constantFrom('a', 'b: 1', '"c d"', '{e: f}', '[g, h]', '{i: [j,', '[k,'),
    fc.constantFrom('', ' # l'),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), fc.nat(6), (lines, last) => {
      const closing = (body: string): string => (body.startsWith('{i') ? 'm]}' : body === '[k,' ? 'n]' : '');
      const flow = (isDeep: boolean): string =>
        lines
          .map(([indent, body, rest]) => {
            const [one, two] = isDeep ? [8, 9] : [indent, 6 - indent];
            const end = closing(body);
            return `${' '.repeat(one)}${body}${rest && !end ? `,${rest}` : end ? `${rest}\n${' '.repeat(two)}${end},` : ','}\n`;
          })
          .join('') + ' '.repeat(isDeep ? 8 : last);
      const text = (isDeep: boolean): string => `x:\n    y: [\n${flow(isDeep)}]\n    z: 1\n`;
      expect(read(text(false))).toEqual(read(text(true)));
    }),
  );
});
