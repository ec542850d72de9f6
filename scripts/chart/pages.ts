/** The generated files of the chart, all from the schema of its values and from the rules. */
import { readFileSync } from 'node:fs';
import { dump } from 'js-yaml';
import { isObject, objectAt, stringAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { keysOf } from '../docs/keys.ts';
import type { Page } from '../docs/pages.ts';
import { table, withRegion } from '../docs/regions.ts';
import { dashboards } from './dashboards.ts';
import { ruleReadsYaml } from './rule-reads.ts';
import { defaultValues, valuesJsonSchema } from './values.ts';

const chart = 'charts/portcullis';

export const chartPages = (): readonly Page[] => [
  { file: `${chart}/values.yaml`, text: valuesYaml() },
  { file: `${chart}/values.schema.json`, text: `${JSON.stringify(valuesJsonSchema(), null, 2)}\n` },
  { file: `${chart}/files/rule-reads.yaml`, text: ruleReadsYaml() },
  ...Object.entries(dashboards).map(([name, dashboard]) => ({
    file: `${chart}/files/dashboards/${name}.json`,
    text: `${JSON.stringify(dashboard, null, 2)}\n`,
  })),
  {
    file: `${chart}/README.md`,
    text: withRegion(readFileSync(`${chart}/README.md`, 'utf8'), 'values', valuesTable()),
  },
];

const valuesYaml = (): string =>
  `# Generated from scripts/chart/values.ts (npm run docs). A key that is not here is refused.\n\n${withComments(defaultValues(), valuesJsonSchema(), 0)}`;

/** Each key with its description above it. What stands in a value without a description of its own is one value. */
function withComments(values: RawObject, schema: RawObject, depth: number): string {
  const indent = '  '.repeat(depth);
  return Object.entries(values)
    .map(([key, value]) => {
      const own = objectAt(objectAt(schema, 'properties'), key);
      const comment = wrapped(`${stringAt(own, 'description') ?? ''}.`, 118 - indent.length).map((line) => `${indent}# ${line}\n`);
      const isSection = isObject(value) && Object.keys(value).some((name) => Object.hasOwn(objectAt(own, 'properties'), name));
      if (isSection) return `${comment.join('')}${indent}${key}:\n${withComments(value, own, depth + 1)}`;
      const isPlainList = Array.isArray(value) && !value.some(isObject);
      const lines = dump({ [key]: value }, { lineWidth: -1, flowLevel: isPlainList ? 1 : 3 }).trimEnd();
      return `${comment.join('')}${lines.replaceAll(/^/gm, indent)}\n`;
    })
    .reduce((before, entry) => `${before}${depth === 0 && (isLong(entry) || isLong(before)) ? '\n' : ''}${entry}`);
}

/** Ends with more than a comment and its key. */
const isLong = (text: string): boolean => !/(^|\n)(#[^\n]*\n)+\S[^\n]*\n$/.test(text);

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** One row for each key; below `config` the configuration's own documentation takes over. */
function valuesTable(): string {
  const standard = defaultValues();
  const keys = keysOf(valuesJsonSchema());
  const isSection = (path: string): boolean => path !== 'config' && keys.some((key) => key.path.startsWith(`${path}.`));
  const rows = keys
    .filter(({ path }) => !path.startsWith('config.') && !path.includes('[]'))
    .map(({ path, values, meaning }) => [`\`${path}\``, values, isSection(path) ? '' : defaultAt(standard, path.split('.')), meaning]);
  return table(['key', 'values', 'default', 'meaning'], rows);
}

function defaultAt(standard: unknown, path: readonly string[]): string {
  const value = path.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), standard);
  return value === undefined || value === '' ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
