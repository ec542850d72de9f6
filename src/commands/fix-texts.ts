/** The edits that findings propose, made in the texts of the files: one for each object, then all is judged again, until nothing is left. */

import type { Finding, PatchOperation } from '../engine/finding.ts';
import { applyPatch } from '../engine/patch.ts';
import { formatPath } from '../kube/field-path.ts';
import { given, objectAt, stringAt } from '../kube/read.ts';
import { formatRef, type RawObject, refOf } from '../kube/resources.ts';
import type { Manifest } from '../sources/manifests.ts';
import type { ReadFiles, TextFile } from '../sources/read-files.ts';
import { readYaml } from '../sources/yaml.ts';
import { editedText, withDocument } from '../sources/yaml-edit.ts';
import type { Judgement } from './check.ts';
import { byRef } from './check-against.ts';

/** An edit that was made, or why it was not. */
export interface Attempt {
  readonly file: string;
  readonly line: number;
  readonly finding: Finding;
  readonly patch: readonly PatchOperation[];
  /** What stands behind the object then, as a document of its own. */
  readonly manifest?: RawObject;
  readonly why?: string;
}

export interface Fixed {
  readonly files: readonly TextFile[];
  readonly attempts: readonly Attempt[];
  /** Of the files as they are then. */
  readonly judged: Judgement;
}

export type Judge = (read: ReadFiles) => Promise<Judgement>;

/** An object has fewer defects of which one comes to light by the repair of another. */
const mostPasses = 20;

export async function fixTexts(read: ReadFiles, judge: Judge): Promise<Fixed> {
  let { files } = read;
  let judged = await judge(read);
  const attempts: Attempt[] = [];
  const tried = new Set<string>();
  for (let pass = 0; pass < mostPasses; pass++) {
    const edits = onePass(judged, tried);
    attempts.push(...edits.flatMap(({ attempt, text }) => (text === undefined ? [attempt] : [])));
    const made = edits.filter(({ text }) => text !== undefined);
    if (made.length === 0) break;
    const next = files.map((file) => ({ ...file, text: withEdits(file, made) }));
    const then = await judge({ ...read, files: next });
    const broken = filesWithErrors(then).difference(filesWithErrors(judged));
    files = next.map((file, index) => (broken.has(file.file) ? (files[index] as TextFile) : file));
    attempts.push(...made.map(({ attempt }) => (broken.has(attempt.file) ? { ...attempt, why: refused } : attempt)));
    judged = broken.size === 0 ? then : await judge({ ...read, files });
  }
  return { files, attempts, judged };
}

const refused = 'the API server would refuse the object then';

const filesWithErrors = ({ loaded }: Judgement): ReadonlySet<string> => new Set(loaded.errors.map(({ file }) => file));

interface Edit {
  readonly attempt: Attempt;
  /** Where in the file the document begins and ends that is to be replaced. */
  readonly from: number;
  readonly to: number;
  /** Undefined where the document is left alone. */
  readonly text?: string;
}

const withEdits = ({ file, text }: TextFile, edits: readonly Edit[]): string =>
  edits
    .filter(({ attempt }) => attempt.file === file)
    .toSorted((a, b) => b.from - a.from)
    .reduce((result, edit) => result.slice(0, edit.from) + edit.text + result.slice(edit.to), text);

/** At most one edit for each document: the next one might be about what this one has changed. */
function onePass(judged: Judgement, tried: Set<string>): readonly Edit[] {
  const byName = byRef(judged.loaded.manifests);
  const unusable = filesWithErrors(judged);
  const edited = new Set<string>();
  const edits: Edit[] = [];
  for (const { object, findings } of judged.outcomes) {
    const manifest = byName.get(formatRef(refOf(object)));
    for (const { finding } of findings) {
      const { patch, manifest: beside } = finding.fix;
      const defect = `${finding.fingerprint} ${formatPath(finding.path)}`;
      if (manifest === undefined || patch === undefined || tried.has(defect)) continue;
      const document = `${manifest.file}@${manifest.origin.offset}`;
      if (edited.has(document)) break;
      tried.add(defect);
      const attempt: Attempt = { ...placeIn(manifest, finding), finding, patch, ...given('manifest', beside && asNamed(beside, manifest)) };
      const edit = editOf(manifest, attempt, whyNot(manifest, attempt, judged, unusable));
      edits.push(edit);
      if (edit.text !== undefined) edited.add(document);
    }
  }
  return edits;
}

const placeIn = (manifest: Manifest, { path }: Finding): Pick<Attempt, 'file' | 'line'> => ({
  file: manifest.file,
  line: manifest.placeOf(path).line,
});

/** In a file that names no namespace, whoever applies it does. */
function asNamed(beside: RawObject, { raw }: Manifest): RawObject {
  const { namespace, ...metadata } = objectAt(beside, 'metadata');
  const isNamed = stringAt(objectAt(raw, 'metadata'), 'namespace') !== undefined;
  return { ...beside, metadata: { ...(isNamed && { namespace }), ...metadata } };
}

function whyNot(
  { file, origin }: Manifest,
  { manifest }: Attempt,
  { loaded }: Judgement,
  unusable: ReadonlySet<string>,
): string | undefined {
  if (unusable.has(file)) return 'the file has errors';
  if (manifest === undefined) return undefined;
  const title = titleOf(manifest);
  if (/^\s*\{/.test(origin.text)) return `${title} has to stand beside it, and nothing can behind an object in braces`;
  return loaded.manifests.some(({ raw }) => titleOf(raw) === title)
    ? `${title} has to stand beside it, and one is there already`
    : undefined;
}

/** `EndpointSlice db-1`: in whichever namespace, since not every file names it. */
const titleOf = (raw: RawObject): string => `${stringAt(raw, 'kind')} ${stringAt(objectAt(raw, 'metadata'), 'name')}`;

function editOf({ origin }: Manifest, attempt: Attempt, why: string | undefined): Edit {
  const span = { from: origin.offset, to: origin.offset + origin.text.length };
  if (why !== undefined) return { ...span, attempt: { ...attempt, why } };
  const operations = attempt.patch.map((operation) => ({ ...operation, path: [...origin.path, ...operation.path] }));
  const result = editedText(origin.text, operations, applyPatch(readYaml(origin.text).value, operations));
  if ('why' in result) return { ...span, attempt: { ...attempt, why: result.why } };
  return { ...span, attempt, text: attempt.manifest === undefined ? result.text : withDocument(result.text, attempt.manifest) };
}

/** `spec.selector.app = web`, `EndpointSlice db-1 added`: for people. */
export function describeEdit({ patch, manifest }: Pick<Attempt, 'patch' | 'manifest'>, write: (value: unknown) => string): string {
  const edits = patch.map((operation) =>
    operation.op === 'remove' ? `${formatPath(operation.path)} removed` : `${formatPath(operation.path)} = ${write(operation.value)}`,
  );
  return [...edits, ...(manifest === undefined ? [] : [`${titleOf(manifest)} added`])].join(', ');
}
