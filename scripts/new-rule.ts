/** `npm run new-rule <rule-id> -- --kind Service`: rule file, table with a case that fails, page, line in the index. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { newRule, problemWith } from './new-rule/template.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { kind: { type: 'string', default: 'Service' } } });
const [id = ''] = positionals;
const { kind } = values;
const index = 'src/rules/index.ts';

const problem = problemWith(id, kind) ?? (existsSync(`src/rules/${id}.ts`) ? `there is a rule ${id} already` : undefined);
if (problem !== undefined) {
  console.error(`${problem}\nusage: npm run new-rule <rule-id> -- --kind Service|Ingress|NetworkPolicy`);
  process.exitCode = 1;
} else {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const files = newRule({ id, kind, version, index: readFileSync(index, 'utf8') });
  for (const [file, text] of files) writeFileSync(file, text);
  // Only now, since it reads the index that was just written.
  const { pages } = await import('./docs/pages.ts');
  for (const { file, text } of pages()) writeFileSync(file, text);
  console.log(`wrote ${[...files.keys(), `docs/rules/${id}.md`].join(', ')}
Next: describe the defect in test/rules/${id}.yaml, and write the check until "npx vitest run test/rules" passes.
docs/writing-a-rule.md leads through it.`);
}
