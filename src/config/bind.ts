/** Configuration × one write → which rules run, and what becomes of their findings. */
import type { Settings } from '../engine/review.ts';
import { type ConfiguredRule, judges } from '../engine/rule.ts';
import type { JudgedResource, Labels } from '../kube/resources.ts';
import { exemptionFinder } from './exemptions.ts';
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
  /** In a file, which no API server has seen: the rules that are for files only run too. */
  readonly offline?: boolean;
}

export interface BoundSettings extends Settings {
  /** What runs for this write. */
  readonly rules: readonly ConfiguredRule[];
  /** Exemptions and labels that have no effect, and why; one line each. */
  readonly notices: readonly string[];
}

/**
 * Who clears up after others: to deny them leaves a namespace terminating for ever. The last is what both are called
 * where the controller manager runs without `--use-service-account-credentials` and its kubeconfig is kubeadm's.
 */
const cleaners: ReadonlySet<string> = new Set([
  'system:serviceaccount:kube-system:namespace-controller',
  'system:serviceaccount:kube-system:generic-garbage-collector',
  'system:kube-controller-manager',
]);

/** Prepares everything that does not depend on the write. `known` are the ids of all rules, those that are off included. */
export function binder(file: ConfigurationFile, rules: readonly ConfiguredRule[], known: ReadonlySet<string>) {
  const configuredModes = new Map([...known].map((id) => [id, configuredMode(file.rules[id])]));
  const notExemptable = new Set([...known].filter((id) => file.rules[id]?.exemptable === false));
  const exemptionsOf = exemptionFinder({ ...file.exemptions, known, notExemptable });

  return ({ object, operation, namespaceLabels, user, now, offline = false }: WriteContext): BoundSettings => {
    const { namespace: name, annotations } = object.metadata;
    const namespace = { name, labels: namespaceLabels };
    const { profile, notice } = profileOf(file, namespace);
    const guarded = file.protectedNamespaces.includes(name);

    const mode: (ruleId: string, message: Parameters<Settings['modeOf']>[1]) => ReturnType<Settings['modeOf']> = (ruleId, message) => {
      const configured = configuredModes.get(ruleId)?.(namespace);
      const verdict = modeOf(message, profile, configured);
      const mayDeny = operation !== 'DELETE' || (configured === 'deny' && !cleaners.has(user?.username ?? ''));
      return verdict === 'deny' && !mayDeny ? 'warn' : verdict;
    };
    const runs = ({ meta, messages }: ConfiguredRule): boolean =>
      judges(meta, object.kind, operation === 'DELETE' ? 'DELETE' : 'WRITE') &&
      (offline || meta.offlineOnly !== true) &&
      (!guarded || meta.guardsSystem === true) &&
      Object.values(messages).some((message) => mode(meta.id, message) !== 'off');

    const running = rules.filter(runs);
    const ruleIds = running.map(({ meta }) => meta.id);
    const exemptions = exemptionsOf({ namespace, name: object.metadata.name, annotations, username: user?.username, now, ruleIds });
    return {
      rules: running,
      notices: [...(notice === undefined ? [] : [notice]), ...exemptions.notices],
      modeOf: ({ ruleId }, message) => mode(ruleId, message),
      exemptionOf: ({ ruleId }) => exemptions.reasons.get(ruleId),
    };
  };
}
