/** One AdmissionReview → its answer, and what is to be counted and logged. Clock, cluster and configuration are handed in. */

import { Requesting } from '../cluster/elsewhere.ts';
import { namespaceLabelsIn } from '../cluster/namespace-choice.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Found, Read } from '../cluster/view.ts';
import { eachOnce, type Wanted } from '../cluster/wanted.ts';
import type { Fault } from '../engine/evaluate.ts';
import type { Finding } from '../engine/finding.ts';
import { afterLiveLook, type Decision, type ReviewOptions, review, type Settings, type Write } from '../engine/review.ts';
import type { ConfiguredRule } from '../engine/rule.ts';
import type { Access } from '../kube/requester.ts';
import { formatRef, type JudgedResource, type Labels, type Namespace, type ObjectRef } from '../kube/resources.ts';
import { type Asked, decode, type PassReason } from './request.ts';
import { type Answer, allow, allowUnread, encode } from './response.ts';
import { type Claim, type MayList, type MayUse, rightsTo, rightsToList, rulesToAskFor } from './rights.ts';

/** The settings that hold for one write. */
export interface BoundSettings extends Settings {
  /** The rules that run for it, and no others. */
  readonly rules: readonly ConfiguredRule[];
  readonly claims: readonly Claim[];
  /** What its user should know about the settings: an entry that has expired. */
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
    readonly rights: ReadonlyMap<string, Access>;
  }): BoundSettings;
}

export interface Ports {
  snapshot(): ClusterSnapshot;
  readByName(refs: readonly ObjectRef[], signal: AbortSignal): Promise<ReadonlyMap<string, Found>>;
  confirm(reads: readonly Read[], signal: AbortSignal): Promise<ClusterSnapshot | undefined>;
  configuration(): ReviewConfiguration;
  readonly mayUse: MayUse;
  readonly mayList: MayList;
  /** Whether texts may tell everybody of namespaces other than the object's. */
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
/** The longest that one object may keep the process from everybody else's, in milliseconds (reliability.md D9). */
const maxAtOnceMs = 200;
/** The same for the rules that can refuse it: they need less of it, but where everything is slow no object gets through by its size. */
const maxToRefuseMs = 1000;

/** Judges the body of a POST, parsed. Rejects only if the shell's ports do: no rule's fault ends here. */
export async function handle(body: unknown, deadline: Deadline, ports: Ports): Promise<Handled> {
  const decoded = decode(body);
  if (decoded.to === 'refuse') return { outcome: 'refused' };
  const { asked } = decoded;
  if (decoded.to === 'pass') return { outcome: 'passed', asked, reason: decoded.reason, answer: allow(asked) };
  if (decoded.to === 'unreadable') return { outcome: 'unreadable', asked, answer: allowUnread(asked) };
  const { write } = decoded;
  const snapshot = await knowingNamespace(ports.snapshot(), write, deadline, ports);
  const namespace = namespaceIn(snapshot, write);
  // Of a namespace that is emptied nothing will remain, and what empties it takes finalizers off. Creations the API server refuses itself.
  if (write.operation !== 'CREATE' && namespace?.metadata.deletionTimestamp !== undefined)
    return { outcome: 'passed', asked, reason: 'namespace-terminating', answer: allow(asked) };

  const configuration = ports.configuration();
  const bound: Task['bound'] = (view, rights) => {
    const namespaceLabels = namespaceLabelsIn(view, subjectOf(write).metadata.namespace);
    return configuration.bind({ ...contextOf(write, asked), namespaceLabels, now: ports.now(), rights });
  };
  const unasked = { rights: new Map(), listings: new Map(), settings: bound(snapshot, new Map()) };
  const { decision, settings } = await judge(snapshot, {
    write,
    asked,
    bound,
    ...unasked,
    tellsOfOthers: ports.tellsOfOthers(),
    deadline,
    ports,
  });
  const answer = encode(asked, decision, circumstances(snapshot, settings, configuration));
  return { outcome: 'judged', asked, decision, answer };
}

const namespaceIn = (view: ClusterSnapshot, write: Write): Namespace | undefined =>
  view.get('Namespace', '', subjectOf(write).metadata.namespace);

const namespaceRead = (write: Write): Read => ({ collection: 'Namespace', namespace: '', name: subjectOf(write).metadata.namespace });

/**
 * The snapshot with the object's Namespace. What is written into a namespace made a moment ago may be here before the
 * Namespace is, whose labels say what is denied: then it is looked up, as the API server does for a namespaceSelector.
 */
async function knowingNamespace(snapshot: ClusterSnapshot, write: Write, deadline: Deadline, ports: Ports): Promise<ClusterSnapshot> {
  if (namespaceIn(snapshot, write) !== undefined || snapshot.coverage('Namespace', '') !== 'complete') return snapshot;
  return (await ports.confirm([namespaceRead(write)], deadline.signal(lookMs(deadline.remainingMs() / 2)))) ?? snapshot;
}

const subjectOf = (write: Write): JudgedResource => (write.operation === 'DELETE' ? write.before : write.after);

const contextOf = (write: Write, { user }: Asked) => ({
  object: subjectOf(write),
  operation: write.operation,
  user,
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
  readonly asked: Asked;
  /** By rule id, whether the writer may exempt from it; empty until that was asked. */
  readonly rights: ReadonlyMap<string, Access>;
  /** By `listingKey`, what of other namespaces the writer may list; empty until that was asked. */
  readonly listings: ReadonlyMap<string, Access>;
  readonly settings: BoundSettings;
  /** The settings with the Namespace's labels as this view has them. */
  readonly bound: (view: ClusterSnapshot, rights: Task['rights']) => BoundSettings;
  readonly tellsOfOthers: boolean;
  readonly deadline: Deadline;
  readonly ports: Ports;
}

/** The decision, and the settings that it came from. */
interface Judged {
  readonly decision: Decision;
  readonly settings: BoundSettings;
}

async function judge(snapshot: ClusterSnapshot, unasked: Task): Promise<Judged> {
  const { write, settings, deadline, ports } = unasked;
  const { refs, faults } = wanted(write, snapshot, settings.rules);
  // Half of the time at most: the rules that need nothing read must have theirs.
  const fetched = refs.length === 0 ? undefined : await ports.readByName(refs, deadline.signal(lookMs(deadline.remainingMs() / 2)));
  const { decision: first, task } = await permitted(withFetched(snapshot, fetched), unasked);
  const decision = first.denials.length === 0 ? first : await confirmed(first, fetched, task);
  return { decision: { ...decision, faults: [...faults, ...decision.faults] }, settings: task.settings };
}

const decided = (view: ClusterSnapshot, task: Task, audience?: Requesting): Decision =>
  review(task.write, view, task.settings.rules, optionsOf(task, task.settings, audience));

/** The first decision, with what it may tell its reader of other namespaces; he is asked about only where it would tell something. */
async function addressed(view: ClusterSnapshot, unasked: Task): Promise<{ readonly decision: Decision; readonly task: Task }> {
  const { asked, deadline, ports } = unasked;
  const audience = new Requesting(new Map());
  const decision = decided(view, unasked, audience);
  const wanted = audience.unasked;
  if (wanted.length === 0 || asked.requester === undefined) return { decision, task: unasked };
  const signal = deadline.signal(lookMs(deadline.remainingMs() / 2));
  const listings = await rightsToList(wanted, asked.requester, ports.mayList, signal);
  if (![...listings.values()].includes('allowed')) return { decision, task: unasked };
  const task = { ...unasked, listings };
  return { decision: decided(view, task), task };
}

/** The first decision, with the exemptions to which the writer has a right. */
async function permitted(view: ClusterSnapshot, first: Task): Promise<{ readonly decision: Decision; readonly task: Task }> {
  const { decision, task: unasked } = await addressed(view, first);
  const { write, asked, settings, bound, deadline, ports } = unasked;
  const ruleIds = rulesToAskFor(settings.claims, decision);
  if (ruleIds.length === 0) return { decision, task: unasked };
  const signal = deadline.signal(lookMs(deadline.remainingMs() / 2));
  const rights = await rightsTo(ruleIds, subjectOf(write).metadata.namespace, asked.requester, ports.mayUse, signal);
  const task = { ...unasked, rights, settings: bound(view, rights) };
  if ([...rights.values()].includes('allowed')) return { decision: decided(view, task), task };
  // Nothing is exempt that was not before: only of the annotations there is more to say.
  const telling = settings.rules.filter(({ meta }) => meta.judgesExemptions === true);
  const again = review(write, view, telling, optionsOf(task, task.settings));
  return { decision: withNewer(decision, again, new Set(telling.map(({ meta }) => meta.id))), task };
}

const lookMs = (ms: number): number => Math.max(0, Math.min(maxLookMs, ms));

/** What the rules want read by name before they run. One that throws here is a fault like one that throws later. */
function wanted(write: Write, snapshot: ClusterSnapshot, rules: readonly ConfiguredRule[]) {
  const refs: Wanted[] = [];
  const faults: Fault[] = [];
  for (const rule of rules) {
    try {
      for (const ref of rule.fetches(subjectOf(write), snapshot)) refs.push(ref);
    } catch (cause) {
      faults.push({ ruleId: rule.meta.id, cause });
    }
  }
  return { refs: eachOnce(refs).slice(0, maxFetches), faults };
}

type Fetched = Awaited<ReturnType<Ports['readByName']>> | undefined;

const withFetched = (snapshot: ClusterSnapshot, fetched: Fetched): ClusterSnapshot =>
  fetched === undefined ? snapshot : snapshot.knowing({ fetched });

/**
 * The denials that stand after a live look (reliability.md E4). What was read by name for this review has just been looked
 * at. A second look that could not be judged to its end has confirmed nothing.
 */
async function confirmed(first: Decision, fetched: Fetched, task: Task): Promise<Decision> {
  const { write, rights, settings, bound, deadline, ports } = task;
  const reads = [...first.toConfirm.values()].flat().filter((read) => !wasFetched(read, fetched));
  if (reads.length === 0) return { ...first, toConfirm: new Map() };
  const view = await ports.confirm([...reads, namespaceRead(write)], deadline.signal(lookMs(deadline.remainingMs())));
  const unsure = settings.rules.filter(({ meta }) => first.toConfirm.has(meta.id));
  const second = view && review(write, withFetched(view, fetched), unsure, optionsOf(task, bound(view, rights)));
  if (second === undefined || second.skipped.length + second.faults.length > 0) return afterLiveLook(first, undefined);
  return withNewer(afterLiveLook(first, second), second, new Set(unsure.map(({ meta }) => meta.id)));
}

/** A review runs without a pause: it may take what is left, and no more than its share. */
function optionsOf(
  { tellsOfOthers, listings, deadline }: Task,
  settings: BoundSettings,
  audience = new Requesting(listings),
): ReviewOptions {
  const atFirst = deadline.remainingMs();
  const within = (most: number) => (): number => {
    const left = deadline.remainingMs();
    return Math.min(left, most - (atFirst - left));
  };
  return { settings, tellsOfOthers, audience, timeLeft: within(maxAtOnceMs), timeToRefuse: within(maxToRefuseMs) };
}

const wasFetched = ({ collection, namespace, name }: Read, fetched: Fetched): boolean =>
  name !== undefined && fetched?.has(formatRef({ apiVersion: '', kind: collection, namespace, name })) === true;

/** What rules that ran twice say beside their denials is what they said last. */
function withNewer(decision: Decision, second: Decision, ranTwice: ReadonlySet<string>): Decision {
  const keep = ({ finding }: { readonly finding: Finding }): boolean => !ranTwice.has(finding.ruleId);
  return {
    ...decision,
    warnings: [...decision.warnings.filter(keep), ...second.warnings],
    audited: [...decision.audited.filter((finding) => keep({ finding })), ...second.audited],
    exempted: [...decision.exempted.filter(keep), ...second.exempted],
  };
}
