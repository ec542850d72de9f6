/** A case of a rule's table on each surface, and what each says in words that can be compared. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import type { Reaches } from '../../src/cluster/reach.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { type AuditOptions, audit } from '../../src/commands/audit.ts';
import { check } from '../../src/commands/check.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import type { Finding } from '../../src/engine/finding.ts';
import { formatPath } from '../../src/kube/field-path.ts';
import { normalize } from '../../src/kube/normalize.ts';
import { formatRef, type ObjectRef, type RawObject, type Resource, refOf, type Secret } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { withContent } from '../../src/sources/secret-content.ts';
import { byAdmission, configurationFor, observedAt, quiet } from './rule-drivers.ts';
import type { RuleCase } from './rule-table.ts';
import { encoded, everywhere } from './snapshot-file.ts';

/** One finding about the object of the case: rule, object, path, message and what becomes of it. In order of text. */
export type Told = readonly string[];

interface Reported {
  readonly rule: string;
  readonly object: ObjectRef;
  readonly path: string;
  readonly message: string;
  readonly mode: string;
  readonly softened?: string;
}

const lineOf = ({ rule, object, path, message, mode, softened }: Reported): string =>
  `${rule} ${formatRef(object)} ${path} ${message} ${mode}${softened === undefined ? '' : ` (${softened})`}`;

export async function toldByAdmission(rule: string, one: RuleCase): Promise<Told> {
  const handled = await byAdmission(rule, one);
  if (handled.outcome !== 'judged') throw new Error(`the review was ${handled.outcome}`);
  const { denials, warnings, audited } = handled.decision;
  const lines = [
    ...denials.map((finding) => reported(finding, 'deny')),
    ...warnings.map(({ finding, softened }) => reported(finding, 'warn', softened)),
    ...audited.map((finding) => reported(finding, 'audit')),
  ];
  return lines.map(lineOf).sort();
}

const reported = ({ ruleId, subject, path, messageId }: Finding, mode: string, softened?: string): Reported => ({
  rule: ruleId,
  object: subject,
  path: formatPath(path),
  message: messageId,
  mode,
  ...(softened !== undefined && { softened }),
});

/** `check --against` a snapshot of the case's cluster, with the object as a file. */
export function toldAgainst(rule: string, one: RuleCase): Promise<Told> {
  const held = [...one.cluster, ...(one.before === undefined ? [] : [one.before])];
  return inDirectory(rule, one, held, (file, config, out) =>
    check([file('object.yaml')], { output: 'json', failOn: 'info', against: file('cluster.json'), config }, quiet(out)),
  );
}

/** `audit` of a snapshot of the cluster in which the object is. */
export function toldByAudit(rule: string, one: RuleCase): Promise<Told> {
  return inDirectory(rule, one, [...one.cluster, one.object], (file, config, out) => {
    const options: AuditOptions = { output: 'json', failOn: 'info', snapshot: file('cluster.json'), config };
    return audit(options, quiet(out));
  });
}

type Run = (file: (name: string) => string, config: string, out: string[]) => Promise<number>;

async function inDirectory(rule: string, one: RuleCase, held: readonly RawObject[], run: Run): Promise<Told> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-surface-'));
  const file = (name: string): string => join(directory, name);
  try {
    await writeFile(file('portcullis.yaml'), dump(configurationFor(rule, one)));
    await writeFile(file('object.yaml'), dump(one.object));
    await writeFile(file('cluster.json'), snapshotText(rule, one, held));
    const out: string[] = [];
    await run(file, file('portcullis.yaml'), out);
    const { findings } = JSON.parse(out.join(''));
    const subject = formatRef(refOf(normalize(one.object) as Resource));
    return findings
      .filter(({ object }: Reported) => formatRef(object) === subject)
      .map(lineOf)
      .sort();
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** As `portcullis snapshot` would have written it: Secrets by name and what was derived from them, annotations as far as the rules read them. */
function snapshotText(rule: string, one: RuleCase, held: readonly RawObject[]): string {
  const resources = held.flatMap((raw) => withContent(normalize(raw), raw, one.offline === true) ?? []);
  const snapshot = ClusterSnapshot.empty({ observedAt, coverage: () => 'complete' }).with(
    resources.filter(({ kind }) => kind !== 'Secret'),
  );
  const present = resources.filter((one) => one.kind === 'Secret').map((one) => ({ ...(one as Secret), ...refOf(one) }));
  const configured = parseConfiguration(configurationFor(rule, one), rules).rules;
  const read = new Set(configured.flatMap(({ annotations }) => annotations));
  const prefixes = configured.flatMap(({ annotationPrefixes }) => annotationPrefixes);
  const readsAnnotation = (key: string): boolean => read.has(key) || key.startsWith('exempt.portcullis.dev/');
  const readsAnnotationKey = (key: string): boolean => prefixes.some((prefix) => key.startsWith(prefix));
  return encoded(snapshot, reachesOf(one), { secrets: { present, absent: [] }, readsAnnotation, readsAnnotationKey });
}

const reachesOf = ({ unknown, secretsUnknown }: RuleCase): Reaches =>
  new Map(
    Array.from(everywhere, ([collection, reach]) => {
      const isUnknown = unknown.some((one) => one === collection) || (collection === 'Secret' && secretsUnknown);
      return [collection, isUnknown ? { everywhere: 'unsynced', namespaces: new Map() } : reach];
    }),
  );
