/** For every case of every rule that files can hold: line and column of the SARIF report lead to the field in the text. */
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import type { Log, Region } from 'sarif';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { check } from '../../src/commands/check.ts';
import { type FieldPath, valueAt } from '../../src/kube/field-path.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { configurationFor, quiet } from '../support/rule-drivers.ts';
import { canBeFiles, type RuleCase, readRuleTable } from '../support/rule-table.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-places-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const tables = globSync('test/rules/*.yaml')
  .sort()
  .map((file) => readRuleTable(file));
const cases = tables.flatMap(({ rule, invalid }) => invalid.filter(canBeFiles).map((one) => ({ rule, one, name: `${rule}: ${one.name}` })));
const told = { findings: 0 };

/** Behind a comment and the cluster, so that no line is right by chance. */
const textOf = (object: RawObject, { cluster }: RuleCase): string =>
  [...cluster, object].map((each) => `# ${each['kind']}\n${dump(each, { noRefs: true, lineWidth: -1 })}`).join('---\n');

interface Told {
  readonly path: FieldPath;
  readonly region: Region | undefined;
}

async function toldOf(rule: string, one: RuleCase): Promise<readonly Told[]> {
  const config = join(directory, 'portcullis.config');
  writeFileSync(config, JSON.stringify(configurationFor(rule, one)));
  const printed: string[] = [];
  const terminal = { ...quiet(printed), stdin: async () => Buffer.from(textOf(one.object, one)) };
  await check(['-'], { output: 'sarif', failOn: 'info', config, assumeComplete: true }, terminal);
  const [run] = (JSON.parse(printed.join('')) as Log).runs;
  const subject = one.object as { readonly kind: string; readonly metadata: { readonly namespace: string; readonly name: string } };
  const prefix = `${subject.metadata.namespace}/${subject.kind}/${subject.metadata.name}/`;
  return (run?.results ?? []).flatMap(({ locations, properties }) => {
    const [location] = locations ?? [];
    const mine = location?.logicalLocations?.[0]?.fullyQualifiedName?.startsWith(prefix) === true;
    return mine ? [{ path: fieldPath(String(properties?.['path'])), region: location.physicalLocation?.region }] : [];
  });
}

/** As `formatPath` has written it; a number in brackets is an index. */
const fieldPath = (text: string): FieldPath =>
  [...text.matchAll(/\[([^\]]*)\]|[^.[\]]+/g)].map(([part, inner]) =>
    inner === undefined ? part : /^\d+$/.test(inner) ? Number(inner) : inner,
  );

/** As far as the path leads in the object. */
function presentPart(object: RawObject, path: FieldPath): FieldPath {
  let length = path.length;
  while (length > 0 && valueAt(object, path.slice(0, length)) === undefined) length--;
  return path.slice(0, length);
}

function replaced(value: unknown, [head, ...rest]: FieldPath): unknown {
  if (head === undefined) return 'somethingElse';
  if (Array.isArray(value)) return value.map((item, index) => (index === head ? replaced(item, rest) : item));
  return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, key === head ? replaced(item, rest) : item]));
}

/** Where the text changes when the value at the path does: the line of the field, found without the code under test. */
function lineOf(one: RuleCase, path: FieldPath): number {
  const before = textOf(one.object, one).split('\n');
  const after = textOf(replaced(one.object, path) as RawObject, one).split('\n');
  return before.findIndex((line, index) => line !== after[index]) + 1;
}

it.each(cases)('$name', async ({ rule, one }) => {
  const lines = textOf(one.object, one).split('\n');
  const found = await toldOf(rule, one);
  expect(found.length).toBeGreaterThanOrEqual(one.findings.length);
  for (const { path, region } of found) {
    const present = presentPart(one.object, path);
    expect(region?.startLine).toBe(lineOf(one, present));
    const line = lines[(region?.startLine ?? 0) - 1] ?? '';
    const column = (region?.startColumn ?? 0) - 1;
    const last = present.at(-1);
    if (typeof last === 'number') expect(line.slice(0, column)).toMatch(/- $/);
    else expect(line.slice(column)).toMatch(new RegExp(`^["']?${RegExp.escape(String(last))}["']?:`));
    told.findings++;
  }
});

it('there were many of them', () => expect(told.findings).toBeGreaterThan(50));
