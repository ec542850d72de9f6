#!/usr/bin/env node
/** argv → command → exit code. */
import module from 'node:module';
import packageJson from '../package.json' with { type: 'json' };
import { run } from './commands/program.ts';
import { processTerminal } from './commands/terminal.ts';

module.enableCompileCache?.();

// A reader that has seen enough (`| head`) closes the pipe: no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await run(process.argv.slice(2), processTerminal, packageJson.version);
