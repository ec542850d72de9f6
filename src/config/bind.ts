/** Configuration × one write → which rules run, and what becomes of their findings. */
import { clearsAway } from '../engine/clears-away.ts';
import type { Settings } from '../engine/review.ts';
import { type ConfiguredRule, judges } from '../engine/rule.ts';
import { labelsOf } from '../kube/labels.ts';
import type { Access } from '../kube/requester.ts';
import type { JudgedResource, Labels } from '../kube/resources.ts';
import { type Claim, exemptionFinder, type MatchingEntry } from './exemptions.ts';
import { configuredMode, modeOf, profileOf } from './modes.ts';
import type { ConfigurationFile } from './schema.ts';

/** What a write brings with it that settings depend on. */
export interface WriteContext {
  /** As it will be; of a DELETE, as it was. */
  readonly object: JudgedResource;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly namespaceLabels: Labels;
  /** Nobody in `check` and in the audit. */
  readonly user?: { readonly username: string; readonly groups: readonly string[] };
  /** Epoch milliseconds. */
  readonly now: number;
  readonly before?: JudgedResource;
  /** By rule id, whether the user may exempt from it, as far as that was asked. */
  readonly rights?: ReadonlyMap<string, Access>;
  /** In a file, which no API server has seen: the rules that are for files only run too. */
  readonly offline?: boolean;
}

export interface BoundSettings extends Settings {
  /** What runs for this write. */
  readonly rules: readonly ConfiguredRule[];
  /** Annotations that exempt only if the user has a right to it. */
  readonly claims: readonly Claim[];
  /** Entries of the configuration and labels that have no effect, and why; one line each. */
  readonly notices: readonly string[];
  /** Entries of the configuration that exempt the object. */
  readonly entries: readonly MatchingEntry[];
}

const nothing = labelsOf({});

/** Prepares everything that does not depend on the write. `known` are the ids of all rules, those that are off included. */
export function binder(file: ConfigurationFile, rules: readonly ConfiguredRule[], known: ReadonlySet<string>) {
  const configuredModes = new Map([...known].map((id) => [id, configuredMode(file.rules[id])]));
  const notExemptable = new Set([...known].filter((id) => file.rules[id]?.exemptable === false));
  const exemptionsOf = exemptionFinder({ ...file.exemptions, known, notExemptable });

  return ({ object, operation, namespaceLabels, user, now, before, rights = new Map(), offline = false }: WriteContext): BoundSettings => {
    const { namespace: name, annotations } = object.metadata;
    const namespace = { name, labels: namespaceLabels };
    const { profile, notice } = profileOf(file, namespace);
    const guarded = file.protectedNamespaces.includes(name);

    const mode: (ruleId: string, message: Parameters<Settings['modeOf']>[1]) => ReturnType<Settings['modeOf']> = (ruleId, message) => {
      const configured = configuredModes.get(ruleId)?.(namespace);
      const verdict = modeOf(message, profile, configured);
      const mayDeny = operation !== 'DELETE' || (configured === 'deny' && !clearsAway.has(user?.username ?? ''));
      return verdict === 'deny' && !mayDeny ? 'warn' : verdict;
    };
    const runs = ({ meta, messages }: ConfiguredRule): boolean =>
      judges(meta, object.kind, operation === 'DELETE' ? 'DELETE' : 'WRITE') &&
      (offline || meta.offlineOnly !== true) &&
      (!guarded || meta.guardsSystem === true || meta.judgesExemptions === true) &&
      Object.values(messages).some((message) => mode(meta.id, message) !== 'off');

    const running = rules.filter(runs);
    const ruleIds = running.map(({ meta }) => meta.id);
    const exemptions = exemptionsOf({
      namespace,
      name: object.metadata.name,
      annotations,
      annotationsBefore: operation === 'DELETE' ? annotations : (before?.metadata.annotations ?? nothing),
      username: user?.username,
      now,
      ruleIds,
      rights,
    });
    return {
      rules: running,
      claims: exemptions.claims,
      notices: [...(notice === undefined ? [] : [notice]), ...exemptions.notices],
      entries: exemptions.entries,
      factsOf: (judged) => exemptions.factsOf(judged.metadata.annotations),
      modeOf: ({ ruleId }, message) => mode(ruleId, message),
      exemptionOf: ({ ruleId }, isNew) => {
        const exemption = exemptions.byRule.get(ruleId);
        return exemption?.ofOldOnly && isNew ? undefined : exemption?.reason;
      },
    };
  };
}
