/** A patch applied to a text: what changes, what stays, and what is left alone. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyPatch } from '../../src/engine/patch.ts';
import { readYaml } from '../../src/sources/yaml.ts';
import { editedText, type TextEdit } from '../../src/sources/yaml-edit.ts';
import { runs } from '../support/figures.ts';

const edited = (text: string, ...edits: readonly TextEdit[]) => editedText(text, edits, applyPatch(readYaml(text).value, edits));
const set = (path: string, value: unknown): TextEdit => ({ op: 'replace', path: parts(path), value });
const add = (path: string, value: unknown): TextEdit => ({ op: 'add', path: parts(path), value });
const remove = (path: string): TextEdit => ({ op: 'remove', path: parts(path) });
const parts = (path: string) => path.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));

const service = `# The shop
apiVersion: v1
kind: Service
metadata:
  name: "web" # as in DNS
spec:
  selector:
    app: wbe   # who answers
    tier: 'front'
  # what is open
  ports:
    - name: http
      # the port of the Service
      port: 80
      targetPort: htpp # named
    -   port: 443   # TLS
        targetPort: https
  clusterIPs: []
  type:
`;

describe('an edit', () => {
  it.each<[string, string, readonly TextEdit[], readonly (readonly [string, string])[]]>([
    ['of a plain value', service, [set('spec.ports.0.targetPort', 'http')], [['htpp', 'http']]],
    ['of a number', service, [set('spec.ports.1.port', 8443)], [['443', '8443']]],
    ['in the quotes that were there', service, [set('spec.selector.tier', "it's")], [["'front'", "'it''s'"]]],
    ['of a text that has to be quoted', service, [set('spec.selector.app', 'yes')], [['wbe', '"yes"']]],
    ['of a mapping, touching only what differs', service, [set('spec.selector', { app: 'web', tier: 'front' })], [['wbe', 'web']]],
    [
      'of a mapping under another key',
      service,
      [set('spec.selector', { run: 'web', tier: 'front' })],
      [
        ["    tier: 'front'\n", "    tier: 'front'\n    run: web\n"],
        ['    app: wbe   # who answers\n', ''],
      ],
    ],
    ['that adds a field', service, [add('spec.ports.0.protocol', 'UDP')], [['htpp # named\n', 'htpp # named\n      protocol: UDP\n']]],
    [
      'that replaces what the API server would fill in',
      service,
      [set('spec.ports.1.protocol', 'UDP')],
      [['targetPort: https\n', 'targetPort: https\n        protocol: UDP\n']],
    ],
    [
      'that adds what has parents to come',
      service,
      [add('metadata.annotations.note', 'x y')],
      [['as in DNS\n', 'as in DNS\n  annotations:\n    note: "x y"\n']],
    ],
    ['that adds to a list', service, [add('spec.ports.-', { port: 1, name: 'a' })], [['https\n', 'https\n    - port: 1\n      name: a\n']]],
    ['that adds in front', service, [add('spec.ports.0', { port: 1 })], [['    - name: http\n', '    - port: 1\n    - name: http\n']]],
    ['that fills empty brackets', service, [add('spec.clusterIPs.-', 'None')], [['clusterIPs: []\n', 'clusterIPs:\n    - None\n']]],
    ['that fills nothing', service, [set('spec.type', 'NodePort')], [['type:\n', 'type: NodePort\n']]],
    ['that removes a field with its comment', service, [remove('spec.selector.app')], [['    app: wbe   # who answers\n', '']]],
    ['that removes the first field behind a dash', service, [remove('spec.ports.1.port')], [['port: 443   # TLS\n        ', '']]],
    ['that removes it in front of a comment', service, [remove('spec.ports.0.name')], [['- name: http\n', '- \n']]],
    ['that removes an item', service, [remove('spec.ports.1')], [['    -   port: 443   # TLS\n        targetPort: https\n', '']]],
    [
      'that removes the only field',
      'a:\n  # why\n  b: 1 # one\nc: 2\n',
      [remove('a.b')],
      [
        ['a:', 'a: {}'],
        ['  b: 1 # one\n', ''],
      ],
    ],
    [
      'that removes the only item',
      'a:\n- b\nc: 2\n',
      [remove('a.0')],
      [
        ['a:', 'a: []'],
        ['- b\n', ''],
      ],
    ],
    [
      'in braces',
      'a: {b: 1, c: [x,  y]} # d\n',
      [set('a.c.1', 'z'), add('a.e', true)],
      [
        ['y', 'z'],
        [']}', '], e: true}'],
      ],
    ],
    [
      'that removes in braces',
      'a: {b: 1, c: [x,  y]}\n',
      [remove('a.b'), remove('a.c.1')],
      [
        ['b: 1, ', ''],
        [',  y', ''],
      ],
    ],
    ['that replaces null', 'a: ~ # none\n', [add('a.b', 1)], [['a: ~ # none\n', 'a: # none\n  b: 1\n']]],
    ['with the line breaks of Windows', 'a:\r\n  b: 1\r\n', [add('a.c', 2)], [['b: 1\r\n', 'b: 1\r\n  c: 2\r\n']]],
    ['without a line break at the end', 'a:\n  b: 1', [add('a.c', 2)], [['b: 1', 'b: 1\n  c: 2']]],
    ['beside a block of text', 'a:\n  b: |\n    x\n    y\nc: 1\n', [add('a.d', 2)], [['    y\n', '    y\n  d: 2\n']]],
    [
      'of JSON in lines',
      '{\n  "a": {\n    "b": "x"\n  }\n}\n',
      [set('a.b', 'yes'), add('a.c', { d: [1] })],
      [['"x"', '"yes",\n    "c": {"d": [1]}']],
    ],
    [
      'of JSON in one line',
      '{"a":[],"b":{}}',
      [add('a.-', 'x'), add('b.c', 1)],
      [
        ['[]', '["x"]'],
        ['{}}', '{"c": 1}}'],
      ],
    ],
    ['of another type', 'a:\n  - b\nc: 1\n', [set('a', 5)], [['a:\n  - b', 'a: 5']]],
  ])('%s', (_, text, edits, changes) => {
    const wanted = changes.reduce((before, [from, to]) => before.replace(from, to), text);
    expect(edited(text, ...edits)).toEqual({ text: wanted });
  });

  it.each<[string, string, TextEdit, RegExp]>([
    ['what comes from an anchor', 'a: &x {b: 1}\nc: *x\n', set('c.b', 2), /comes from an anchor/],
    ['what others may use', 'a: &x {b: 1}\nc: *x\n', set('a.b', 2), /has an anchor/],
    ['an anchor that would go', 'a:\n  b: &x 1\nc: *x\n', remove('a'), /anchor/],
    ['what is merged in', 'a: &x {b: 1}\nc:\n  <<: *x\n', remove('c.b'), /does not stand there itself/],
    ['what has a tag', 'a: !!str 5\n', set('a', 'x'), /tag/],
    ['a block of text', 'a: |\n  x\n', set('a', 'y'), /block of text/],
    ['a path through a text', 'a: x\n', add('a.b.c', 1), /cannot|no mapping/],
  ])('leaves alone: %s', (_, text, edit, why) => {
    expect(() => edited(text, edit)).not.toThrow();
    expect(edited(text, edit)).toEqual({ why: expect.stringMatching(why) });
  });
});

describe('whatever the document', () => {
  const key = fc.constantFrom('a', 'b', 'app.kubernetes.io/name', 'on', '80', 'constructor');
  const leaf = fc.oneof(
    fc.constantFrom('x', 'yes', "it's", '', '#', 'a: b', '1'),
    fc.integer({ min: 0, max: 99 }),
    fc.boolean(),
    fc.constant(null),
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('list'), tie('map')),
    list: fc.array(tie('any'), { maxLength: 3 }),
    map: fc.dictionary(key, tie('any'), { maxKeys: 3 }),
  }));
  const style = fc.record({
    indent: fc.constantFrom(2, 4),
    compact: fc.boolean(),
    flowFrom: fc.constantFrom(1, 2, 3, 9),
    eol: fc.constantFrom('\n', '\r\n'),
  });
  type Style = typeof style extends fc.Arbitrary<infer S> ? S : never;

  /** As people write it, with a comment behind and before every line in block style. */
  function written(node: unknown, { indent, compact, flowFrom, eol }: Style): string {
    let comments = 0;
    const lines = (one: unknown, depth: number): readonly string[] => {
      const isFull = typeof one === 'object' && one !== null && Object.keys(one).length > 0;
      if (!isFull || depth >= flowFrom) return [JSON.stringify(one)];
      if (Array.isArray(one))
        return one.flatMap((item) => {
          const [first = '', ...rest] = lines(item, depth + 1);
          const isDeep = rest.length > 0 && first.startsWith('#');
          return isDeep ? ['-', ...[first, ...rest].map((line) => `  ${line}`)] : [`- ${first}`, ...rest.map((line) => `  ${line}`)];
        });
      return Object.entries(one).flatMap(([name, content]) => {
        const below = lines(content, depth + 1);
        const isLong = typeof content === 'object' && content !== null && Object.keys(content).length > 0 && depth + 1 < flowFrom;
        const pad = ' '.repeat(Array.isArray(content) && compact ? 0 : indent);
        const head = `# above ${++comments}`;
        const quoted = JSON.stringify(name);
        return isLong
          ? [head, `${quoted}: # on ${comments}`, ...below.map((line) => pad + line)]
          : [head, `${quoted}: ${below[0]} # on ${comments}`];
      });
    };
    return `${lines(node, 0).join(eol)}${eol}`;
  }

  const pathsOf = (node: unknown, path: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] =>
    typeof node !== 'object' || node === null
      ? [path]
      : [
          path,
          ...Object.entries(node).flatMap(([name, content]) => pathsOf(content, [...path, Array.isArray(node) ? Number(name) : name])),
        ];
  const isNode = (node: unknown): node is object => typeof node === 'object' && node !== null;
  const commentsOf = (text: string) => new Set(text.match(/# (?:above|on) \d+/g));

  it('what it reads as is the patched object, and comments stay but for those of what goes', () => {
    let applied = 0;
    let refused = 0;
    fc.assert(
      fc.property(
        fc.dictionary(key, value.any, { minKeys: 1, maxKeys: 3 }),
        style,
        fc.nat(),
        fc.constantFrom('add', 'replace', 'remove'),
        value.any,
        key,
        (root, how, pick, op, next, name) => {
          const text = written(root, how);
          expect(JSON.parse(JSON.stringify(readYaml(text).value))).toEqual(JSON.parse(JSON.stringify(root)));
          const paths = pathsOf(root).slice(1);
          const path = paths[pick % paths.length] as readonly (string | number)[];
          const target = path.reduce<unknown>((from, part) => (from as Record<string | number, unknown>)[part], root);
          const edit: TextEdit =
            op === 'remove'
              ? { op, path }
              : op === 'add' && isNode(target)
                ? { op, path: [...path, Array.isArray(target) ? '-' : name], value: next }
                : { op: 'replace', path, value: next };
          const result = edited(text, edit);
          if ('why' in result) {
            refused++;
            return;
          }
          applied++;
          const expected = applyPatch(root, [edit]);
          expect(JSON.parse(JSON.stringify(readYaml(result.text).value))).toEqual(JSON.parse(JSON.stringify(expected)));
          const before = commentsOf(text);
          const after = commentsOf(result.text);
          for (const comment of after) expect(before).toContain(comment);
          if (edit.op === 'add' && !(isNode(target) && Object.hasOwn(target, name))) expect(after).toEqual(before);
          if (edit.op === 'replace' && !isNode(target)) expect(after).toEqual(before);
        },
      ),
      { numRuns: runs(1_500, 50_000) },
    );
    expect(refused).toBeLessThan(applied / 20);
  });

  it('of one that is no patch of it, nothing is given out', () => {
    expect(editedText('a: 1\n', [{ op: 'replace', path: ['a'], value: 2 }], { a: 3 })).toEqual({ why: expect.any(String) });
  });
});
