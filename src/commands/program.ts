/** The command line. Each command is loaded when it is called, so that `--help` stays quick. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { durationMs } from '../config/duration.ts';
import { severities } from '../engine/finding.ts';
import { OperatorError } from '../errors.ts';
import { display } from '../kube/display.ts';
import { withoutCommands } from '../reports/build-commands.ts';
import { reportChoices } from '../sinks/report-choice.ts';
import { type CalledAs, speaking } from './called-as.ts';
import { addCheck } from './check-command.ts';
import { addClusterCommands } from './cluster-commands.ts';
import { helpOf, outputOption } from './command-options.ts';
import type { DoctorOptions } from './doctor.ts';
import { addExplain } from './explain-command.ts';
import { addFlows } from './flow-commands.ts';
import type { RulesOptions } from './rules.ts';
import type { SelftestOptions } from './selftest.ts';
import type { ServeOptions } from './serve-options.ts';
import type { Terminal } from './terminal.ts';

/** Runs one command and returns its exit code. Nothing that an operator can cause shows a stack. */
export async function run(argv: readonly string[], given: Terminal, version: string, name: CalledAs = 'portcullis'): Promise<number> {
  const terminal = inBuilds(given);
  let code = 0;
  const program = createProgram(terminal, { version, name }, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    return reported(error, spoken(terminal, program, name));
  }
}

/** Prints what may follow on the command line, for kubectl's completion. Returns 0. */
export async function complete(typed: readonly string[], terminal: Terminal, version: string): Promise<0> {
  const [{ completions }, { rules }] = await Promise.all([import('./complete.ts'), import('../rules/index.ts')]);
  const program = createProgram(terminal, { version, name: 'kubectl portcullis' }, () => {});
  const ids = rules.map(({ meta }) => meta.id);
  terminal.out(`${completions(program, typed, ids).join('\n')}\n`);
  return 0;
}

/** For what is said in words of ours. What programs read is told to the plain terminal. */
const spoken = (terminal: Terminal, program: Command, name: CalledAs): Terminal =>
  speaking(terminal, name, () => program.commands.map((command) => command.name()));

/** What people wrote into manifests gives no orders to the build that prints our output. */
const inBuilds = (terminal: Terminal): Terminal => ({
  ...terminal,
  out: (text, as) => terminal.out(as === 'text' || as === undefined ? withoutCommands(text) : text, as),
  error: (text) => terminal.error(withoutCommands(text)),
});

function reported(error: unknown, terminal: Terminal): number {
  if (error instanceof OperatorError) {
    const lines = error.message.split('\n').map((line) => display(line));
    const told = lines.join('\n  ');
    terminal.error(`portcullis: ${told}${/[.?!]$/.test(told) ? '' : '.'} ${display(error.hint)} [${error.code}]\n`);
    return 2;
  }
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : reported(usageError(error), terminal);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const lines = stack.split('\n').map((line) => display(line));
  terminal.error(`portcullis: unexpected error; please report it with what follows\n${lines.join('\n')}\n`);
  return 2;
}

/** commander's message is two lines with a suggestion in brackets; ours is one. */
function usageError({ message, code }: CommanderError): OperatorError {
  if (code === 'commander.help') return new OperatorError('PC0001', 'no command is given', seeHelp);
  const [what = '', suggestion] = message.replace(/^error: /, '').split('\n');
  const near = /\(Did you mean (.*?)\?\)/.exec(suggestion ?? '')?.[1];
  return new OperatorError('PC0001', what.replace(/\.$/, ''), near === undefined ? seeHelp : `Did you mean ${near}? ${seeHelp}`);
}

const seeHelp = 'See "portcullis --help", or "portcullis COMMAND --help".';

interface Identity {
  readonly version: string;
  readonly name: CalledAs;
}

function createProgram(terminal: Terminal, { version, name }: Identity, done: (code: number) => void): Command {
  const program: Command = new Command(name);
  const words = spoken(terminal, program, name);
  program
    .description('Checks Services, Ingresses and NetworkPolicies against what the cluster really contains, and explains the repair.')
    .version(version, '-V, --version')
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: (text) => words.out(text), writeErr: () => {} })
    .addHelpText('after', helpOf(overview));
  addCheck(program, terminal, done);
  addRules(program, words, done);
  addExplain(program, words, done);
  addServe(program, done);
  addClusterCommands(program, terminal, done);
  addFlows(program, terminal, done);
  addDoctor(program, words, done);
  addSelftest(program, terminal, done);
  addDemo(program, done);
  return program;
}

const overview = `
portcullis check deploy/                    judge manifests before they are applied
helm template my-chart | portcullis check - judge what a chart renders
portcullis audit                            judge what a cluster holds, with your own kubeconfig
portcullis explain service-selector-matches-no-pods
portcullis serve --cluster examples/cluster answer an API server, with a cluster read from files
portcullis doctor                           say what is wrong with an installation, and how to repair it
`;

function addRules(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('rules')
    .description('List the rules, with what becomes of their findings in each profile.')
    .addOption(outputOption())
    .addHelpText('after', helpOf('portcullis rules\nportcullis rules -o json'))
    .action(async (options: RulesOptions) => {
      const { listRules } = await import('./rules.ts');
      done(listRules(options, terminal));
    });
}

interface ServeArguments extends Omit<ServeOptions, 'host' | 'drainMs'> {
  readonly address?: string;
  readonly drainSeconds: number;
}

function addServe(program: Command, done: (code: number) => void): void {
  program
    .command('serve')
    .description('Answer the AdmissionReviews of an API server over HTTPS.')
    .option('--cluster <path...>', 'read the cluster from these manifests instead of watching one')
    .option('--config <file>', 'the configuration file; read again when it changes')
    .addOption(new Option('--port <port>', 'of the webhook (HTTPS)').argParser(portNumber).default(10250))
    .addOption(new Option('--health-port <port>', 'of /livez, /readyz and /metrics (plain HTTP)').argParser(portNumber).default(8081))
    .option('--tls-cert <file>', 'the serving certificate, as PEM; read again when it changes')
    .option('--tls-key <file>', 'its private key, as PEM')
    .option('--tls-names <name...>', 'more names in the certificate that is made where none is given')
    .option('--ca-out <file>', 'where to write the CA of that certificate')
    .option('--tls-secret <name>', 'keep a certificate authority of our own in this Secret, and sign the serving certificate with it')
    .option('--webhook-configuration <name>', 'the ValidatingWebhookConfiguration that leads here, whose caBundle must fit the certificate')
    .option('--service <name>', 'the Service that leads here', 'portcullis')
    .option('--namespace <name>', 'where this runs; without it, the namespace of the mounted ServiceAccount')
    .option('--cluster-domain <domain>', 'the DNS domain of the cluster', 'cluster.local')
    .option('--lease <name>', 'the Lease by which the replicas agree on a leader; without it, this one leads')
    .option('--client-ca <file>', 'ask callers for a certificate of these authorities, as PEM; read again when it changes')
    .option('--client-names <name...>', 'the names that such a certificate may have; without it, any')
    .option('--caller-namespaces <name...>', 'namespaces whose Pods may call, beside our own and the protected ones')
    .option('--any-caller', 'let every Pod call that reaches the port')
    .addOption(new Option('--drain-seconds <seconds>', 'how long to go on answering after SIGTERM').argParser(seconds).default(10))
    .addOption(new Option('--log-level <level>', 'the least that is logged').choices(['debug', 'info', 'warn', 'error']).default('info'))
    .addOption(
      new Option('--audit-interval <duration>', 'how often everything stored is judged again, beside what changes')
        .argParser(duration)
        .default(600_000, '10m'),
    )
    .addOption(
      new Option('--reports <api>', 'where the audit reports what it finds (default: auto; off without --lease)').choices(reportChoices),
    )
    .addOption(new Option('--report-limit <number>', 'how many reports there may be').argParser(wholeNumber).default(20_000))
    .addOption(
      new Option('--results-per-object <number>', 'results in one report, beside the one that counts the rest')
        .argParser(wholeNumber)
        .default(50),
    )
    .option('--events', 'write Events about what the audit finds (default: with --lease)')
    .option('--no-events', 'write none')
    .addOption(
      new Option('--events-severity <severity>', 'the mildest finding of which an Event tells').choices(severities).default('medium'),
    )
    .option('--metrics-namespaces', 'count open findings by namespace too, for those with the most')
    .option('--kubeconfig <file>', 'the cluster to watch; without it, the one that this runs in')
    .option('--context <name>', 'the context of the kubeconfig')
    .option('--address <address>', 'the address to listen on')
    .addHelpText('after', helpOf(serveExamples))
    .action(async ({ address, drainSeconds, ...options }: ServeArguments) => {
      const { serve } = await import('./serve.ts');
      await serve({ drainMs: drainSeconds * 1000, ...options, ...(address === undefined ? {} : { host: address }) });
      done(0);
    });
}

const serveExamples = `
portcullis serve --cluster examples/cluster             no cluster needed: it is read from files
portcullis serve --tls-cert tls.crt --tls-key tls.key   in a cluster
portcullis serve --kubeconfig ~/.kube/config --config portcullis.yaml`;

const configurationOption = (): Option =>
  new Option('--webhook-configuration <name>', 'the ValidatingWebhookConfiguration that leads to the webhook').default('portcullis');

function addDoctor(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('doctor')
    .description('Look at an installation with your own kubeconfig: what is wrong, what shows it, and the commands that repair it.')
    .option('--kubeconfig <file>', 'the cluster; without it, KUBECONFIG or ~/.kube/config')
    .option('--context <name>', 'the context of the kubeconfig')
    .option('-n, --namespace <name>', 'where to look if the webhook configuration is gone', 'portcullis')
    .addOption(configurationOption())
    .addOption(outputOption())
    .addHelpText('after', helpOf(doctorExamples))
    .action(async (options: DoctorOptions) => {
      const { doctor } = await import('./doctor.ts');
      done(await doctor(options, terminal));
    });
}

const doctorExamples = `
portcullis doctor
portcullis doctor --context prod -o json
portcullis doctor --webhook-configuration guard --namespace guard

It changes nothing: each repair is printed for you to run. What you may not read is listed under "Not looked at".
Exit code: 0 nothing is wrong, 1 problems, 2 it could not look.`;

function addSelftest(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('selftest')
    .description('Send the webhook an object that a rule must object to, on the way that the API server takes.')
    .addOption(configurationOption())
    .option('--config <file>', 'the configuration file, which says what rules are off')
    .option('--address <host:port>', 'connect there in place of the Service: for a port-forward')
    .option('--kubeconfig <file>', 'the cluster; without it, the one that this runs in')
    .option('--context <name>', 'the context of the kubeconfig')
    .addHelpText('after', helpOf(selftestExamples))
    .action(async (options: SelftestOptions) => {
      const { selftest } = await import('./selftest.ts');
      done(await selftest(options, terminal));
    });
}

const selftestExamples = `
portcullis selftest                                   in a Pod of the cluster, as "helm test" does
kubectl -n portcullis port-forward svc/portcullis 8443:443 &
portcullis selftest --address localhost:8443

Needs no right but to get that one configuration, and writes nothing.
Exit code: 0 it judges, 1 it does not, 2 it could not be tried.`;

function addDemo(program: Command, done: (code: number) => void): void {
  program
    .command('demo')
    .description('Start the webhook on the example cluster, send it broken and correct manifests, print what a user would read.')
    .addHelpText('after', helpOf('portcullis demo'))
    .action(async () => {
      const { demo } = await import('./demo.ts');
      done(await demo());
    });
}

function duration(text: string): number {
  const ms = durationMs(text);
  if (ms === undefined || ms === 0) throw new InvalidArgumentError('Not a duration: use 30s, 10m or 1h30m, at most 24h.');
  return ms;
}

function seconds(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('Not a number of seconds: use 0 to 999.');
  return Number(text);
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('Not a number from 1 to 9999999.');
  return Number(text);
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) throw new InvalidArgumentError('Not a port: use a number from 0 (any free one) to 65535.');
  return port;
}
