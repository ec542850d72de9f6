/** The command line of `explain`. */
import type { Command } from 'commander';
import { helpOf, outputOption } from './command-options.ts';
import type { ExplainOptions } from './explain-object.ts';
import type { Terminal } from './terminal.ts';

export function addExplain(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('explain')
    .description('Tell all about a rule; follow the requests of an Ingress or a Service; or say which policies let a connection through.')
    .argument('<target>', 'the id of a rule, as it stands in brackets at the end of a message; or ingress/NAME, service/NAME, flow FROM TO')
    .argument('[path...]', 'files that hold the objects, in place of a cluster')
    .option('-n, --namespace <name>', 'of what is named without one', 'default')
    .addOption(outputOption())
    .option('--config <file>', 'the configuration file; without it, that of the installation in the cluster')
    .option('--snapshot <file>', 'a file of "portcullis snapshot" in place of a cluster')
    .option('--kubeconfig <file>', 'the cluster; without it, KUBECONFIG or ~/.kube/config')
    .option('--context <name>', 'the context of the kubeconfig')
    .addHelpText('after', helpOf(explainExamples))
    .action(async (target: string, paths: string[], options: ExplainOptions) => {
      const { explain } = await import('./explain.ts');
      done(await explain(target, paths, options, terminal));
    });
}

const explainExamples = `
portcullis explain service-selector-matches-no-pods
portcullis explain ingress/shop -n shop                 Ingress → Service → port → Pods, in the cluster
portcullis explain ingress/shop -n shop examples/cluster   the same from files
portcullis explain service/web -n shop -o json
portcullis explain flow shop/web shop/db:5432           each policy and rule that allows or isolates, at both ends
portcullis explain flow deployment/web 203.0.113.7:53/UDP -n shop examples/cluster

Exit code for an object: 0 no link is broken, 1 one is, 2 something could not be told.
Exit code for a connection: 0 allowed, 1 denied, 2 not certain.`;
