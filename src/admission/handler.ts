/** One AdmissionReview → its answer, and what is to be counted and logged. Clock, cluster and configuration are handed in. */
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Read } from '../cluster/view.ts';
import type { Fault } from '../engine/evaluate.ts';
import type { Finding } from '../engine/finding.ts';
import { afterLiveLook, type Decision, type ReviewOptions, review, type Settings, type Write } from '../engine/review.ts';
import type { ConfiguredRule } from '../engine/rule.ts';
import { labelsOf } from '../kube/labels.ts';
import { formatRef, type JudgedResource, type Labels, type ObjectRef, type Resource } from '../kube/resources.ts';
import { type Asked, decode, type PassReason } from './request.ts';
import { type Answer, allow, allowUnread, encode } from './response.ts';

/** The settings that hold for one write. */
export interface BoundSettings extends Settings {
  /** The rules that run for it, and no others. */
  readonly rules: readonly ConfiguredRule[];
  /** What its user should know about the settings: an exemption that has expired. */
  readonly notices: readonly string[];
}

/** The part of the configuration that a review needs. One review uses one configuration from start to end. */
export interface ReviewConfiguration {
  readonly docsBaseUrl: string;
  bind(context: {
    readonly object: JudgedResource;
    readonly operation: Write['operation'];
    readonly namespaceLabels: Labels;
    readonly user: Asked['user'];
    readonly now: number;
    readonly before?: JudgedResource;
  }): BoundSettings;
}

export interface Ports {
  snapshot(): ClusterSnapshot;
  readByName(refs: readonly ObjectRef[], signal: AbortSignal): Promise<ReadonlyMap<string, Resource | 'absent' | 'unknown'>>;
  confirm(reads: readonly Read[], signal: AbortSignal): Promise<ClusterSnapshot | undefined>;
  configuration(): ReviewConfiguration;
  /** Whether texts may tell of namespaces other than the object's. */
  tellsOfOthers(): boolean;
  /** Epoch milliseconds. */
  now(): number;
}

/** The time that is left for one review. */
export interface Deadline {
  remainingMs(): number;
  /** Aborts after this time. */
  signal(ms: number): AbortSignal;
}

export type Handled =
  /** No answer can be formed: the request is malformed. */
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'passed'; readonly asked: Asked; readonly reason: PassReason; readonly answer: Answer }
  | { readonly outcome: 'unreadable'; readonly asked: Asked; readonly answer: Answer }
  | { readonly outcome: 'judged'; readonly asked: Asked; readonly decision: Decision; readonly answer: Answer };

const maxFetches = 10;
const maxLookMs = 1000;

/** Judges the body of a POST, parsed. Rejects only if the shell's ports do: no rule's fault ends here. */
export async function handle(body: unknown, deadline: Deadline, ports: Ports): Promise<Handled> {
  const decoded = decode(body);
  if (decoded.to === 'refuse') return { outcome: 'refused' };
  const { asked } = decoded;
  if (decoded.to === 'pass') return { outcome: 'passed', asked, reason: decoded.reason, answer: allow(asked) };
  if (decoded.to === 'unreadable') return { outcome: 'unreadable', asked, answer: allowUnread(asked) };
  const { write } = decoded;
  const snapshot = ports.snapshot();
  const namespace = snapshot.get('Namespace', '', subjectOf(write).metadata.namespace);
  // Of a namespace that is emptied, nothing that points at the object will remain either.
  if (write.operation === 'DELETE' && namespace?.metadata.deletionTimestamp !== undefined)
    return { outcome: 'passed', asked, reason: 'namespace-terminating', answer: allow(asked) };

  const configuration = ports.configuration();
  const settings = configuration.bind(contextOf(write, asked, namespace?.metadata.labels ?? labelsOf({}), ports.now()));
  const options = { settings, tellsOfOthers: ports.tellsOfOthers(), outOfTime: () => deadline.remainingMs() <= 0 };
  const decision = await judge(snapshot, { write, settings, options, deadline, ports });
  const answer = encode(asked, decision, circumstances(snapshot, settings, configuration));
  return { outcome: 'judged', asked, decision, answer };
}

const subjectOf = (write: Write): JudgedResource => (write.operation === 'DELETE' ? write.before : write.after);

const contextOf = (write: Write, { user }: Asked, namespaceLabels: Labels, now: number) => ({
  object: subjectOf(write),
  operation: write.operation,
  namespaceLabels,
  user,
  now,
  ...(write.operation === 'UPDATE' ? { before: write.before } : {}),
});

function circumstances(snapshot: ClusterSnapshot, { rules, notices }: BoundSettings, { docsBaseUrl }: ReviewConfiguration) {
  const staleMsOf = (ruleId: string): number => staleMs(rules.find(({ meta }) => meta.id === ruleId));
  const staleMs = (rule: ConfiguredRule | undefined): number =>
    Math.max(0, ...(rule?.meta.reads ?? []).map((collection) => snapshot.staleMs(collection)));
  return { notices, docsBaseUrl, staleMsOf, staleMs: Math.max(0, ...rules.map(staleMs)) };
}

/** A review in progress. */
interface Task {
  readonly write: Write;
  readonly settings: BoundSettings;
  readonly options: ReviewOptions;
  readonly deadline: Deadline;
  readonly ports: Ports;
}

async function judge(snapshot: ClusterSnapshot, task: Task): Promise<Decision> {
  const { write, settings, options, deadline, ports } = task;
  const { refs, faults } = wanted(write, snapshot, settings.rules);
  // Half of the time at most: the rules that need nothing read must have theirs.
  const fetched = refs.length === 0 ? undefined : await ports.readByName(refs, deadline.signal(lookMs(deadline.remainingMs() / 2)));
  const first = review(write, withFetched(snapshot, fetched), settings.rules, options);
  const decision = first.denials.length === 0 ? first : await confirmed(first, fetched, task);
  return faults.length === 0 ? decision : { ...decision, faults: [...faults, ...decision.faults] };
}

const lookMs = (ms: number): number => Math.max(0, Math.min(maxLookMs, ms));

/** What the rules want read by name before they run. One that throws here is a fault like one that throws later. */
function wanted(write: Write, snapshot: ClusterSnapshot, rules: readonly ConfiguredRule[]) {
  const refs = new Map<string, ObjectRef>();
  const faults: Fault[] = [];
  for (const rule of rules) {
    try {
      for (const ref of rule.fetches(subjectOf(write), snapshot)) refs.set(formatRef(ref), ref);
    } catch (cause) {
      faults.push({ ruleId: rule.meta.id, cause });
    }
  }
  return { refs: [...refs.values()].slice(0, maxFetches), faults };
}

type Fetched = Awaited<ReturnType<Ports['readByName']>> | undefined;

const withFetched = (snapshot: ClusterSnapshot, fetched: Fetched): ClusterSnapshot =>
  fetched === undefined ? snapshot : snapshot.knowing({ fetched });

/**
 * The denials that stand after a live look (reliability.md E4). What was read by name for this review has just been looked
 * at. A second look that could not be judged to its end has confirmed nothing.
 */
async function confirmed(first: Decision, fetched: Fetched, { write, settings, options, deadline, ports }: Task): Promise<Decision> {
  const reads = first.toConfirm.filter((read) => !wasFetched(read, fetched));
  if (reads.length === 0) return { ...first, toConfirm: [] };
  const view = await ports.confirm(reads, deadline.signal(lookMs(deadline.remainingMs())));
  const denying = new Set(first.denials.map(({ ruleId }) => ruleId));
  const unsure = settings.rules.filter(({ meta }) => denying.has(meta.id) && meta.orderClass !== 'self-contained');
  const second = view && review(write, withFetched(view, fetched), unsure, options);
  if (second === undefined || second.skipped.length + second.faults.length > 0) return afterLiveLook(first, undefined, settings.rules);
  return withNewer(afterLiveLook(first, second, settings.rules), second, new Set(unsure.map(({ meta }) => meta.id)));
}

const wasFetched = ({ collection, namespace, name }: Read, fetched: Fetched): boolean =>
  name !== undefined && fetched?.has(formatRef({ apiVersion: '', kind: collection, namespace, name })) === true;

/** What the rules that looked twice say beside their denials is what they said last. */
function withNewer(decision: Decision, second: Decision, lookedTwice: ReadonlySet<string>): Decision {
  const keep = ({ finding }: { readonly finding: Finding }): boolean => !lookedTwice.has(finding.ruleId);
  return {
    ...decision,
    warnings: [...decision.warnings.filter(keep), ...second.warnings],
    audited: [...decision.audited.filter((finding) => keep({ finding })), ...second.audited],
    exempted: [...decision.exempted.filter(keep), ...second.exempted],
  };
}
