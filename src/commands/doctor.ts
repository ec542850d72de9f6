/** `portcullis doctor`: what is wrong with an installation, and the commands that repair it. */
import { diagnose } from '../doctor/diagnose.ts';
import { jsonOf, textOf } from '../doctor/print.ts';
import { word } from '../doctor/problem.ts';
import { OperatorError } from '../errors.ts';
import { clusterClient } from './cluster-client.ts';
import { readFacts } from './doctor-facts.ts';
import type { Terminal } from './terminal.ts';

export interface DoctorOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace: string;
  readonly webhookConfiguration: string;
  readonly output: 'text' | 'json';
}

/** Prints a diagnosis and returns the exit code: 0 nothing is wrong, 1 problems. Rejects with an OperatorError where nothing can be seen. */
export async function doctor(options: DoctorOptions, terminal: Terminal): Promise<0 | 1> {
  const client = await clusterClient(options);
  try {
    const facts = await readFacts(client, {
      kubectl: kubectlOf(options),
      configuration: options.webhookConfiguration,
      namespace: options.namespace,
      now: terminal.now(),
    });
    if (facts.registration.state === 'unseen') throw notSeen(options.webhookConfiguration, facts.registration.why);
    const diagnosis = diagnose(facts);
    const subject = `ValidatingWebhookConfiguration ${facts.configuration} and what it leads to`;
    terminal.out(options.output === 'json' ? jsonOf(diagnosis) : textOf(diagnosis, subject, terminal.paint));
    return diagnosis.problems.length === 0 ? 0 : 1;
  } finally {
    await client.close();
  }
}

/** The flags that lead kubectl to the cluster that was looked at. */
const kubectlOf = ({ kubeconfig, context }: DoctorOptions): string =>
  ['kubectl', ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]), ...(context === undefined ? [] : ['--context', context])]
    .map(word)
    .join(' ');

const notSeen = (name: string, why: string): OperatorError =>
  new OperatorError(
    'PC0008',
    `ValidatingWebhookConfiguration ${name} cannot be read: ${why}`,
    'Ask with a user who may get it, and check that `kubectl cluster-info` answers with the same --kubeconfig and --context.',
  );
