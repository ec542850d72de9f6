#!/usr/bin/env node
/** argv → command → exit code. */
import module from 'node:module';
import packageJson from '../package.json' with { type: 'json' };
import { calledAs, isCompleter } from './commands/called-as.ts';
import { unfitNode } from './commands/node-version.ts';
import { complete, run } from './commands/program.ts';
import { processTerminal } from './commands/terminal.ts';

module.enableCompileCache?.();

// The first process of a container is deaf to a signal that nobody handles, and a Pod that is deleted as it starts would
// stay for its whole grace period. Until `serve` handles it itself, there is nothing to finish.
process.once('SIGTERM', () => process.exit(process.argv[2] === 'serve' ? 0 : 143));

// A reader that has seen enough (`| head`) closes the pipe: no error of ours. A full disk is no finding either.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit();
  processTerminal.error(`portcullis: standard output cannot be written (${code})\n`);
  process.exit(2);
});

const unfit = unfitNode(process.versions.node);
if (unfit !== undefined) processTerminal.error(unfit);
process.exitCode = unfit === undefined ? await started() : 2;

function started(): Promise<number> {
  const [, path, ...words] = process.argv;
  if (isCompleter(path)) return complete(words, processTerminal, packageJson.version);
  return run(words, processTerminal, packageJson.version, calledAs(path));
}
