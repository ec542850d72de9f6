/** Writes the generated parts of docs/. `--check` writes nothing, and fails if a part is out of date or prose is missing. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { missing, pages } from './docs/pages.ts';

const checks = process.argv.includes('--check');
const outdated = pages().filter(({ file, text }) => !existsSync(file) || readFileSync(file, 'utf8') !== text);
if (!checks) for (const { file, text } of outdated) writeFileSync(file, text);

const problems = [...(checks ? outdated.map(({ file }) => `${file} is out of date: npm run docs`) : []), ...missing()];
for (const problem of problems) console.error(problem);
if (!checks) console.log(outdated.length === 0 ? 'nothing to write' : `wrote ${outdated.map(({ file }) => file).join(', ')}`);
process.exitCode = problems.length === 0 ? 0 : 1;
