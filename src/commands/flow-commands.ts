/** The command line of `flows`. */
import { type Command, Option } from 'commander';
import { addClusterOptions, configOption, helpOf, outputOption, snapshotOption } from './command-options.ts';
import { type FlowsOptions, flowFormats } from './flows.ts';
import type { FlowsDiffOptions } from './flows-diff.ts';
import type { Terminal } from './terminal.ts';

export function addFlows(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = addClusterOptions(program.command('flows'), 'only connections from or to workloads of these, as a,b', '<name>')
    .description('Say who may talk to whom, by NetworkPolicy alone: in a cluster, with your own kubeconfig, or in manifest files.')
    .argument('[path...]', 'files, directories, or - for standard input, in place of a cluster; or: diff OLD NEW')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(flowFormats).default('text'))
    .addOption(configOption())
    .addOption(snapshotOption())
    .addOption(
      new Option('--against <snapshot>', 'a file of "portcullis snapshot" over which the files are laid').conflicts([
        'snapshot',
        'kubeconfig',
        'context',
      ]),
    )
    .addHelpText('after', helpOf(flowsExamples))
    .action(async (paths: string[], options: FlowsOptions) => {
      const { flows } = await import('./flows.ts');
      done(await flows(options, paths, terminal));
    });
  addDiff(command.enablePositionalOptions(), terminal, done);
}

const flowsExamples = `
portcullis flows                            a cluster, with your own kubeconfig
portcullis flows deploy/ -n shop            of files, what begins or ends in shop
portcullis flows --against cluster.json.gz deploy/   the cluster as it will be
portcullis flows -o svg examples/cluster > flows.svg
portcullis flows diff cluster.json.gz tomorrow.json.gz

Exit code: 0 told, 2 something could not be read.`;

function addDiff(flows: Command, terminal: Terminal, done: (code: number) => void): void {
  flows
    .command('diff')
    .description('Say which connections one state allows and the other does not: files, directories or snapshots.')
    .argument('<old>', 'a file, a directory, or a snapshot')
    .argument('<new>', 'the same')
    .addOption(outputOption())
    .addHelpText('after', helpOf(diffExamples))
    .action(async (before: string, after: string, options: FlowsDiffOptions) => {
      const { flowsDiff } = await import('./flows-diff.ts');
      done(await flowsDiff(before, after, options, terminal));
    });
}

const diffExamples = `
portcullis flows diff main/ branch/
portcullis flows diff cluster.json.gz tomorrow.json.gz -o json

Exit code: 0 no connection is lost or gained, 1 some are, 2 something could not be read.`;
