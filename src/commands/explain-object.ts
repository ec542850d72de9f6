/** `portcullis explain ingress/NAME`: the way of its requests, from files, a snapshot or a cluster. */
import { nearestWord } from '../cluster/near-miss.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Configuration } from '../config/settings.ts';
import { evaluate } from '../engine/evaluate.ts';
import { OperatorError } from '../errors.ts';
import { display } from '../kube/display.ts';
import { listed } from '../kube/listed.ts';
import type { Ingress, JudgedResource, Service } from '../kube/resources.ts';
import { type Explained, explainedIngress, explainedService, type FindingsIn, has } from '../picture/explained.ts';
import { explainedJson, explainedText } from '../reports/explained-text.ts';
import { fileSource } from '../sources/file-source.ts';
import { loadManifests } from '../sources/manifests.ts';
import { interruptible } from './interrupt.ts';
import { readConfiguration } from './read-configuration.ts';
import { stateFor } from './scan.ts';
import type { Terminal } from './terminal.ts';

export interface ExplainOptions {
  readonly output: 'text' | 'json';
  readonly namespace: string;
  readonly config?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly snapshot?: string;
}

/** As kubectl takes them. */
const kindNames: ReadonlyMap<string, 'Ingress' | 'Service'> = new Map([
  ...['ingress', 'ingresses', 'ing'].map((word) => [word, 'Ingress'] as const),
  ...['service', 'services', 'svc'].map((word) => [word, 'Service'] as const),
]);

/**
 * Prints, and returns the exit code: 0 no link is broken, 1 one is, 2 something could not be told; 130 after Ctrl-C. Rejects
 * with an OperatorError where there is no such object, or nothing can be read.
 */
export const explainObject = (target: string, paths: readonly string[], options: ExplainOptions, terminal: Terminal): Promise<number> =>
  interruptible(async (signal) => {
    const world = paths.length > 0 ? await fromFiles(paths, options, terminal) : await fromCluster(options, signal, terminal);
    const explained = explain(wantedIn(target, options.namespace, world), world);
    const print = options.output === 'json' ? explainedJson : explainedText;
    terminal.out(print(explained, { source: world.source, paint: terminal.paint }));
    if (has('broken', explained)) return 1;
    return has('unknown', explained) ? 2 : 0;
  });

interface World {
  readonly snapshot: ClusterSnapshot;
  readonly configuration: Configuration;
  /** As people call where it was read. */
  readonly source: string;
  readonly offline: boolean;
}

async function fromFiles(paths: readonly string[], options: ExplainOptions, terminal: Terminal): Promise<World> {
  const { namespace, kubeconfig, context, snapshot } = options;
  if ((kubeconfig ?? context ?? snapshot) !== undefined)
    throw new OperatorError(
      'PC0001',
      'files and a cluster are given both',
      'Leave out the paths, or --kubeconfig, --context and --snapshot.',
    );
  const configuration = await readConfiguration(options.config);
  const { manifests, errors } = await loadManifests(paths, {
    workloads: configuration.workloads,
    namespace,
    stdin: () => terminal.stdin(),
  });
  const [error] = errors;
  if (error !== undefined) {
    const place = error.line === undefined ? error.file : `${error.file}:${error.line}:${error.column}`;
    throw new OperatorError('PC0003', `${place} ${error.message}`, error.hint);
  }
  const source = fileSource(manifests, { observedAt: terminal.now() });
  return {
    snapshot: source.current(),
    configuration,
    source: paths.map((path) => (path === '-' ? 'standard input' : path)).join(', '),
    offline: true,
  };
}

async function fromCluster(options: ExplainOptions, signal: AbortSignal, terminal: Terminal): Promise<World> {
  const { output: _, namespace, ...others } = options;
  const state = await stateFor({ ...others, namespace: [namespace], signal }, terminal);
  try {
    const { snapshot, configuration, name } = state;
    return { snapshot, configuration, source: name, offline: false };
  } finally {
    terminal.status?.('');
    await state.close();
  }
}

/** Throws an OperatorError PC0001 where there is no such object. */
function wantedIn(target: string, namespace: string, { snapshot, source }: World): Ingress | Service {
  const [word = '', name = ''] = target.split('/');
  const kind = kindNames.get(word.toLowerCase());
  if (kind === undefined || name === '' || target.split('/').length > 2)
    throw new OperatorError(
      'PC0001',
      `"${display(target, 80)}" is no object of which the way could be told`,
      'Use ingress/NAME or service/NAME, with -n for its namespace.',
    );
  const found = snapshot.get(kind, namespace, name);
  if (found !== undefined) return found;
  const elsewhere = snapshot.listAll(kind).filter(({ metadata }) => metadata.name === name);
  const nearest = nearestWord(
    name,
    snapshot.list(kind, namespace).map(({ metadata }) => metadata.name),
  );
  const unread = snapshot.coverage(kind, namespace) === 'forbidden' ? ', or it may not be listed' : '';
  throw new OperatorError(
    'PC0001',
    `there is no ${kind} ${display(name, 80)} in namespace ${display(namespace, 80)} of ${display(source)}${unread}`,
    hint(),
  );

  function hint(): string {
    if (elsewhere.length > 0) return `It is in ${listed(elsewhere.map(({ metadata }) => metadata.namespace))}: name the namespace with -n.`;
    return nearest === undefined ? 'Check its name, and the namespace given with -n.' : `Did you mean ${nearest}?`;
  }
}

const explain = (object: Ingress | Service, world: World): Explained =>
  object.kind === 'Ingress'
    ? explainedIngress(object, world.snapshot, findingsOf(world))
    : explainedService(object, world.snapshot, findingsOf(world));

/** Whatever the configuration lets become of them. Whoever runs the command may read what it reads: nothing is kept from him. */
function findingsOf({ snapshot, configuration, offline }: World): FindingsIn {
  const known = new Map<JudgedResource, ReturnType<FindingsIn>>();
  return (object: JudgedResource) => {
    const subject = { object, operation: 'WRITE', before: undefined } as const;
    const found = known.get(object) ?? evaluate(subject, snapshot, configuration.rules, { offline, tellsOfOthers: true }).findings;
    known.set(object, found);
    return found;
  };
}
