import { describe, expect, it } from 'vitest';
import { keysOf } from '../../scripts/docs/keys.ts';
import { regionOf, table, withRegion } from '../../scripts/docs/regions.ts';
import { docCommentOf, missingProse } from '../../scripts/docs/rule-page.ts';
import { serviceRule } from '../config/sample-rules.ts';

describe('a generated part', () => {
  const page = `before\n${regionOf('keys', 'old')}\nbetween\n${regionOf('codes', 'other')}\nafter\n`;

  it('is written anew, and nothing else is', () => {
    expect(withRegion(page, 'keys', 'new $& text')).toBe(page.replace('\nold\n', () => '\nnew $& text\n'));
  });
  it('is not put where nobody has given it a place', () =>
    expect(() => withRegion(page, 'rule', 'new')).toThrow('no generated part "rule"'));
  it('keeps cells of a table apart', () => expect(table(['a'], [['x|y\nz']])).toBe('| a |\n| --- |\n| x\\|y z |'));
});

describe('prose', () => {
  const prose = 'Change the selector, or the labels of the Pods.';
  const page = (...titles: string[]): string => titles.map((title) => `\n## ${title}\n\n${prose}\n`).join('');

  it('is asked for where a section is missing or empty', () => {
    expect(missingProse(serviceRule, page('How to fix', 'When to turn it off', 'How Kubernetes behaves'))).toEqual([]);
    expect(missingProse(serviceRule, `${page('How to fix')}\n## When to turn it off\n${page('How Kubernetes behaves')}`)).toEqual([
      'docs/rules/service-is-odd.md: write "## When to turn it off"',
    ]);
    expect(missingProse(serviceRule, '')).toHaveLength(3);
  });
});

it('the comment that heads a file is its first paragraph', () => {
  expect(docCommentOf("/**\n * One line\n * and another.\n */\nimport { z } from 'zod';\n/** Not this. */")).toBe('One line\nand another.');
});

it('a schema is listed key by key', () => {
  const schema = {
    required: ['kind'],
    properties: {
      kind: { enum: ['a', 'b'], description: 'Which' },
      list: {
        type: 'array',
        default: [],
        items: { type: 'object', properties: { port: { anyOf: [{ type: 'integer' }, { type: 'string' }] } } },
      },
    },
  };
  expect(keysOf(schema, 'top', new Map([['port', 'Where']]))).toEqual([
    { path: 'top.kind', values: '`a` `b`', default: 'required', meaning: 'Which' },
    { path: 'top.list', values: 'list of mappings', default: '`[]`', meaning: '' },
    { path: 'top.list[].port', values: 'whole number or string', default: '', meaning: 'Where' },
  ]);
});
