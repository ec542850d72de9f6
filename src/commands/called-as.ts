/** Under which name the program runs: its own, or as a plugin of kubectl, which starts `kubectl-portcullis` for `kubectl portcullis`. */
import { basename } from 'node:path';
import type { Terminal } from './terminal.ts';

export type CalledAs = 'portcullis' | 'kubectl portcullis';

/** kubectl asks this program for completions (kubectl pkg/cmd/plugin/plugin_completion.go). */
const completer = 'kubectl_complete-portcullis';

const nameOf = (path: string): string => basename(path).replace(/\.(?:js|mjs|exe)$/, '');

/** Takes `process.argv[1]`, which is the symbolic link where the program was started by one. */
export const calledAs = (path = ''): CalledAs =>
  [completer, 'kubectl-portcullis'].includes(nameOf(path)) ? 'kubectl portcullis' : 'portcullis';

/** Whether words are asked for, and nothing is to be run. */
export const isCompleter = (path = ''): boolean => nameOf(path) === completer;

/** A terminal that tells the commands in our own words as this user has to type them. */
export function speaking(terminal: Terminal, name: CalledAs, commands: () => readonly string[]): Terminal {
  if (name === 'portcullis') return terminal;
  const typed = (text: string): string => {
    const command = `(?<![\\w/.-]|kubectl )portcullis (?=(?:${commands().join('|')}|COMMAND|--help)(?![\\w-]))`;
    return text.replaceAll(new RegExp(command, 'g'), `${name} `);
  };
  return { ...terminal, out: (text, as) => terminal.out(typed(text), as), error: (text) => terminal.error(typed(text)) };
}
