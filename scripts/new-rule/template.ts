/** What a new rule begins with. It type-checks, reports nothing, and its table says that it should. */

export interface NewRule {
  readonly id: string;
  readonly kind: string;
  readonly version: string;
  /** The text of src/rules/index.ts. */
  readonly index: string;
}

const kinds = ['Service', 'Ingress', 'NetworkPolicy'];

/** Why this cannot be a rule, if so. */
export function problemWith(id: string, kind: string): string | undefined {
  if (!kinds.includes(kind)) return `no rule judges a ${kind}`;
  if (!/^[a-z]+(-[a-z]+){2,7}$/.test(id))
    return `"${id}" is no id of a rule: subject and defect in lower case, as service-selector-matches-no-pods`;
  return undefined;
}

/** Files to write, by name. */
export const newRule = ({ id, kind, version, index }: NewRule): ReadonlyMap<string, string> =>
  new Map([
    [`src/rules/${id}.ts`, ruleFile(id, kind, version)],
    [`test/rules/${id}.yaml`, tableFile(id, kind)],
    ['src/rules/index.ts', withEntry(index, id)],
  ]);

const exportOf = (id: string): string => id.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

const ruleFile = (id: string, kind: string, version: string): string => `/**
 * Say what a ${kind} needs, and what happens in the cluster where it is missing.
 * These lines head the rule's page.
 */
import { z } from 'zod';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';

export const ${exportOf(id)} = defineRule({
  id: '${id}',
  kinds: ['${kind}'],
  orderClass: 'self-contained',
  summary: 'Say what holds when nothing is wrong',
  reads: [],
  since: '${version}',

  options: z.strictObject({}),

  messages: {
    isWrong: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'self',
      text: ({ name }: Wrong): Explanation => ({
        what: \`\${name} is wrong\`,
        why: 'Say what follows from it.',
        fixes: [{ text: 'say what to do' }],
      }),
    },
  },

  *check({ object, finding }) {
    const { name } = object.metadata;
    if (name === '') yield finding('isWrong', ['metadata', 'name'], { name });
  },
});

interface Wrong {
  readonly name: string;
}
`;

const tableFile = (id: string, kind: string): string => `rule: ${id}

valid:
  - name: what must be left alone
    object:
      kind: ${kind}
      metadata: { name: web, namespace: shop }

  - name: what looks wrong and is not
    object:
      kind: ${kind}
      metadata: { name: web-2, namespace: shop }

invalid:
  - name: the defect
    docs: true
    object:
      kind: ${kind}
      metadata: { name: broken, namespace: shop }
    findings:
      - message: isWrong
        path: metadata.name
`;

/** The index with one import more, in its order, and the rule at the end of the list. */
function withEntry(index: string, id: string): string {
  const line = `import { ${exportOf(id)} } from './${id}.ts';`;
  const lines = index.split('\n');
  const imports = lines.filter((one) => one.startsWith('import '));
  const after = imports.findLast((one) => fileOf(one) < fileOf(line));
  lines.splice(after === undefined ? 0 : lines.indexOf(after) + 1, 0, line);
  return lines.join('\n').replace(/(readonly Rule\[\] = \[)([\s\S]*?)\];/, (_, head: string, entries: string) => {
    const before = entries.trim() === '' ? '\n' : `${entries.trimEnd().replace(/,?$/, ',')}\n`;
    return `${head}${before}  ${exportOf(id)},\n];`;
  });
}

/** Imports are sorted by file, those of other folders first. */
const fileOf = (line: string): string => /'(.*)'/.exec(line)?.[1]?.replace(/^\.\.\//, '.') ?? '';
