/** The tables of `*.yaml` beside this: small worlds, and who may reach whom in them, computed by hand. */
import { globSync, readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { z } from 'zod';
import type { Party, Question } from './network-policy.ts';
import type { Verdict } from './oracle.ts';
import type { Protocol, RawContainerPort, RawNamespace, RawPod, RawPolicy, RawWorld } from './raw-objects.ts';

const labels = z.record(z.string(), z.string());

const podInShort = z.strictObject({
  labels: labels.optional(),
  /** Port numbers by name, or `53/UDP`; those of one container. */
  ports: z.record(z.string(), z.union([z.number(), z.string()])).default({}),
  /** Of a second container, and of a sidecar. */
  morePorts: z.record(z.string(), z.union([z.number(), z.string()])).default({}),
  sidecarPorts: z.record(z.string(), z.union([z.number(), z.string()])).default({}),
  ips: z.array(z.string()).default([]),
  node: z.string().optional(),
  hostNetwork: z.boolean().optional(),
});

/** By `namespace/name`. */
const named = <T extends z.ZodType>(one: T) => z.record(z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+$/), one);

const world = {
  /** Labels by name. A namespace of a Pod that is not given has none. */
  namespaces: z.record(z.string(), labels).optional(),
  pods: named(podInShort.nullable()).optional(),
};

const oneCase = z
  .strictObject({
    /** What it is about: a sentence of the documentation, or what the policy is for. */
    says: z.string(),
    /** Where the sentence stands. */
    in: z.string().optional(),
    /** Pods and namespaces beside those of all cases. */
    ...world,
    /** Each its `spec`. */
    policies: named(z.unknown()).default({}),
    /** `a/b -> c/d TCP/80`: what comes of it; where it depends, also why. */
    answers: z.record(z.string(), z.string()).default({}),
    /** By port: under `from` and the destinations, a line for each source with `o` (allowed), `.` (denied) or `?` (depends). */
    tables: z.record(z.string(), z.string()).default({}),
    /** By `a/b Ingress`. */
    isolatedBy: z.record(z.string(), z.array(z.string())).default({}),
  })
  .refine(({ answers, tables, isolatedBy }) => Object.keys({ ...answers, ...tables, ...isolatedBy }).length > 0, 'asks nothing');

const file = z.strictObject({ ...world, cases: z.array(oneCase).min(1) });
type PodInShort = z.infer<typeof podInShort>;

/** One connection with its answer. */
export interface Expected {
  readonly line: string;
  readonly question: Question;
  readonly verdict: Verdict;
  /** Names of the doubts, if the table gives them. */
  readonly reasons: readonly string[] | undefined;
}

export interface Fixture {
  readonly name: string;
  readonly world: RawWorld;
  readonly expected: readonly Expected[];
  readonly isolatedBy: Readonly<Record<string, readonly string[]>>;
}

/** Of all files, in their order. */
export const readFixtures = (): readonly Fixture[] =>
  globSync('*.yaml', { cwd: import.meta.dirname })
    .sort()
    .flatMap((name) => fixturesIn(name));

function fixturesIn(name: string): readonly Fixture[] {
  const { cases, ...common } = file.parse(load(readFileSync(`${import.meta.dirname}/${name}`, 'utf8')));
  return cases.map(({ says, policies, answers, tables, isolatedBy, ...own }) => {
    const built = worldOf({ ...common.namespaces, ...own.namespaces }, { ...common.pods, ...own.pods }, policies);
    const expected = [
      ...Object.entries(answers).map(([line, answer]) => expectedOf(built, line, answer)),
      ...Object.entries(tables).flatMap(([port, table]) => rowsOf(built, port, table)),
    ];
    return { name: `${name}: ${says}`, world: built, expected, isolatedBy };
  });
}

function worldOf(
  labelsByNamespace: Readonly<Record<string, Readonly<Record<string, string>>>>,
  pods: Readonly<Record<string, PodInShort | null>>,
  policies: Readonly<Record<string, unknown>>,
): RawWorld {
  const namespaces = [
    ...new Set([...Object.keys(labelsByNamespace), ...[...Object.keys(pods), ...Object.keys(policies)].map(namespaceOf)]),
  ];
  return {
    namespaces: namespaces.map(
      (name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: labelsByNamespace[name] } }) as RawNamespace,
    ),
    pods: Object.entries(pods).map(([key, pod]) => podOf(key, pod ?? podInShort.parse({}))),
    policies: Object.entries(policies).map(
      ([key, spec]) => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: metadataOf(key), spec }) as RawPolicy,
    ),
  };
}

const namespaceOf = (key: string): string => key.slice(0, key.indexOf('/'));
const metadataOf = (key: string) => ({ namespace: namespaceOf(key), name: key.slice(key.indexOf('/') + 1) });

function podOf(key: string, { labels: given, ports, morePorts, sidecarPorts, ips, node, hostNetwork }: PodInShort): RawPod {
  const containers = [{ ports: portsOf(ports) }, { ports: portsOf(morePorts) }];
  const initContainers = [{ ports: portsOf(sidecarPorts), restartPolicy: 'Always' }];
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { ...metadataOf(key), labels: given },
    spec: { containers, initContainers, nodeName: node, hostNetwork },
    status: { podIPs: ips.map((ip) => ({ ip })) },
  };
}

const portsOf = (ports: Readonly<Record<string, number | string>>): readonly RawContainerPort[] =>
  Object.entries(ports).map(([name, port]) => {
    const [number, protocol] = String(port).split('/');
    return { name, containerPort: Number(number), ...(protocol && { protocol: protocol as Protocol }) };
  });

/** `shop/web` is a Pod, `node worker-1 10.9.0.1` a node with its address, anything else an address outside. */
function partyOf({ pods }: RawWorld, text: string): Party {
  const [first = '', node = '', ip = ''] = text.split(' ');
  if (first === 'node') return { ip, node };
  if (!first.includes('/')) return { ip: first };
  const pod = pods.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === first);
  if (pod === undefined) throw new Error(`no Pod is called ${first}`);
  return { pod };
}

function questionOf(world_: RawWorld, [from, to]: readonly [string, string], portText: string): Question {
  const [protocol, port] = portText.split('/');
  if (!/^(?:TCP|UDP|SCTP)\/\d+$/.test(portText)) throw new Error(`${portText} is no port`);
  return { from: partyOf(world_, from), to: partyOf(world_, to), protocol: protocol as Protocol, port: Number(port) };
}

function expectedOf(built: RawWorld, line: string, answer: string): Expected {
  const [, from = '', to = '', port = ''] = /^(.+) -> (.+) (\S+)$/.exec(line) ?? [];
  const [verdict, ...reasons] = answer.split(/[ ,]+/);
  return {
    line,
    question: questionOf(built, [from, to], port),
    verdict: z.enum(['allowed', 'denied', 'depends']).parse(verdict),
    reasons: verdict === 'depends' && reasons.length > 0 ? reasons : undefined,
  };
}

const marks: ReadonlyMap<string, Verdict> = new Map([
  ['o', 'allowed'],
  ['.', 'denied'],
  ['?', 'depends'],
]);

function rowsOf(built: RawWorld, port: string, table: string): readonly Expected[] {
  const [[, ...head] = [], ...rows] = table
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/));
  return rows.flatMap(([from = '', ...cells]) => {
    if (cells.length !== head.length) throw new Error(`the row of ${from} has ${cells.length} marks for ${head.length} destinations`);
    return head.map((to, index) => ({
      line: `${from} -> ${to} ${port}`,
      question: questionOf(built, [from, to], port),
      verdict: z.enum(['allowed', 'denied', 'depends']).parse(marks.get(cells[index] ?? '')),
      reasons: undefined,
    }));
  });
}
