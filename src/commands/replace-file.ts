/**
 * A file gets other content at once or not at all, and stays what it is otherwise: its owner, its mode, its links. Where
 * that is not to be had at once, as of one with several names, it is written where it stands.
 */
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

async function written(target: string, bytes: Uint8Array): Promise<void> {
  const { nlink } = await stat(target);
  // The other names of such a file would go on naming what it held before.
  if (nlink > 1 || !(await replaced(target, bytes))) await overwritten(target, bytes);
}

/**
 * Beside the file, so that to rename it is one step; of the same owner and mode, and on the disk before it takes its place.
 * False where the owner cannot be kept.
 */
async function replaced(target: string, bytes: Uint8Array): Promise<boolean> {
  const { mode, uid, gid } = await stat(target);
  const beside = join(dirname(target), `.${basename(target)}.${randomUUID()}`);
  try {
    const handle = await open(beside, 'wx', 0o600);
    try {
      const made = await handle.stat();
      const isOurs = made.uid === uid && made.gid === gid;
      if (!isOurs && !(await handle.chown(uid, gid).then(...answers))) return false;
      await handle.writeFile(bytes);
      await handle.chmod(mode & 0o7777); // which a change of owner would clear of some bits
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, target);
    return true;
  } finally {
    await rm(beside, { force: true });
  }
}

const answers = [() => true, () => false] as const;

async function overwritten(target: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(target, 'r+');
  try {
    await handle.writeFile(bytes);
    await handle.truncate(bytes.byteLength);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
