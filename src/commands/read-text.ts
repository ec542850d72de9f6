import { readFile } from 'node:fs/promises';
import { OperatorError } from '../errors.ts';

/** The content of a file that an option names. Throws an OperatorError PC0002. */
export async function readBytes(file: string, hint: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new OperatorError('PC0002', `${file} cannot be read (${code})`, hint, { cause });
  }
}

export const readText = async (file: string, hint: string): Promise<string> => (await readBytes(file, hint)).toString('utf8');
