/** Every page, and what of it is generated. */
import { existsSync, readFileSync } from 'node:fs';
import { configurationJsonSchema } from '../../src/config/json-schema.ts';
import { errorCodes } from '../../src/errors.ts';
import { objectAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { chartPages } from '../chart/pages.ts';
import { type Key, keysOf } from './keys.ts';
import { fenced, table, withRegion } from './regions.ts';
import { missingProse, pageOf, rulePage } from './rule-page.ts';

export interface Page {
  readonly file: string;
  readonly text: string;
}

/** What the pages should be. Throws where a page lacks the place for its generated part. */
export const pages = (): readonly Page[] => [
  ...rules.map((rule) => ({ file: pageOf(rule.meta.id), text: rulePage(rule) })),
  page('docs/rules/README.md', { catalogue: catalogue() }),
  page('docs/configuration.md', { keys: keyTable() }),
  page('docs/errors.md', { codes: codeTable() }),
  page('docs/writing-a-rule.md', { rule: fenced('ts', readFileSync(`src/rules/${worked}.ts`, 'utf8')) }),
  {
    file: 'docs/portcullis.schema.json',
    text: `${JSON.stringify({ title: 'Portcullis configuration', ...configurationJsonSchema(rules) }, null, 2)}\n`,
  },
  ...chartPages(),
];

/** What is still to be written by hand. */
export const missing = (): readonly string[] =>
  rules.flatMap((rule) => missingProse(rule, existsSync(pageOf(rule.meta.id)) ? readFileSync(pageOf(rule.meta.id), 'utf8') : ''));

/** The rule that `writing-a-rule.md` shows in full. */
const worked = 'service-selector-matches-no-pods';

function page(file: string, regions: Readonly<Record<string, string>>): Page {
  const before = readFileSync(file, 'utf8');
  return { file, text: Object.entries(regions).reduce((text, [name, content]) => withRegion(text, name, content), before) };
}

function catalogue(): string {
  const rows = rules.map(({ meta, messages }) => {
    const strictest = (profile: 'guided' | 'strict'): string => {
      const found = new Set(Object.values(messages).map((message) => message.modes[profile]));
      return ['deny', 'warn', 'audit', 'off'].filter((mode) => found.has(mode as never)).join(', ');
    };
    return [`[${meta.id}](${meta.id}.md)`, meta.kinds.join(', '), `${meta.summary}`, strictest('guided'), strictest('strict')];
  });
  return table(['rule', 'judges', 'what holds when nothing is wrong', 'guided', 'strict'], rows);
}

/** All keys of the configuration file; those of a rule stand once, for all. */
export function configurationKeys(): readonly Key[] {
  const schema = configurationJsonSchema(rules);
  const properties = objectAt(schema, 'properties');
  const [anyRule] = Object.values(objectAt(objectAt(properties, 'rules'), 'properties'));
  const settings = {
    ...objectAt(anyRule as RawObject, 'properties'),
    options: { type: 'object', description: "The rule's own options: see its page" },
  };
  const forAll = { properties: settings };
  const generic = {
    ...schema,
    properties: {
      ...properties,
      rules: {
        type: 'object',
        description: 'Settings of single rules',
        properties: { '<rule-id>': { type: 'object', description: 'Settings of one rule, by its id', ...forAll } },
      },
    },
  };
  return keysOf(generic);
}

function keyTable(): string {
  // Ids of rules are listed in the catalogue; here they would drown the rest.
  const values = (key: Key): string => (key.path === 'exemptions.list[].rules' ? 'list of rule ids' : key.values);
  const rows = configurationKeys().map((key) => [`\`${key.path}\``, values(key), key.default, key.meaning]);
  return table(['key', 'values', 'default', 'meaning'], rows);
}

const codeTable = (): string =>
  table(
    ['code', 'meaning'],
    Object.entries(errorCodes).map(([code, meaning]) => [`[${code}](#${code.toLowerCase()})`, meaning]),
  );
