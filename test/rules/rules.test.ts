import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rules } from '../../src/rules/index.ts';
import { readRuleTable } from '../support/rule-table.ts';
import { testRule } from '../support/rule-tester.ts';

const tableOf = (id: string): string => `test/rules/${id}.yaml`;
const ids = rules.map(({ meta }) => meta.id);

describe('the registry', () => {
  it('has one file, one table and one page for each rule, and no other', () => {
    const named = (pattern: string): string[] => globSync(pattern).map((file) => basename(file).replace(/\.\w+$/, ''));
    const sorted = [...ids].sort();
    expect(
      named('src/rules/*.ts')
        .filter((name) => name !== 'index')
        .sort(),
    ).toEqual(sorted);
    expect(named('test/rules/*.yaml').sort()).toEqual(sorted);
    expect(
      named('docs/rules/*.md')
        .filter((name) => name !== 'README')
        .sort(),
    ).toEqual(sorted);
  });

  it('names each rule once, as subject and defect', () => {
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]+(-[a-z]+){1,7}$/);
  });

  it.each(rules.map((rule) => [rule.meta.id, rule] as const))('%s is written as rules are', (id, { meta, messages }) => {
    expect(meta.summary).toMatch(/^[A-Z].*[^.]$/);
    expect(meta.since).toMatch(/^\d+\.\d+\.\d+$/);
    expect(Object.keys(messages).length).toBeGreaterThan(0);
    const source = readFileSync(`src/rules/${id}.ts`, 'utf8');
    expect(source, 'begins with why it exists').toMatch(/^\/\*\*\n( \* .+\n){2,5} \*\//);
    expect(source.match(/^export /gm), 'exports the rule alone').toHaveLength(1);
  });
});

for (const rule of rules) if (existsSync(tableOf(rule.meta.id))) testRule(rule, readRuleTable(tableOf(rule.meta.id)));
