/** Paths as the user gives them → the texts of files. What cannot be read is told, and the rest is read all the same. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { yamlLimits } from './yaml.ts';

/** Something in the input that cannot be used. */
export interface InputError {
  readonly file: string;
  /** From 1; absent where the whole file is meant. */
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly hint: string;
}

export interface TextFile {
  /** The path as given, or below a given directory; `stdin` for `-`. */
  readonly file: string;
  readonly text: string;
  /** Which of the given paths led to it, from 0. */
  readonly argument: number;
}

export interface ReadFilesOptions {
  /** Reads all of standard input, for the path `-`. */
  readonly stdin?: () => Promise<Uint8Array>;
}

export interface ReadFiles {
  readonly files: readonly TextFile[];
  readonly errors: readonly InputError[];
}

const extensions = /\.(?:ya?ml|json)$/;

/**
 * Of a directory, all *.yaml, *.yml and *.json files in it and below, in order of name. What begins with a dot, and
 * `node_modules`, is passed over; so are directories behind a symbolic link, which may lead in a circle (kubectl follows
 * none either). A file that two paths lead to is read once.
 */
export async function readFiles(paths: readonly string[], options: ReadFilesOptions = {}): Promise<ReadFiles> {
  const files: TextFile[] = [];
  const errors: InputError[] = [];
  const seen = new Set<string>();
  for (const [argument, path] of paths.entries()) {
    const found = path === '-' ? ['-'] : await filesAt(path, errors);
    for (const file of found) {
      const key = file === '-' ? '-' : resolve(file);
      if (seen.has(key)) continue;
      seen.add(key);
      const read = await textOf(file, options);
      if ('text' in read) files.push({ ...read, argument });
      else errors.push(read);
    }
  }
  return { files, errors };
}

async function filesAt(path: string, errors: InputError[]): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const found = await filesBelow(path, errors);
    if (found.length === 0) errors.push(nothingIn(path));
    return found;
  } catch (error) {
    errors.push(unreadable(path, error));
    return [];
  }
}

async function filesBelow(directory: string, errors: InputError[]): Promise<readonly string[]> {
  const found: string[] = [];
  const entries = (await readdir(directory, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    try {
      if (entry.isDirectory()) found.push(...(await filesBelow(path, errors)));
      else if (extensions.test(entry.name) && !(await stat(path)).isDirectory()) found.push(path);
    } catch (error) {
      errors.push(unreadable(path, error));
    }
  }
  return found;
}

async function textOf(path: string, { stdin }: ReadFilesOptions): Promise<Omit<TextFile, 'argument'> | InputError> {
  const file = path === '-' ? 'stdin' : path;
  try {
    const size = path === '-' ? 0 : (await stat(path)).size;
    const bytes = size > yamlLimits.fileBytes ? undefined : path === '-' ? await stdin?.() : await readFile(path);
    if (bytes === undefined || bytes.length > yamlLimits.fileBytes)
      return { file, message: 'is larger than 10 MiB', hint: 'Give rendered manifests, or split the file.' };
    return { file, text: decoded(bytes) };
  } catch (error) {
    if (error instanceof TypeError) return { file, message: 'is not UTF-8 text', hint: 'Give YAML or JSON manifests.' };
    return unreadable(file, error);
  }
}

/** UTF-8, or UTF-16 with a byte order mark, as kubectl reads (cli-runtime pkg/resource/visitor.go: BOMOverride). */
export const decoded = (bytes: Uint8Array): string => new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);

const encodingOf = (bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' =>
  bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';

const mark = '\ufeff';

/** The text in the encoding of these bytes, with a byte order mark if they have one. */
export function encodedLike(bytes: Uint8Array, text: string): Uint8Array {
  const encoding = encodingOf(bytes);
  if (encoding !== 'utf-8') {
    const encoded = Buffer.from(mark + text, 'utf16le');
    return encoding === 'utf-16be' ? encoded.swap16() : encoded;
  }
  const isMarked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return Buffer.from(isMarked ? mark + text : text);
}

const nothingIn = (file: string): InputError => ({
  file,
  message: 'holds no *.yaml, *.yml or *.json file',
  hint: 'Give the directory of the rendered manifests.',
});

const reasons: ReadonlyMap<unknown, readonly [message: string, hint: string]> = new Map([
  ['ENOENT', ['does not exist', 'Check the path, and the directory that you run this in.']],
  ['EACCES', ['may not be read', 'Check the permissions of the file.']],
  ['EISDIR', ['is a directory', 'Give a file.']],
  ['ELOOP', ['is a symbolic link that leads in a circle', 'Repair the link.']],
]);

function unreadable(file: string, error: unknown): InputError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const [message, hint] = reasons.get(code) ?? [`cannot be read (${String(code ?? error)})`, 'Check the path.'];
  return { file, message, hint };
}
