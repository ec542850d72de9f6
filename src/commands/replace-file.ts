/** A file gets other content at once or not at all: a reader sees the old one or the new one, whatever happens. */
import { randomUUID } from 'node:crypto';
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { decoded, encodedLike } from '../sources/read-files.ts';

export interface Replacement {
  readonly file: string;
  /** The path as it was given: a directory that leads to the file, or the file. */
  readonly given: string;
  /** What the file held when it was read. */
  readonly from: string;
  readonly to: string;
}

/** Returns why it was left alone, as a clause that follows the name of the file; undefined if it was written. */
export async function replaceFile({ file, given, from, to }: Replacement): Promise<string | undefined> {
  try {
    const target = await realpath(file);
    const within = await realpath((await stat(given)).isDirectory() ? given : dirname(given));
    if (!isWithin(within, target)) return 'is behind a symbolic link that leads elsewhere';
    const bytes = await readFile(target);
    if (decoded(bytes) !== from) return 'has been changed since it was read';
    await written(target, encodedLike(bytes, to));
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    return `cannot be written (${String(code)})`;
  }
}

function isWithin(directory: string, target: string): boolean {
  const way = relative(directory, target);
  return way !== '..' && !way.startsWith(`..${'/'}`) && !isAbsolute(way);
}

/** Beside the file, so that to rename it is one step; of the same mode, and on the disk before it takes its place. */
async function written(target: string, bytes: Uint8Array): Promise<void> {
  const { mode } = await stat(target);
  const beside = join(dirname(target), `.${basename(target)}.${randomUUID()}`);
  try {
    const handle = await open(beside, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.chmod(mode & 0o7777);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
