/** `portcullis check --fix`: makes the edits, says which, and shows or writes what comes of them. */
import { display } from '../kube/display.ts';
import { flowYaml } from '../kube/flow-yaml.ts';
import { unifiedDiff } from '../reports/unified-diff.ts';
import type { InputError, ReadFiles, TextFile } from '../sources/read-files.ts';
import type { CheckOptions, Judgement } from './check.ts';
import { type Attempt, describeEdit, fixTexts, type Judge } from './fix-texts.ts';
import { replaceFile } from './replace-file.ts';
import type { Terminal } from './terminal.ts';

export interface Fixing {
  readonly paths: readonly string[];
  readonly read: ReadFiles;
  readonly judge: Judge;
}

export interface FixedFiles {
  /** Of the files as they are now; of a dry-run, as they would be. */
  readonly judged: Judgement;
  /** Where the report goes: not among what is meant for a program. */
  readonly terminal: Terminal;
}

export async function fixFiles({ paths, read, judge }: Fixing, options: CheckOptions, terminal: Terminal): Promise<FixedFiles> {
  const fixed = await fixTexts(read, judge);
  const changes = read.files.flatMap((before, index) => {
    const after = fixed.files[index] as TextFile;
    return before.text === after.text ? [] : [{ before, after }];
  });
  const stdin = fixed.files.find((file) => isStdin(file, paths));
  const dryRun = options.dryRun === true;
  const beside: Terminal =
    dryRun || stdin !== undefined ? { ...terminal, out: (text) => terminal.error(text), paint: (_, text) => text } : terminal;
  if (dryRun) for (const { before, after } of changes) terminal.out(printable(unifiedDiff(before.file, before.text, after.text)));
  else if (stdin !== undefined) terminal.out(stdin.text, 'document');
  const failures = dryRun ? [] : await written(changes, paths);
  tell(fixed.attempts, failures, dryRun, options.output === 'text' ? (text) => beside.out(text) : (text) => beside.error(text));
  if (failures.length === 0) return { judged: fixed.judged, terminal: beside };
  const unwritten = new Set(failures.map(({ file }) => file));
  const files = read.files.map((before, index) => (unwritten.has(before.file) ? before : (fixed.files[index] as TextFile)));
  return { judged: await judge({ files, errors: [...read.errors, ...failures] }), terminal: beside };
}

const isStdin = ({ argument }: TextFile, paths: readonly string[]): boolean => paths[argument] === '-';

interface Change {
  readonly before: TextFile;
  readonly after: TextFile;
}

async function written(changes: readonly Change[], paths: readonly string[]): Promise<readonly InputError[]> {
  const failures: InputError[] = [];
  for (const { before, after } of changes.filter((one) => !isStdin(one.before, paths))) {
    const { file, argument, text: from } = before;
    const why = await replaceFile({ file, given: paths[argument] as string, from, to: after.text });
    if (why !== undefined)
      failures.push({ file, message: `is not repaired: it ${why}`, hint: 'Run check --fix --dry-run to see the edits.' });
  }
  return failures;
}

function tell(attempts: readonly Attempt[], failures: readonly InputError[], dryRun: boolean, say: (text: string) => void): void {
  const unwritten = new Set(failures.map(({ file }) => file));
  const made = attempts.filter(({ file, why }) => why === undefined && !unwritten.has(file));
  const left = attempts.filter(({ why }) => why !== undefined);
  for (const attempt of made) say(`${dryRun ? 'would fix' : 'fixed'} ${lineOf(attempt)} [${attempt.finding.ruleId}]\n`);
  for (const attempt of left) say(`left alone ${lineOf(attempt)}: ${attempt.why} [${attempt.finding.ruleId}]\n`);
  say(`${made.length} ${made.length === 1 ? 'edit' : 'edits'}${dryRun ? ' to make' : ''}, ${left.length} left alone\n\n`);
}

const lineOf = (attempt: Attempt): string => display(`${attempt.file}:${attempt.line}: ${describeEdit(attempt, flowYaml)}`, 240);

/** A diff shows the bytes of files to a terminal: line breaks and tabs as they are, nothing else that acts on it. */
const printable = (diff: string): string =>
  diff.replaceAll(
    /[^\n]+/g,
    (line) =>
      line
        .split('\t')
        .map((part) => display(part.replace(/\r$/, '')))
        .join('\t') + (line.endsWith('\r') ? '\r' : ''),
  );
