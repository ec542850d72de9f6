/**
 * `npm run demo`: the webhook as it is, over TLS, on the embedded cluster of examples/; the writes of examples/demo.yaml
 * as an API server would ask about them; and what a person at kubectl would read.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { OperatorError } from '../errors.ts';
import { groupOf } from '../kube/normalize.ts';
import { objectAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { loadManifests } from '../sources/manifests.ts';
import { readYaml } from '../sources/yaml.ts';
import { admissionReview, admitted, type DemoWrite } from './demo-review.ts';
import { type DemoServer, startDemoServer } from './demo-server.ts';
import { type AdmissionAnswer, kubectlText } from './kubectl-text.ts';

const ruleIds = z.array(z.string()).default([]);
const scene = z
  .strictObject({
    title: z.string(),
    namespace: z.string(),
    /** Files, relative to examples/: one of the three. */
    apply: z.string().optional(),
    delete: z.string().optional(),
    label: z.string().optional(),
    with: z.record(z.string(), z.string()).default({}),
    dryRun: z.boolean().default(false),
    denied: ruleIds,
    warned: ruleIds,
  })
  .refine((one) => [one.apply, one.delete, one.label].filter((file) => file !== undefined).length === 1, 'one of apply, delete, label');
const scenes = z.strictObject({ scenes: z.array(scene).min(1) });
export type Scene = z.output<typeof scene>;

/** Shown, and judged by its expectation. */
export interface Played {
  readonly scene: Scene;
  readonly lines: readonly string[];
  readonly denied: readonly string[];
  readonly warned: readonly string[];
  readonly asDocumented: boolean;
}

/** Plays every scene, prints it, and returns the exit code: 0 if every answer is as documented. */
export async function demo(): Promise<number> {
  const examples = examplesDirectory();
  const print = (line = ''): void => void process.stdout.write(`${line}\n`);
  const stage = await stageOf(examples);
  const server = await startDemoServer(examples);
  try {
    print(`Portcullis answers on ${server.url}. It knows the cluster of examples/cluster, with which every scene begins:`);
    print('the namespace shop is held to the profile strict, sandbox to guided, the default.');
    const played: Played[] = [];
    for (const one of scenesOf(examples)) {
      const result = await play(one, stage, server);
      played.push(result);
      for (const line of shown(result, played.length)) print(line);
    }
    for (const line of summary(played)) print(line);
    return played.every(({ asDocumented }) => asDocumented) ? 0 : 1;
  } finally {
    await server.close();
  }
}

/** Beside the sources, or beside dist/. */
function examplesDirectory(): string {
  const found = ['../../examples', '../examples']
    .map((path) => join(import.meta.dirname, path))
    .find((path) => existsSync(join(path, 'demo.yaml')));
  if (found === undefined)
    throw new OperatorError(
      'PC0002',
      'examples/demo.yaml is not here',
      'The demo needs a checkout of the project: run "npm run demo" in it.',
    );
  return found;
}

export const scenesOf = (examples: string): readonly Scene[] =>
  scenes.parse(readYaml(readFileSync(join(examples, 'demo.yaml'), 'utf8')).value).scenes;

/** What the scenes are played with. */
export interface Stage {
  readonly examples: string;
  /** Objects that are there before each scene. */
  readonly cluster: readonly RawObject[];
}

export const stageOf = async (examples: string): Promise<Stage> => ({ examples, cluster: await objectsOf(join(examples, 'cluster')) });

async function objectsOf(path: string): Promise<readonly RawObject[]> {
  const { manifests, errors } = await loadManifests([path]);
  const [error] = errors;
  if (error !== undefined) throw new OperatorError('PC0002', `${error.file} ${error.message}`, 'Restore the file from the repository.');
  return manifests.map(({ raw }) => raw);
}

export async function play(one: Scene, stage: Stage, server: DemoServer): Promise<Played> {
  const { write, command, done } = await enactment(one, stage);
  const answer = await server.ask(admissionReview(write));
  const { denied, warned } = rulesIn(answer);
  const asDocumented = sameIds(denied, one.denied) && sameIds(warned, one.warned);
  return { scene: one, lines: [`$ ${command}`, ...kubectlText(answer, done)], denied, warned, asDocumented };
}

interface Enactment {
  readonly write: DemoWrite;
  readonly command: string;
  /** What kubectl prints when it is done. */
  readonly done: string;
}

async function enactment(one: Scene, { examples, cluster }: Stage): Promise<Enactment> {
  const { namespace, dryRun } = one;
  const file = (one.apply ?? one.delete ?? one.label) as string;
  const [manifest = {}] = await objectsOf(join(examples, file));
  const after = admitted(manifest, namespace);
  const resource = resourceOf(manifest);
  const name = stringAt(objectAt(manifest, 'metadata'), 'name') ?? '';
  if (one.delete !== undefined) {
    const write = { operation: 'DELETE', before: after, after: undefined, dryRun } as const;
    return {
      write,
      command: `kubectl delete -n ${namespace} -f examples/${file}`,
      done: `${resource} "${name}" deleted from ${namespace} namespace`,
    };
  }
  if (one.label !== undefined) {
    const write = { operation: 'UPDATE', before: after, after: labelled(after, one.with), dryRun } as const;
    const pairs = Object.entries(one.with).map(([key, value]) => `${key}=${value}`);
    return { write, command: `kubectl label -n ${namespace} ${resource} ${name} ${pairs.join(' ')}`, done: `${resource}/${name} labeled` };
  }
  const before = existing(cluster, manifest, namespace);
  const suffix = dryRun ? ' (server dry run)' : '';
  return {
    write: { operation: before === undefined ? 'CREATE' : 'UPDATE', before, after, dryRun },
    command: `kubectl apply -n ${namespace} -f examples/${file}${dryRun ? ' --dry-run=server' : ''}`,
    done: `${resource}/${name} ${before === undefined ? 'created' : 'configured'}${suffix}`,
  };
}

const labelled = (object: RawObject, labels: Readonly<Record<string, string>>): RawObject => ({
  ...object,
  metadata: { ...objectAt(object, 'metadata'), labels },
});

/** `networkpolicy.networking.k8s.io`, as kubectl names it. */
function resourceOf(manifest: RawObject): string {
  const group = groupOf(stringAt(manifest, 'apiVersion') ?? '');
  return `${(stringAt(manifest, 'kind') ?? '').toLowerCase()}${group === '' ? '' : `.${group}`}`;
}

/** The object of the same name, as it stands in the cluster. */
function existing(cluster: readonly RawObject[], manifest: RawObject, namespace: string): RawObject | undefined {
  const name = objectAt(manifest, 'metadata')['name'];
  const found = cluster.find((object) => {
    const metadata = objectAt(object, 'metadata');
    return object['kind'] === manifest['kind'] && metadata['name'] === name && metadata['namespace'] === namespace;
  });
  return found && admitted(found, namespace);
}

/** The rules that spoke: a denial names all of them in its causes, a warning ends with its own. */
function rulesIn({ allowed, warnings, status }: AdmissionAnswer): {
  readonly denied: readonly string[];
  readonly warned: readonly string[];
} {
  const causes = allowed ? [] : (status?.details?.causes ?? []).map(({ message }) => message);
  const inCauses = (warning: boolean): readonly string[] =>
    causes.filter((text) => text.startsWith('warning: ') === warning).flatMap(idsIn);
  return { denied: inCauses(false), warned: [...inCauses(true), ...warnings.flatMap(idsIn)] };
}

const idsIn = (text: string): readonly string[] => [...text.matchAll(/\[([a-z]+(?:-[a-z]+)+)\]/g)].map(([, id]) => id as string);

const sorted = (ids: readonly string[]): readonly string[] => [...new Set(ids)].sort();
const sameIds = (a: readonly string[], b: readonly string[]): boolean => sorted(a).join() === sorted(b).join();

function shown({ scene, lines, denied, warned, asDocumented }: Played, number: number): readonly string[] {
  const heading = ['', `${number}. ${scene.title}`, ...lines.map((line) => `   ${line}`)];
  if (asDocumented) return heading;
  return [
    ...heading,
    `   NOT AS DOCUMENTED: denied by ${told(denied)}, warned by ${told(warned)}; examples/demo.yaml says ${told(scene.denied)}, ${told(scene.warned)}`,
  ];
}

const told = (ids: readonly string[]): string => sorted(ids).join(' and ') || 'no rule';

function summary(played: readonly Played[]): readonly string[] {
  const rows = played.map(({ scene, denied, warned, asDocumented }, index) => {
    const verdict = denied.length > 0 ? 'denied' : warned.length > 0 ? 'warned' : 'let through';
    const rules = sorted([...denied, ...warned]).join(', ');
    return `${String(index + 1).padStart(3)}  ${verdict.padEnd(12)} ${scene.namespace.padEnd(12)} ${rules}${asDocumented ? '' : '   NOT AS DOCUMENTED'}`;
  });
  const wrong = played.filter(({ asDocumented }) => !asDocumented).length;
  const verdict =
    wrong === 0
      ? `All ${played.length} answers are as documented in examples/demo.yaml.`
      : `${wrong} of ${played.length} answers differ from examples/demo.yaml.`;
  return ['', '  #  answer       namespace    rule', ...rows, '', verdict];
}
