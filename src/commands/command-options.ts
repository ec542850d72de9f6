/** Options that several commands have, and how their help ends. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { severities } from '../engine/finding.ts';
import { quoted } from '../kube/display.ts';
import { isDnsLabel } from '../kube/dns-name.ts';
import { reportFormats } from '../reports/report.ts';

export const helpOf = (examples: string): string => `\nExamples:\n${examples.trim().replaceAll(/^/gm, '  ')}\n`;

export const reportOption = (): Option =>
  new Option('-o, --output <format>', 'how to print; docs/output-formats.md says which for what').choices(reportFormats).default('text');
export const failOnOption = (): Option =>
  new Option('--fail-on <severity>', 'exit with 1 for findings this grave, or graver; notes never count')
    .choices(severities)
    .default('medium');
export const baselineOption = (): Option =>
  new Option('--baseline <file>', 'the JSON report of an earlier run: only what is new since then makes exit code 1');
export const outputOption = (): Option => new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text');

/** What asks for a cluster: which, as whom, and where in it. Where paths may follow, `-n` takes one word and no more. */
export function addClusterOptions(command: Command, namespaces: string, word: '<name...>' | '<name>' = '<name...>'): Command {
  return command
    .addOption(new Option(`-n, --namespace ${word}`, namespaces).argParser(names))
    .addOption(new Option('-A, --all-namespaces', 'all namespaces, as it is without -n').conflicts('namespace'))
    .option('--kubeconfig <file>', 'the cluster; without it, KUBECONFIG or ~/.kube/config')
    .option('--context <name>', 'the context of the kubeconfig')
    .option(
      '--installation <namespace/name>',
      'the ConfigMap of the installation, portcullis/portcullis unless the release is called otherwise',
    );
}

/** A snapshot is in place of a cluster, and holds the configuration of its installation. */
export const snapshotOption = (): Option =>
  new Option('--snapshot <file>', 'a file of "portcullis snapshot" in place of a cluster').conflicts([
    'kubeconfig',
    'context',
    'installation',
  ]);

export const configOption = (): Option =>
  new Option('--config <file>', 'the configuration file; without it, that of the installation in the cluster').conflicts('installation');

/** `-n a,b -n c d` names four. Throws for what is no name of a namespace, such as a path. */
function names(value: string, before: readonly string[] | undefined): readonly string[] {
  const given = value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const wrong = given.find((name) => !isDnsLabel(name));
  if (wrong !== undefined) throw new InvalidArgumentError(`${quoted(wrong)} is no name of a namespace.`);
  return [...(before ?? []), ...given];
}
