/** What a rule is. A rule detects and yields findings; text is made by its messages from facts. */
import type { Elsewhere } from '../cluster/elsewhere.ts';
import type { DnsSettings } from '../cluster/resolver.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Wanted } from '../cluster/wanted.ts';
import { type FieldPath, valueAt, withoutIndices } from '../kube/field-path.ts';
import { type Collection, formatRef, type Judged, type JudgedResource, type Kind, type ObjectRef, refOf } from '../kube/resources.ts';
import type { ExemptionFact } from './exemption-fact.ts';
import type { Explanation, Facts, Finding, Severity } from './finding.ts';
import type { Mode } from './mode.ts';

export type OrderClass = 'self-contained' | 'exclusive' | 'backward' | 'forward' | 'destructive';

/** What the rule misses may still be applied. */
export const waitsForOthers = (orderClass: OrderClass): boolean => orderClass === 'forward' || orderClass === 'backward';

/** Ids of those whose findings a later object may repair. */
export const rulesThatWait = (rules: readonly Pick<ConfiguredRule, 'meta'>[]): ReadonlySet<string> =>
  new Set(rules.filter(({ meta }) => waitsForOthers(meta.orderClass)).map(({ meta }) => meta.id));

export interface RuleMeta {
  /** The subject, then the defect, as a statement: `service-selector-matches-no-pods`. Never reused once released. */
  readonly id: string;
  /** The kinds of object that this rule judges. */
  readonly kinds: readonly Kind[];
  /** Which of its referents are applied before, after or beside it (rules.md B): softens dry-runs, asks for a live look. */
  readonly orderClass: OrderClass;
  /** What holds when nothing is wrong, in one sentence without a full stop. Heads the docs page. */
  readonly summary: string;
  /** Collections that this rule looks up. A test holds them equal to what it really reads. */
  readonly reads: readonly Collection[];
  /** Those of them on which a denial rests, to be read live before it; all, if left out. */
  readonly confirms?: readonly Collection[];
  /** Judges the removal of an object too: what the cluster is without it. */
  readonly judgesDelete?: boolean;
  /** Guards what everybody depends on: runs on writes in protected namespaces, where other rules do not. */
  readonly guardsSystem?: boolean;
  /** Judges how the object is exempted from the other rules: runs last, and wherever one of them may. */
  readonly judgesExemptions?: boolean;
  /** Cannot be judged at admission, since the API server has settled it before: files only. */
  readonly offlineOnly?: boolean;
  readonly since: string;
}

/** One way in which a rule can be broken. Severity and verdict belong here: a rule may know a grave case and a mild one. */
export interface Message<Data> {
  readonly severity: Severity;
  /** Verdict by profile; `observe` is audit for all. */
  readonly modes: { readonly guided: Mode; readonly strict: Mode };
  readonly facts: Facts;
  readonly text: (data: Data) => Explanation;
  /** Where the defect is not the value at the path: what it consists of. */
  readonly defects?: (data: Data) => readonly string[];
  /** What the view lacks for a verdict: with it, another message would have stood here, or none. */
  readonly lacks?: (data: Data) => readonly Collection[];
  /**
   * What is there shows the mistake, so that it stands though the view holds a part only (`partial`): something that is
   * all but called so, or the very thing elsewhere.
   */
  readonly isEvident?: (data: Data) => boolean;
  /** A dry-run denies as a real write does, whatever the order class says. */
  readonly deniesDryRun?: boolean;
}
// biome-ignore lint/suspicious/noExplicitAny: messages of different data stand in one record; each is typed where it is used
export type Messages = Readonly<Record<string, Message<any>>>;

/** How the object comes to the rule: written in full, or about to be removed. */
export type Operation = 'WRITE' | 'DELETE';

/** Whether a rule has anything to say of such a write. */
export const judges = ({ kinds, judgesDelete, judgesExemptions }: RuleMeta, kind: Kind, operation: Operation): boolean =>
  kinds.includes(kind) && (operation !== 'DELETE' || judgesDelete === true || judgesExemptions === true);

/** What a rule is run on. */
export interface Subject<K extends Kind = Kind> {
  readonly object: Judged[K];
  readonly operation: Operation;
  /** The cluster before this write, where there is one, made when asked for: for rules about what a write breaks. */
  readonly before: (() => ClusterView) | undefined;
}

/** What the rule about exemptions needs to know beside the object. */
export interface ExemptionContext {
  /** What an object's annotations that exempt are worth: asked anew of each edit that is tried. */
  readonly factsOf: (object: JudgedResource) => readonly ExemptionFact[];
  /** Ids of the rules that have come to their end on the object, have found nothing, and would find nothing in its removal. */
  readonly clean: ReadonlySet<string>;
  /** The object is judged as it stands, with nobody writing. */
  readonly isSurvey: boolean;
}

/** Settings that are not one rule's alone. */
export interface Shared extends DnsSettings {
  /** Names, or globs, of Secrets that something outside the view brings (a replicator): never missing. */
  readonly expectedSecrets: readonly string[];
  /** In which only the rules that guard the whole cluster run. */
  readonly protectedNamespaces?: readonly string[] | undefined;
}

export interface RuleContext<K extends Kind, O, M extends Messages> extends Subject<K> {
  /** The cluster after this write. Ends the rule where it does not know. */
  readonly cluster: ClusterView;
  /** The same without that, and without leave to conclude from absence: for explanations. */
  readonly known: ClusterView;
  /** What the reader may know of the cluster's other namespaces, for explanations; undefined where he has not been named. */
  readonly elsewhere: Elsewhere | undefined;
  /** Judged from files: no API server has seen the object, so what it would refuse is for the rule to say. */
  readonly offline: boolean;
  /** The object is judged as it stands, with nobody writing: nothing comes later in the same apply. */
  readonly isSurvey: boolean;
  /** Undefined where there are no settings that could exempt. */
  readonly exemptions: ExemptionContext | undefined;
  readonly options: O;
  readonly shared: Shared;
  /** Makes a finding about one field: which message, with which facts, and which other objects are involved. */
  readonly finding: <Id extends keyof M & string>(
    messageId: Id,
    path: FieldPath,
    data: Parameters<M[Id]['text']>[0],
    related?: readonly ObjectRef[],
  ) => Draft;
}

/** What a rule has detected, not told yet: of ten thousand ports that lead nowhere few are explained. */
export interface Draft extends Pick<Finding, 'ruleId' | 'messageId' | 'path'> {
  readonly isEvident: boolean;
  explained(): Explained;
}

/** A finding whose fixes have not been tried yet. */
export interface Explained extends Omit<Finding, 'fix'> {
  readonly fixes: Explanation['fixes'];
}

export interface RuleDefinition<K extends Kind, O, M extends Messages> extends RuleMeta {
  readonly kinds: readonly K[];
  /** A zod schema; the engine only needs `parse`. */
  readonly options: { parse(value: unknown): O };
  readonly messages: M;
  /** Objects to read by name before the check; the shell reads them within the deadline, rules stay pure. */
  fetches?(object: Judged[K], known: ClusterView, options: O): readonly Wanted[];
  /** The object written in another way that means the same: what is wrong there was wrong in the object too, for the ratchet. */
  otherwise?(object: Judged[K]): Judged[K] | undefined;
  /** Keys of annotations that the rule reads; a snapshot holds no others. */
  annotations?(options: O): readonly string[];
  /** Prefixes of annotations of which the rule reads the keys alone; a snapshot holds them without their values. */
  readonly annotationPrefixes?: readonly string[];
  check(context: RuleContext<K, O, M>): Iterable<Draft>;
}

/** A rule with its types erased, as the registry holds it. */
export interface Rule {
  readonly meta: RuleMeta;
  readonly messages: Messages;
  /** The schema of the options, for documentation and the configuration's schema. */
  readonly options: unknown;
  /** Checks the options once, when the configuration is loaded; throws a ZodError if they are not valid. */
  configure(options?: unknown, shared?: Shared): ConfiguredRule;
}

export interface ConfiguredRule {
  readonly meta: RuleMeta;
  readonly messages: Messages;
  /** Keys of annotations that the rule reads. */
  readonly annotations: readonly string[];
  /** Prefixes of annotations of which it reads the keys alone. */
  readonly annotationPrefixes: readonly string[];
  fetches(object: Judged[Kind], known: ClusterView): readonly Wanted[];
  /** The object written in another way that means the same; left out by most rules. */
  otherwise?(object: JudgedResource): JudgedResource | undefined;
  /** Pure: same subject and cluster, same findings. A throw is a bug in the rule, except `NotKnown`. */
  check(subject: Subject, cluster: ClusterView, around: Around): Iterable<Draft>;
}

/** What a rule is told beside its subject and the cluster; see RuleContext. */
export interface Around {
  readonly known: ClusterView;
  readonly elsewhere: Elsewhere | undefined;
  readonly offline?: boolean;
  readonly isSurvey?: boolean;
  readonly exemptions?: ExemptionContext | undefined;
}

/** Gives a rule definition its identity: `definition.kinds` decides which objects reach `check`. */
export function defineRule<K extends Kind, O, M extends Messages>(definition: RuleDefinition<K, O, M>): Rule {
  const { options: schema, messages, check, fetches, otherwise, annotations, annotationPrefixes = [], ...meta } = definition;
  return {
    meta,
    messages,
    options: schema,
    configure(given = {}, shared = { expectedSecrets: [] }) {
      const options = schema.parse(given);
      return {
        meta,
        messages,
        annotations: annotations?.(options) ?? [],
        annotationPrefixes,
        fetches: (object, known) =>
          meta.kinds.some((kind) => kind === object.kind) ? (fetches?.(object as Judged[K], known, options) ?? []) : [],
        ...(otherwise && { otherwise: (object: JudgedResource) => otherwise(object as Judged[K]) }),
        check: (subject, cluster, { known, elsewhere, offline = false, isSurvey = false, exemptions }) => {
          const { object, operation, before } = subject as Subject<K>;
          const finding = drafter(meta.id, messages, object);
          return check({ object, operation, before, cluster, known, elsewhere, offline, isSurvey, exemptions, options, shared, finding });
        },
      };
    },
  };
}

const drafter =
  (ruleId: string, messages: Messages, object: Judged[Kind]) =>
  (messageId: string, path: FieldPath, data: unknown, related: readonly ObjectRef[] = []): Draft => {
    const message = messages[messageId] as Message<unknown>;
    const isEvident = message.isEvident?.(data) ?? false;
    return { ruleId, messageId, path, isEvident, explained: () => explained(message, { ruleId, messageId, path, data, related, object }) };
  };

interface Detected extends Pick<Finding, 'ruleId' | 'messageId' | 'path' | 'related'> {
  readonly data: unknown;
  readonly object: Judged[Kind];
}

function explained({ severity, facts, text, defects, lacks }: Message<unknown>, detected: Detected): Explained {
  const { ruleId, messageId, path, data, related, object } = detected;
  const { what, why, fixes } = text(data);
  const subject = refOf(object);
  const own = defects?.(data);
  const place = [ruleId, messageId, formatRef(subject), withoutIndices(path)];
  const fingerprint = JSON.stringify([...place, own ?? valueAt(object, path)]);
  const consistsOf = own === undefined ? [fingerprint] : own.map((defect) => JSON.stringify([ruleId, messageId, defect]));
  const missing = lacks?.(data) ?? [];
  const finding = { ruleId, messageId, severity, facts, subject, path, what, why, fixes, related, fingerprint, defects: consistsOf };
  return missing.length === 0 ? finding : { ...finding, lacks: missing };
}
