/** The command line of the commands that look at a whole cluster with the user's own kubeconfig. */
import { type Command, Option } from 'commander';
import { profiles } from '../engine/mode.ts';
import type { AuditOptions } from './audit.ts';
import { addClusterOptions, baselineOption, configOption, failOnOption, helpOf, reportOption, snapshotOption } from './command-options.ts';
import type { SimulateOptions } from './simulate.ts';
import type { SnapshotOptions } from './snapshot.ts';
import type { Terminal } from './terminal.ts';

export function addClusterCommands(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addAudit(program, terminal, done);
  addSimulate(program, terminal, done);
  addSnapshot(program, terminal, done);
}

function addAudit(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addClusterOptions(program.command('audit'), 'judge these namespaces only; with rights in single namespaces, name them')
    .description('Judge all that a cluster holds, once, with your own kubeconfig: nothing need be installed in it.')
    .addOption(reportOption())
    .addOption(failOnOption())
    .addOption(baselineOption())
    .addOption(configOption())
    .addOption(new Option('--profile <profile>', 'instead of the profile of the configuration').choices(profiles))
    .addOption(snapshotOption())
    .addHelpText('after', helpOf(auditExamples))
    .action(async (options: AuditOptions) => {
      const { audit } = await import('./audit.ts');
      done(await audit({ ...options, version: program.version() }, terminal));
    });
}

const auditExamples = `
portcullis audit
portcullis audit --context prod -n shop payments
portcullis audit -o json > before.json      and later: portcullis audit --baseline before.json
portcullis audit --snapshot cluster.json.gz what a snapshot holds, without a cluster

It changes nothing. What you may not read is listed under "Not checked", and never guessed at.
Exit code: 0 clean, 1 findings, 2 something could not be judged.`;

function addSnapshot(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addClusterOptions(program.command('snapshot'), 'where to look for what may not be listed everywhere')
    .description('Write down what the rules read of a cluster, for builds that may not ask it: names of Secrets, never their content.')
    .option('-o, --output <file>', 'where to write it, compressed if the name ends in .gz; without it, standard output')
    .addHelpText('after', helpOf(snapshotExamples))
    .action(async (options: SnapshotOptions) => {
      const { snapshot } = await import('./snapshot.ts');
      done(await snapshot(options, terminal));
    });
}

const snapshotExamples = `
portcullis snapshot -o cluster.json.gz
portcullis check --against cluster.json.gz deploy/   what the webhook would answer
portcullis audit --snapshot cluster.json.gz

What you may not list is noted in the file as not known, and told.`;

function addSimulate(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addClusterOptions(program.command('simulate'), 'try these namespaces only')
    .description('Say what a stricter profile would deny in a cluster, and propose what can be raised without a denial.')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['text', 'json', 'markdown']).default('text'))
    .addOption(new Option('--profile <profile>', 'the profile to try').choices(['guided', 'strict']).default('strict'))
    .option('--audits <file...>', 'reports of earlier days, from "portcullis audit -o json"')
    .addOption(configOption())
    .addOption(snapshotOption())
    .addHelpText('after', helpOf(simulateExamples))
    .action(async (options: SimulateOptions) => {
      const { simulate } = await import('./simulate.ts');
      done(await simulate(options, terminal));
    });
}

const simulateExamples = `
portcullis simulate
portcullis simulate --audits audits/*.json  what would have been denied on earlier days counts too
portcullis simulate --profile guided -o markdown

It changes nothing: the change of values and the commands are printed for you to apply, after they were tried in memory.
Exit code: 0 nothing would be denied, 1 something would, 2 something could not be judged.`;
