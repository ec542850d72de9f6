/** Configuration file → what it means. Pure: the file is read, and the time told, by the caller. */
import { z } from 'zod';
import type { Profile } from '../engine/mode.ts';
import type { ConfiguredRule, Rule, Shared } from '../engine/rule.ts';
import { OperatorError } from '../errors.ts';
import { type FieldPath, formatPath, valueAt } from '../kube/field-path.ts';
import type { WorkloadKind } from '../kube/normalize-workload.ts';
import type { RawObject } from '../kube/resources.ts';
import { type BoundSettings, binder, type WriteContext } from './bind.ts';
import { durationMs } from './duration.ts';
import { type EntryToReview, entriesToReview } from './exemption-entries.ts';
import { configurationJsonSchema } from './json-schema.ts';
import { isOffEverywhere } from './modes.ts';
import { problemsOf } from './problems.ts';
import { apiVersion, type ConfigurationFile, configurationSchema } from './schema.ts';

export type { WriteContext } from './bind.ts';

export interface Configuration {
  readonly profile: Profile;
  readonly namespaceProfiles: ConfigurationFile['namespaceProfiles'];
  readonly secrets: ConfigurationFile['secrets'];
  readonly privacy: ConfigurationFile['privacy'];
  readonly protectedNamespaces: readonly string[];
  readonly graceMs: number;
  /** Without a slash at its end; empty if the pages are published nowhere. */
  readonly docsBaseUrl: string;
  /** Kinds with a Pod template beside the built-in ones. */
  readonly workloads: readonly WorkloadKind[];
  /** All rules that are not off everywhere. */
  readonly rules: readonly ConfiguredRule[];
  /** As it was written, with the defaults. */
  readonly file: ConfigurationFile;
  bind(context: WriteContext): BoundSettings;
  /**
   * Entries of `exemptions.list` that somebody should look at. `needed` is what a survey of the whole cluster has needed of
   * them, all its `Surveyed.entries`: without it, none is called unused.
   */
  entriesToReview(nowMs: number, needed?: ReadonlySet<string>): readonly EntryToReview[];
}

/** What holds without a configuration file. */
export const defaultConfigurationFile: RawObject = { apiVersion };

/** Throws an OperatorError PC0003 that lists every problem, one line each. */
export function parseConfiguration(raw: unknown, rules: readonly Rule[]): Configuration {
  const parsed = configurationSchema(rules.map(({ meta }) => meta.id)).safeParse(raw);
  const { secrets, dns } = parsed.data ?? {};
  const shared = {
    expectedSecrets: secrets?.expected ?? [],
    protectedNamespaces: parsed.data?.protectedNamespaces,
    resolver: dns?.resolver,
    dnsNodeAddresses: dns?.nodeAddresses,
  };
  const results = rules.map((rule) => configured(rule, raw, shared));
  const failures = [{ issues: parsed.error?.issues ?? [], path: [] }, ...results.filter((result) => 'issues' in result)];
  if (!parsed.success || failures.length > 1 || hiddenKeys(raw).length > 0) throw invalid(raw, rules, failures);
  return configurationOf(
    parsed.data,
    rules,
    results.flatMap((result) => ('rule' in result ? result.rule : [])),
  );
}

interface Failure {
  readonly issues: z.ZodError['issues'];
  /** Where the value that was checked stands. */
  readonly path: FieldPath;
}

function configured(rule: Rule, raw: unknown, shared: Shared): Failure | { readonly rule: ConfiguredRule } {
  const path = ['rules', rule.meta.id, 'options'];
  try {
    return { rule: rule.configure(valueAt(raw, path), shared) };
  } catch (error) {
    if (error instanceof z.ZodError) return { issues: error.issues, path };
    throw error;
  }
}

function invalid(raw: unknown, rules: readonly Rule[], failures: readonly Failure[]): OperatorError {
  const schema = configurationJsonSchema(rules);
  const problems = failures.flatMap(({ issues, path }) => problemsOf(issues, path, { raw, schema }));
  const lines = [...problems, ...hiddenKeys(raw)];
  const message = `${lines.length === 1 ? 'one problem' : `${lines.length} problems`} in the configuration:\n${lines.join('\n')}`;
  return new OperatorError('PC0003', message, 'Correct these lines; docs/configuration.md lists every key.');
}

/** A value in the file and the one that holds it. */
interface Step {
  readonly value: unknown;
  readonly key: string | number;
  readonly parent: Step | undefined;
}

/** Keys that zod passes over in a map, which would make a selector wider than it was written. No recursion: files can be deep. */
function hiddenKeys(raw: unknown): readonly string[] {
  const found: string[] = [];
  const seen = new Set<unknown>();
  const left: Step[] = [{ value: raw, key: '', parent: undefined }];
  for (let step = left.pop(); step !== undefined; step = left.pop()) {
    const { value } = step;
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (Object.hasOwn(value, '__proto__')) found.push(`${formatPath([...pathOf(step), '__proto__'])}: unknown key`);
    for (const [key, content] of Object.entries(value))
      left.push({ value: content, key: Array.isArray(value) ? Number(key) : key, parent: step });
  }
  return found;
}

function pathOf(step: Step): FieldPath {
  const path: (string | number)[] = [];
  for (let at: Step = step; at.parent !== undefined; at = at.parent) path.push(at.key);
  return path.toReversed();
}

function configurationOf(file: ConfigurationFile, all: readonly Rule[], configuredRules: readonly ConfiguredRule[]): Configuration {
  const { profile, namespaceProfiles, secrets, privacy, protectedNamespaces } = file;
  const rules = configuredRules.filter(({ meta, messages }) => !isOffEverywhere(messages, file.rules[meta.id], file));
  return {
    profile,
    namespaceProfiles,
    secrets,
    privacy,
    protectedNamespaces,
    graceMs: durationMs(file.grace) as number,
    docsBaseUrl: file.docsBaseUrl.replace(/\/$/, ''),
    workloads: file.workloads.map((one) => ({ ...one, template: one.template.split('.') })),
    rules,
    file,
    bind: binder(file, rules, new Set(all.map(({ meta }) => meta.id))),
    entriesToReview: (now, needed) =>
      entriesToReview(file.exemptions.list, { now, running: new Set(rules.map(({ meta }) => meta.id)), needed }),
  };
}
