/** Runs a case of a rule's table the way users meet it: through `check` on files, and through the webhook's handler. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { type Handled, handle } from '../../src/admission/handler.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { check } from '../../src/commands/check.ts';
import type { Terminal } from '../../src/commands/terminal.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import type { Rule } from '../../src/engine/rule.ts';
import { groupOf, normalize } from '../../src/kube/normalize.ts';
import { objectAt } from '../../src/kube/read.ts';
import { formatRef, type RawObject, type Resource, refOf } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { withContent } from '../../src/sources/secret-content.ts';
import type { RuleCase } from './rule-table.ts';

export const observedAt = Date.UTC(2026, 10, 21);

/** The configuration file under which the case holds: its rule with its options, and no other rule. */
export function configurationFor(rule: string, one: RuleCase): RawObject {
  const { options, profile, privacy, expectedSecrets, resolver, exemptions, beside } = one;
  const isOff = ({ meta }: Rule): boolean => meta.id !== rule && !beside.includes(meta.id);
  const others = rules.filter(isOff).map(({ meta }) => [meta.id, { mode: 'off' }] as const);
  return {
    apiVersion: 'portcullis.dev/v1',
    profile,
    privacy,
    secrets: { level: 'full', expected: expectedSecrets },
    ...(resolver && { dns: { resolver } }),
    ...(exemptions && { exemptions }),
    rules: { ...Object.fromEntries(others), ...(options === undefined ? {} : { [rule]: { options } }) },
  };
}

export interface FileFinding {
  readonly rule: string;
  readonly message: string;
  readonly mode: string;
  readonly path: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string };
  readonly related: readonly Parameters<typeof formatRef>[0][];
}

export interface Checked {
  readonly exitCode: number;
  /** About the object of the case. */
  readonly findings: readonly FileFinding[];
  readonly skipped: readonly unknown[];
  readonly errors: readonly unknown[];
}

/** The case as YAML files in a directory of its own, through the function of the `check` command. */
export async function byFiles(rule: string, one: RuleCase): Promise<Checked> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-case-'));
  try {
    const write = (name: string, objects: readonly unknown[]): Promise<void> =>
      writeFile(join(directory, name), objects.map((object) => dump(object)).join('---\n'));
    await write('portcullis.config', [configurationFor(rule, one)]);
    await write('object.yaml', [one.object]);
    await write('cluster.yaml', one.cluster);
    const printed: string[] = [];
    const files = one.cluster.length === 0 ? ['object.yaml'] : ['object.yaml', 'cluster.yaml'];
    const exitCode = await check(
      files.map((file) => join(directory, file)),
      { output: 'json', failOn: 'info', config: join(directory, 'portcullis.config'), assumeComplete: true },
      quiet(printed),
    );
    const { findings, skipped, errors } = JSON.parse(printed.join(''));
    const { kind, metadata } = normalize(one.object) as Resource;
    const isSubject = ({ object }: FileFinding): boolean =>
      object.kind === kind && object.namespace === metadata.namespace && object.name === metadata.name;
    return { exitCode, findings: findings.filter(isSubject), skipped, errors };
  } finally {
    await rm(directory, { recursive: true });
  }
}

export const quiet = (printed: string[]): Terminal => ({
  out: (text) => void printed.push(text),
  error: (text) => void printed.push(text),
  stdin: async () => new Uint8Array(),
  now: () => observedAt,
  paint: (_, text) => text,
});

/** The case as an AdmissionReview, through the webhook's handler; the live look finds what the watch has told. */
export async function byAdmission(rule: string, one: RuleCase): Promise<Handled> {
  const configuration = parseConfiguration(configurationFor(rule, one), rules);
  const held = [...one.cluster, ...(one.before === undefined ? [] : [one.before]), ...(one.operation === 'DELETE' ? [one.object] : [])];
  const resources = held.flatMap((raw) => withContent(normalize(raw), raw) ?? []);
  const byName = new Map(resources.map((resource) => [formatRef(refOf(resource)), resource]));
  const snapshot = ClusterSnapshot.empty({ observedAt, coverage: () => 'complete' }).with(
    resources.filter(({ kind }) => kind !== 'Secret'),
  );
  return handle(reviewOf(one), unhurried, {
    snapshot: () => snapshot,
    readByName: async (refs) => new Map(refs.map((ref) => [formatRef(ref), byName.get(formatRef(ref)) ?? 'absent'])),
    confirm: async () => snapshot,
    configuration: () => configuration,
    mayUse: async () => 'unknown',
    mayList: async () => 'unknown',
    tellsOfOthers: () => one.privacy === 'open',
    now: () => observedAt,
  });
}

const unhurried = { remainingMs: () => 10_000, signal: () => AbortSignal.timeout(10_000) };

/** As an API server would send it. */
function reviewOf({ object, before, operation }: RuleCase): RawObject {
  const apiVersion = String(object['apiVersion']);
  const kind = { group: groupOf(apiVersion), version: apiVersion.split('/').at(-1), kind: object['kind'] };
  const { name, namespace } = objectAt(object, 'metadata');
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind,
      name,
      namespace,
      operation: operation ?? (before === undefined ? 'CREATE' : 'UPDATE'),
      userInfo: { username: 'jane', groups: ['system:authenticated'] },
      object: operation === 'DELETE' ? null : object,
      oldObject: operation === 'DELETE' ? object : (before ?? null),
      dryRun: false,
    },
  };
}
