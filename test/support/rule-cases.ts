/** One case of a rule's table, played on the real API server: what must come of it, and what has. */
import type { Mode } from '../../src/engine/mode.ts';
import type { Message, Rule } from '../../src/engine/rule.ts';
import { isObject, objectAt, stringAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import type { ApiAnswer, AuditEntry } from './cluster.ts';
import { canBeWritten, type RuleCase } from './rule-table.ts';
import { configurationOf } from './stage.ts';

/** managedFields say what the API server chose by itself, and only it can write them so. */
export const canBeApplied = (one: RuleCase): boolean =>
  canBeWritten(one) && [one.object, one.before ?? {}].every((object) => !Object.hasOwn(objectAt(object, 'metadata'), 'managedFields'));

/** The configuration under which nothing but the rule of the case speaks. */
export const configurationFor = (rule: Rule, one: RuleCase, all: readonly Rule[]): RawObject =>
  configurationOf({
    profile: one.profile,
    privacy: one.privacy,
    // What a Secret holds is read for rules about that alone.
    secrets: { level: 'full', expected: one.expectedSecrets },
    ...(one.resolver && { dns: { resolver: one.resolver } }),
    ...(one.exemptions && { exemptions: one.exemptions }),
    rules: Object.fromEntries(
      all
        .filter(({ meta }) => !one.beside.includes(meta.id))
        .map(({ meta }) => [
          meta.id,
          meta.id === rule.meta.id ? (one.options === undefined ? {} : { options: one.options }) : { mode: 'off' },
        ]),
    ),
  });

/** What the write was answered, in the words of the table: the fields that were told of, and what became of the rule. */
export interface Outcome {
  readonly verdict: Mode;
  readonly paths: readonly string[];
}

/** A removal is never denied, unless the configuration says so. */
export function expectedOf(rule: Rule, one: RuleCase): Outcome {
  const findings = one.findings.map(({ message, path }) => ({ path, mode: modeOf(rule.messages[message] as Message<unknown>, one) }));
  const told = findings.filter(({ mode }) => mode === 'deny' || mode === 'warn');
  const gravest = (['deny', 'warn', 'audit'] as const).find((mode) => findings.some((finding) => finding.mode === mode)) ?? 'off';
  const verdict = one.verdict ?? gravest;
  return { verdict: one.operation === 'DELETE' && verdict === 'deny' ? 'warn' : verdict, paths: told.map(({ path }) => path).sort() };
}

const modeOf = ({ modes }: Message<unknown>, { profile }: RuleCase): Mode => (profile === 'observe' ? 'audit' : modes[profile]);

interface Cause {
  readonly field: string;
  readonly message: string;
}

/** `entry` is the audit log's, which alone knows of findings that nobody is told of. */
export function outcomeOf({ meta }: Rule, { status, body, warnings }: ApiAnswer, entry: AuditEntry | undefined): Outcome {
  if (status === 422) {
    const causes = (body.details?.causes ?? []) as readonly Cause[];
    return { verdict: 'deny', paths: causes.map(({ field, message }) => field + foreign(message, `[${meta.id}] portcullis`)).sort() };
  }
  if (status >= 300) return { verdict: 'deny', paths: [`refused by the API server itself: ${body.message}`] };
  // A fix that needs the room stands in a line of its own, under the same field.
  const paths = [
    ...new Set(
      warnings.filter((warning) => !ofTheApiServer.test(warning)).map((warning) => pathIn(warning) + foreign(warning, `[${meta.id}]`)),
    ),
  ].sort();
  if (paths.length > 0) return { verdict: 'warn', paths };
  return { verdict: annotation(entry, 'rules').includes(`audit:${meta.id}`) ? 'audit' : 'off', paths };
}

/** What the API server says of Services by itself (pkg/api/service/warnings.go). */
const ofTheApiServer = /^spec\.external(IPs is deprecated|Name is ignored)/;

/** Anything that did not come from the rule spoils the comparison. */
const foreign = (text: string, end: string): string => (text.endsWith(end) ? '' : ` (not of this rule: ${text})`);

const pathIn = (warning: string): string =>
  warning.replace(/^(not new, so not denied|would be denied|unconfirmed, so not denied): /, '').split(': ')[0] ?? '';

function annotation(entry: AuditEntry | undefined, key: string): string {
  const found = Object.entries(entry?.annotations ?? {}).find(([name]) => name.endsWith(`.portcullis.dev/${key}`));
  return found?.[1] ?? '';
}

/** The namespaces of a case, with the labels that it gives them. */
export function namespacesOf({ object, before, cluster }: RuleCase): ReadonlyMap<string, RawObject> {
  const named = [object, ...(before === undefined ? [] : [before]), ...cluster].map((one) =>
    stringAt(objectAt(one, 'metadata'), 'namespace'),
  );
  const given = cluster.filter(({ kind }) => kind === 'Namespace').map((one) => objectAt(one, 'metadata'));
  return new Map([
    ...named.filter((name) => name !== undefined).map((name) => [name, {}] as const),
    ...given.map((metadata) => [String(metadata['name']), isObject(metadata['labels']) ? metadata['labels'] : {}] as const),
  ]);
}
