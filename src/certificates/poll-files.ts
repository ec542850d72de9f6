/** Watches files by reading them: file events miss a symlink swapped above (kubelet's `..data`), and networks' file systems. */
import { readFile } from 'node:fs/promises';

export interface Poll {
  close(): void;
}

/** The texts in the order of the paths, or why one of them cannot be read. */
export type Reading = { readonly texts: readonly string[] } | { readonly error: Error };

export async function readTexts(paths: readonly string[]): Promise<Reading> {
  try {
    return { texts: await Promise.all(paths.map((path) => readFile(path, 'utf8'))) };
  } catch (error) {
    return { error: error as Error };
  }
}

/**
 * Tells of each change, once: of the texts since `last`, or of the reason why they cannot be read. A change counts when a
 * second look finds the same: at the first one, somebody may still be writing.
 */
export function pollFiles(paths: readonly string[], last: Reading, everyMs: number, onChange: (reading: Reading) => void): Poll {
  let told = signature(last);
  let seen = told;
  let closed = false;
  let timer = setTimeout(check, everyMs).unref();
  async function look(): Promise<void> {
    const reading = await readTexts(paths);
    if (closed) return;
    const now = signature(reading);
    const settled = now === seen;
    seen = now;
    if (settled && now !== told) {
      told = now;
      onChange(reading);
    }
    timer = setTimeout(check, everyMs).unref();
  }
  function check(): void {
    void look();
  }
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}

const signature = (reading: Reading): string => JSON.stringify('texts' in reading ? reading.texts : reading.error.message);
