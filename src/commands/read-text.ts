import { readFile } from 'node:fs/promises';
import { OperatorError } from '../errors.ts';

/** The text of a file that an option names. Throws an OperatorError PC0002. */
export async function readText(file: string, hint: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new OperatorError('PC0002', `${file} cannot be read (${code})`, hint, { cause });
  }
}
