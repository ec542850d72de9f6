/** One rule's page: what is generated of it, and what a person has to write. */
import { existsSync, readFileSync } from 'node:fs';
import { dump, load } from 'js-yaml';
import { optionsJsonSchema } from '../../src/config/json-schema.ts';
import type { Finding } from '../../src/engine/finding.ts';
import type { OrderClass, Rule } from '../../src/engine/rule.ts';
import { formatPath } from '../../src/kube/field-path.ts';
import { objectAt } from '../../src/kube/read.ts';
import { formatRef, type ObjectRef, type RawObject } from '../../src/kube/resources.ts';
import { judge } from '../../test/support/rule-case.ts';
import { type RuleCase, readRuleTable } from '../../test/support/rule-table.ts';
import { keysOf } from './keys.ts';
import { fenced, hasRegion, regionOf, table, withRegion } from './regions.ts';

export const pageOf = (id: string): string => `docs/rules/${id}.md`;
const sourceOf = (id: string): string => `src/rules/${id}.ts`;
const tableOf = (id: string): string => `test/rules/${id}.yaml`;

/** In this order on every page; the last three are written by hand. */
const handWritten = ['How to fix', 'When to turn it off', 'How Kubernetes behaves'] as const;
export const headings = ['What it checks', 'Examples', 'Options', ...handWritten] as const;

/** The page as it should be: the generated part anew, the rest as it is. */
export function rulePage(rule: Rule): string {
  const { id } = rule.meta;
  const generated = generatedPart(
    rule,
    readFileSync(sourceOf(id), 'utf8'),
    existsSync(tableOf(id)) ? readFileSync(tableOf(id), 'utf8') : '',
  );
  const page = existsSync(pageOf(id)) ? readFileSync(pageOf(id), 'utf8') : '';
  if (hasRegion(page, 'rule')) return withRegion(page, 'rule', generated);
  const prose = page.slice(Math.max(0, page.search(/^## How to fix$/m))).trim();
  return `${regionOf('rule', generated)}\n\n${prose === '' ? handWritten.map((title) => `## ${title}`).join('\n\n') : prose}\n`;
}

/** What is still to be written by hand, one line each. */
export function missingProse({ meta: { id } }: Rule, page: string): readonly string[] {
  return handWritten.filter((title) => sectionOf(page, title).length < 20).map((title) => `${pageOf(id)}: write "## ${title}"`);
}

/** The text below a heading, up to the next of its rank. */
function sectionOf(page: string, title: string): string {
  const [, after = ''] = page.split(`\n## ${title}\n`);
  return (after.split('\n## ')[0] ?? '').trim();
}

function generatedPart(rule: Rule, source: string, tableText: string): string {
  const { id, summary } = rule.meta;
  return [
    `# ${id}`,
    `${summary}.`,
    facts(rule),
    verdicts(rule),
    '## What it checks',
    docCommentOf(source),
    '## Examples',
    ...(tableText === '' ? [] : examples(rule, tableText)),
    '## Options',
    options(rule, source),
  ].join('\n\n');
}

const orderClasses: Readonly<Record<OrderClass, string>> = {
  'self-contained': 'self-contained: the object alone, with the configuration, proves the defect',
  exclusive: 'exclusive: the object conflicts with another one',
  backward: 'backward: what it refers to is usually applied before it',
  forward: 'forward: what it refers to is usually applied after it',
  destructive: 'destructive: the write takes away what others rely on',
};

function facts({ meta }: Rule): string {
  const writes = meta.judgesDelete === true || meta.judgesExemptions === true ? 'CREATE, UPDATE and DELETE' : 'CREATE and UPDATE';
  return table(
    ['', ''],
    [
      [
        'judges',
        meta.offlineOnly === true ? `${listed(meta.kinds)} in files (\`portcullis check\`)` : `${writes} of ${listed(meta.kinds)}`,
      ],
      ['looks up', meta.reads.length === 0 ? 'nothing' : listed(meta.reads.map((one) => (one === 'Template' ? 'Pod templates' : one)))],
      ['order', orderClasses[meta.orderClass]],
      ...(meta.guardsSystem === true ? [['guards', 'the whole cluster: runs in protected namespaces too']] : []),
      ['since', meta.since],
    ],
  );
}

const listed = (words: readonly string[]): string => new Intl.ListFormat('en').format(words);

const verdicts = ({ messages }: Rule): string =>
  table(
    ['message', 'severity', 'guided', 'strict'],
    Object.entries(messages).map(([id, { severity, modes }]) => [`\`${id}\``, severity, modes.guided, modes.strict]),
  );

/** The comment that heads a rule file. */
export function docCommentOf(source: string): string {
  const [, comment = ''] = /^\/\*\*\n([\s\S]*?)\n \*\//.exec(source) ?? [];
  return comment.replaceAll(/^ \* ?/gm, '').trim();
}

/** Comments above the keys of an object: `ignoreLabelKeys` → its explanation. */
function commentsOf(source: string): ReadonlyMap<string, string> {
  const found = source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*?)\*\/\s*\n\s*(\w+):/g);
  return new Map(
    [...found].map(([, text = '', key = '']) => [
      key,
      text
        .replaceAll(/\s*\n\s*\*?\s*/g, ' ')
        .trim()
        .replace(/\.$/, ''),
    ]),
  );
}

function options(rule: Rule, source: string): string {
  const keys = keysOf(optionsJsonSchema(rule), '', commentsOf(source));
  if (keys.length === 0) return 'None.';
  const undescribed = keys.filter(({ path, meaning }) => meaning === '' && !path.includes('.')).map(({ path }) => path);
  if (undescribed.length > 0)
    throw new Error(`${sourceOf(rule.meta.id)}: say what the option ${undescribed.join(', ')} means, in a comment above it`);
  const rows = keys.map((key) => [`\`${key.path}\``, key.values, key.default, key.meaning]);
  return `Under \`rules.${rule.meta.id}.options\` of the [configuration](../configuration.md):\n\n${table(['option', 'values', 'default', 'meaning'], rows)}`;
}

interface WrittenCase {
  readonly name: string;
  readonly object: RawObject;
  readonly before?: RawObject;
  readonly operation?: string;
  readonly cluster?: readonly RawObject[];
  readonly options?: unknown;
  readonly exemptions?: unknown;
}

interface WrittenTable {
  /** What the cluster holds in every case. */
  readonly cluster?: readonly RawObject[];
  readonly valid?: readonly WrittenCase[];
  readonly invalid?: readonly WrittenCase[];
}

const nameOf = (object: RawObject): string => {
  const { kind = '', namespace = '', name = '' } = { ...objectAt(object, 'metadata'), kind: object['kind'] } as Partial<ObjectRef>;
  return formatRef({ apiVersion: '', kind, namespace, name });
};

/** The cases that the table marks, as they are written there, with what the rule really says of them. */
function examples(rule: Rule, tableText: string): readonly string[] {
  const { id } = rule.meta;
  const { cluster = [], valid = [], invalid = [] } = load(tableText) as WrittenTable;
  const written = new Map([...valid, ...invalid].map((one) => [one.name, one]));
  const read = readRuleTable(new URL(`../../${tableOf(id)}`, import.meta.url));
  const shown = [...read.invalid, ...read.valid].filter(({ docs }) => docs);
  const common = cluster.length === 0 ? [] : [`Besides what an example shows, the cluster holds ${listed(cluster.map(nameOf))}.`];
  return [...common, ...shown.map((one) => example(rule, one, written.get(one.name) as WrittenCase))];
}

function example(rule: Rule, one: RuleCase, written: WrittenCase): string {
  const { findings } = judge(rule, one);
  const wrong = written.operation === 'DELETE' ? 'Removed' : written.before === undefined ? 'Applied' : 'Changed to';
  const parts = [
    ['The cluster holds', written.cluster ?? []],
    ['Before', written.before === undefined ? [] : [written.before]],
    [wrong, [written.object]],
  ] as const;
  const manifests = parts.flatMap(([title, objects]) => (objects.length === 0 ? [] : [`# ${title}\n${objects.map(yaml).join('---\n')}`]));
  return [
    `### ${written.name.charAt(0).toUpperCase()}${written.name.slice(1)}`,
    ...(written.options === undefined ? [] : [`With the options`, fenced('yaml', yaml(written.options))]),
    ...(written.exemptions === undefined ? [] : ['With the configuration', fenced('yaml', yaml({ exemptions: written.exemptions }))]),
    fenced('yaml', manifests.join('---\n')),
    ...(findings.length === 0 ? ['Nothing is reported.'] : findings.map(answer)),
  ].join('\n\n');
}

const yaml = (value: unknown): string => dump(value, { flowLevel: 3, lineWidth: 120 });

function answer({ path, what, why, fix }: Finding): string {
  const said = fenced('text', `${formatPath(path)}: ${what}\n  why: ${why}\n  fix: ${fix.text}`);
  return fix.manifest === undefined ? said : `${said}\n\nThe fix, to apply beside it:\n\n${fenced('yaml', yaml(fix.manifest))}`;
}
