/** Which rules may deny more, and where: from what would be denied, the smallest change of the configuration and of labels. */
import { type Profile, profiles } from '../engine/mode.ts';
import type { Rule } from '../engine/rule.ts';
import { configuredMode, modeOf, profileLabel, profileOf } from './modes.ts';
import type { NamespaceFacts } from './namespaces.ts';
import type { ConfigurationFile, RuleSettings } from './schema.ts';

/** `observe` denies nothing. */
export type Target = Exclude<Profile, 'observe'>;

/** What is known of one rule in one namespace: whether all that it judges there would pass. */
export type Evidence = 'clean' | 'denied' | 'unjudged' | 'nothing';

export interface RaiseInput {
  readonly file: ConfigurationFile;
  readonly target: Target;
  readonly rules: readonly Rule[];
  /** Those that were looked at. */
  readonly namespaces: readonly NamespaceFacts[];
  /** There are no other namespaces, and no objects in them but those that were judged. */
  readonly whole: boolean;
  readonly evidence: (ruleId: string, namespace: string) => Evidence;
}

type RulePatch = { readonly mode?: 'deny'; readonly overrides?: RuleSettings['overrides'] };

export interface Raise {
  readonly profile?: Target;
  /** By rule id. As in a Helm values file, a list takes the place of the one that was there. */
  readonly rules: ReadonlyMap<string, RulePatch>;
  /** Namespaces to give the label `portcullis.dev/profile`. */
  readonly labelled: readonly string[];
}

/** Evidence, or why none is asked for: `raised` denies already, `apart` is off or protected. */
type Cell = Evidence | 'raised' | 'apart';

/** The file as it would be if all were denied that the profile denies, whatever a label or a rule's mode says; what is off stays off. */
export function asIf(file: ConfigurationFile, target: Target): ConfigurationFile {
  const profiled = { ...file, profile: target, namespaceProfiles: 'ignore' as const };
  if (target === 'guided') return profiled;
  const lifted = Object.entries(file.rules).map(([id, settings]) => [id, settings && denying(settings)]);
  return { ...profiled, rules: Object.fromEntries(lifted) as ConfigurationFile['rules'] };
}

const denying = (settings: RuleSettings): RuleSettings => ({
  ...settings,
  mode: settings.mode === 'off' ? 'off' : 'deny',
  overrides: settings.overrides.map((one) => (one.mode === 'off' ? one : { ...one, mode: 'deny' })),
});

/**
 * Whether the profile denies a message of the rule, so that there is anything to raise. What a change or a removal breaks, a
 * look at what stands does not show: no such rule is proposed.
 */
export const canDeny = ({ meta, messages }: Rule, target: Target): boolean =>
  meta.orderClass !== 'destructive' && Object.values(messages).some(({ modes }) => modes[target] === 'deny');

/** Proposes nothing for what could not be judged. The whole cluster before namespaces, a profile before single rules. */
export function raiseOf(input: RaiseInput): Raise {
  const { target, whole } = input;
  const rows = input.rules.filter((rule) => canDeny(rule, target)).map((rule) => rowOf(rule, input));
  const everywhere = rows.filter((row) => whole && isCleanEverywhere(row) && (target === 'guided' || row.settings?.mode !== 'off'));
  const waiting = rows.filter((row) => !everywhere.includes(row) && row.cells.some((cell) => askedFor.has(cell)));
  const isEnough = whole && everywhere.length > 0 && waiting.length === 0 && movesAll(input);
  const profile = isEnough ? target : undefined;
  if (target === 'guided') {
    const labelled = profile === undefined ? labels(rows, input) : [];
    return { ...(profile && { profile }), rules: new Map(), labelled };
  }
  const single = profile === undefined ? everywhere : everywhere.filter(({ settings }) => hasModes(settings));
  const labelled = profile === undefined ? labels(waiting, input) : [];
  const global = single.map(({ rule, settings }) => [rule.meta.id, denyingEverywhere(settings)] as const);
  const local = waiting.flatMap((row) => overridesFor(row, input.namespaces, new Set(labelled)));
  return { ...(profile && { profile }), rules: new Map<string, RulePatch>([...global, ...local]), labelled };
}

/** Where there is something to decide. */
const askedFor: ReadonlySet<Cell> = new Set(['clean', 'denied', 'unjudged']);

/** Whether the profile of the cluster becomes that of each namespace: a label may choose another. */
const movesAll = ({ file, target, namespaces }: RaiseInput): boolean =>
  isStricter(target, file.profile) &&
  namespaces.every((namespace) => profileOf({ ...file, profile: target }, namespace).profile === target);

const isStricter = (a: Profile, b: Profile): boolean => profiles.indexOf(a) > profiles.indexOf(b);

/** A rule in all the namespaces, in their order. */
interface Row {
  readonly rule: Rule;
  readonly settings: RuleSettings | undefined;
  readonly cells: readonly Cell[];
}

function rowOf(rule: Rule, { file, target, namespaces, evidence }: RaiseInput): Row {
  const settings = file.rules[rule.meta.id];
  const modeIn = configuredMode(settings);
  const deniable = Object.values(rule.messages).filter(({ modes }) => modes[target] === 'deny');
  const cellIn = (namespace: NamespaceFacts): Cell => {
    const configured = modeIn(namespace);
    if (configured === 'off' || (file.protectedNamespaces.includes(namespace.name) && rule.meta.guardsSystem !== true)) return 'apart';
    const { profile } = profileOf(file, namespace);
    if (deniable.every((message) => modeOf(message, profile, configured) === 'deny')) return 'raised';
    // The profile would not move it: only a change of the rule's own mode, which is for `strict`.
    if (target === 'guided' && configured !== undefined) return 'apart';
    return evidence(rule.meta.id, namespace.name);
  };
  return { rule, settings, cells: namespaces.map(cellIn) };
}

const isCleanEverywhere = ({ cells }: Row): boolean => cells.includes('clean') && !cells.includes('denied') && !cells.includes('unjudged');

const hasModes = (settings: RuleSettings | undefined): boolean =>
  settings !== undefined && (settings.mode !== undefined || settings.overrides.length > 0);

/** What is off stays off, so entries before it still have to win over it; those after the last one say what the mode says. */
function denyingEverywhere(settings: RuleSettings | undefined): RulePatch {
  const overrides = settings?.overrides ?? [];
  const kept = overrides.slice(0, overrides.findLastIndex(({ mode }) => mode === 'off') + 1);
  const changed = overrides.some(({ mode }) => mode !== 'off');
  return { mode: 'deny', ...(changed && { overrides: kept.map((one) => (one.mode === 'off' ? one : { ...one, mode: 'deny' as const })) }) };
}

/** The API server gives every Namespace this label (KEP-2161); of one that may not be read, no labels are known. */
const isThere = ({ labels: given }: NamespaceFacts): boolean => given['kubernetes.io/metadata.name'] !== undefined;

/** Namespaces in which nothing stands against the profile, and the label has an effect on something. */
function labels(rows: readonly Row[], { file, target, namespaces }: RaiseInput): readonly string[] {
  if (file.namespaceProfiles === 'ignore') return [];
  const fits = (namespace: NamespaceFacts, index: number): boolean => {
    const moved = rows.some(({ cells, settings }) => cells[index] === 'clean' && configuredMode(settings)(namespace) === undefined);
    return (
      moved &&
      isThere(namespace) &&
      namespace.labels[profileLabel] === undefined &&
      isStricter(target, profileOf(file, namespace).profile) &&
      !file.protectedNamespaces.includes(namespace.name) &&
      rows.every(({ cells }) => cells[index] !== 'denied' && cells[index] !== 'unjudged')
    );
  };
  return namespaces.filter(fits).map(({ name }) => name);
}

/** The first entry that matches wins: the new one goes before those that are there. */
function overridesFor({ rule, settings, cells }: Row, namespaces: readonly NamespaceFacts[], labelled: ReadonlySet<string>) {
  const modeIn = configuredMode(settings);
  const byLabel = (namespace: NamespaceFacts): boolean => labelled.has(namespace.name) && modeIn(namespace) === undefined;
  const clean = namespaces.filter((namespace, index) => cells[index] === 'clean' && !byLabel(namespace)).map(({ name }) => name);
  if (clean.length === 0) return [];
  const overrides: RuleSettings['overrides'] = [{ namespaces: clean, mode: 'deny' }, ...(settings?.overrides ?? [])];
  return [[rule.meta.id, { overrides }] as const];
}

/** The file after the change. */
export function withRaise(file: ConfigurationFile, { profile, rules }: Raise): ConfigurationFile {
  const changed = [...rules].map(([id, patch]) => [id, { exemptable: true, overrides: [], ...file.rules[id], ...patch }]);
  return { ...file, ...(profile && { profile }), rules: { ...file.rules, ...Object.fromEntries(changed) } };
}
