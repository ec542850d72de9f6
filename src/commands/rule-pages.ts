/** The pages of docs/rules. In the one-file build, scripts/build.ts puts a module in place of this one that carries them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The Markdown page of a rule; undefined if it has none. */
export function rulePage(id: string): string | undefined {
  try {
    return readFileSync(join(import.meta.dirname, '../../docs/rules', `${id}.md`), 'utf8');
  } catch {
    return undefined;
  }
}
