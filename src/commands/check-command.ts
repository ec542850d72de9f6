/** The command line of `check`. */
import { type Command, Option } from 'commander';
import { profiles } from '../engine/mode.ts';
import type { CheckOptions } from './check.ts';
import { baselineOption, failOnOption, helpOf, reportOption } from './command-options.ts';
import type { Terminal } from './terminal.ts';

export function addCheck(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('check')
    .description('Judge manifest files: each Service, Ingress and NetworkPolicy against all the other objects in them.')
    .argument('<path...>', 'files, directories (with all that is below), or - for standard input')
    .addOption(reportOption())
    .addOption(failOnOption())
    .addOption(baselineOption())
    .option('-n, --namespace <name>', 'the namespace of objects that name none', 'default')
    .option('--config <file>', 'the configuration file')
    .addOption(new Option('--profile <profile>', 'instead of the profile of the configuration').choices(profiles))
    .addOption(
      new Option('--assume-complete', 'the files are all that there is: what they do not hold does not exist').conflicts('against'),
    )
    .option('--against <snapshot>', 'a file of "portcullis snapshot": judge the files as writes to that cluster, as its webhook would')
    .option('--fix', 'write into the files the edits that findings propose, and judge what they are then')
    .addOption(new Option('--dry-run', 'with --fix: print them as a unified diff, and write nothing').implies({ fix: true }))
    .addHelpText('after', helpOf(checkExamples))
    .action(async (paths: string[], options: CheckOptions) => {
      const { check } = await import('./check.ts');
      done(await check(paths, { ...options, version: program.version() }, terminal));
    });
}

const checkExamples = `
portcullis check deploy/ changed.yaml       all files together; a later path lies over the ones before
kustomize build . | portcullis check -      what kustomize renders
portcullis check -n shop deploy/            as "kubectl apply -n shop" would
portcullis check -o json deploy/ > findings.json
portcullis check --against cluster.json.gz deploy/   what the webhook would answer
portcullis check --fix --dry-run deploy/    what would be repaired
portcullis check --fail-on high deploy/     medium and low findings do not fail the build

A rule that needs to know objects of which the files hold none is not guessed at but listed under "Not checked".
Exit code: 0 clean, 1 findings, 2 something in the input cannot be used (the rest is checked all the same).`;
