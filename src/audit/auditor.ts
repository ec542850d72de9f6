/**
 * The continuous audit: the leader judges what is stored, with the rules of the gate. An object is judged again when it,
 * or something that its rules looked at, has changed; when a finding becomes due; and with all others at an interval. All
 * in slices with pauses between them, since reviews are answered by the same thread.
 */
import { type Clock, systemClock } from '../client/clock.ts';
import type { Leadership } from '../client/leader-election.ts';
import { type Rounds, rounds } from '../client/rounds.ts';
import type { Change, ClusterSnapshot } from '../cluster/snapshot.ts';
import type { EntryToReview } from '../config/exemption-entries.ts';
import type { Configuration } from '../config/settings.ts';
import type { Severity } from '../engine/finding.ts';
import { rulesThatWait } from '../engine/rule.ts';
import type { Surveyed } from '../engine/survey.ts';
import { type Collection, judgedKinds, type Kind, type ObjectRef, refOf } from '../kube/resources.ts';
import type { ClusterSource } from '../sources/source.ts';
import { watchedKinds } from '../sources/watched.ts';
import { Dependents } from './dependents.ts';
import { type Entry, entryOf, nothingWrong, openFindings } from './entry.ts';
import { type Judged, judge, staleMs } from './judge.ts';
import type { AuditSink, Pass } from './verdict.ts';

export interface AuditorOptions {
  readonly source: Pick<ClusterSource, 'current' | 'hasSynced' | 'readByName'>;
  readonly configuration: () => Configuration;
  readonly leadership: Pick<Leadership, 'leads' | 'term'>;
  readonly sink: AuditSink;
  /** From the end of one pass over everything to the begin of the next, in milliseconds. */
  readonly intervalMs: number;
  /** A pass over everything is over. */
  readonly onPass?: (pass: Pass) => void;
  /** A bug: the object could not be judged, and keeps the verdict that it had. */
  readonly onError: (error: Error, object: ObjectRef) => void;
  readonly clock?: Clock;
}

export interface Auditor {
  /** How many findings are due, by rule, severity and namespace; empty for who does not lead. */
  openFindings(): Iterable<readonly [ruleId: string, severity: Severity, count: number, namespace: string]>;
  close(): Promise<void>;
}

/** Begins as soon as the cluster is known and this process leads; closes the sink too. */
export function startAuditor(options: AuditorOptions): Auditor {
  const auditor = new ContinuousAudit(options);
  auditor.start();
  return auditor;
}

/** A slice ends after this, in milliseconds, or after so many objects. Then comes a pause of `restShare` times as long as the work. */
const slice = { ms: 0.5, objects: 100, restShare: 16 } as const;
/** What took longer, in milliseconds, is not judged again before so many times as long. */
const costly = { ms: 5, restShare: 50 } as const;
/** How often changes, and what is due, are looked for, in milliseconds. */
const lookMs = 1_000;
/** What is never listed is asked for again as long as a finding rests on it, in milliseconds; so many objects a time. */
const readAgain = { everyMs: 30_000, objects: 100 } as const;

/** How often an answer that did not come is asked for, before an object is judged without it. */
const mostTries = 3;

/** What is listed and watched. */
const collections: readonly Collection[] = [...new Set(watchedKinds([]).map(({ collection }) => collection))];
const isKind = (collection: Collection): collection is Kind => judgedKinds.some((kind) => kind === collection);
/** Neither kinds nor the names of objects have a slash. */
const keyOf = ({ kind, namespace, name }: Pick<ObjectRef, 'kind' | 'namespace' | 'name'>): string => `${kind}/${namespace}/${name}`;

class ContinuousAudit implements Auditor {
  private readonly options: AuditorOptions;
  private readonly clock: Clock;
  private running: Rounds | undefined;
  private term: AbortSignal = AbortSignal.abort();
  private configuration: Configuration | undefined;
  /** Ids of its rules that miss what may still be applied. */
  private waiting: ReadonlySet<string> = new Set();
  private snapshot: ClusterSnapshot | undefined;
  private known = new Map<string, Entry>();
  private dependents = new Dependents();
  /** To be judged now; in the order in which they came up. */
  private readonly urgent = new Set<string>();
  /** What is left of the pass over everything. */
  private readonly passing = new Set<string>();
  private isInPass = false;
  private nextLookAt = 0;
  private nextPassAt = 0;
  private nextReadAt = 0;
  private readFrom = 0;
  private workMs = 0;
  private passes = 0;
  private changes = 0;
  private turns = 0;
  /** Working time of this slice, in milliseconds. */
  private spentMs = 0;
  /** By key, when what was costly to judge may be judged again. */
  private readonly notBefore = new Map<string, number>();
  /** Objects that could not be judged for a defect of ours. */
  private readonly failed = new Set<string>();
  /** By key, how often an answer did not come. */
  private readonly unanswered = new Map<string, number>();
  /** By key, the moment in epoch milliseconds. */
  private readonly due = new Map<string, number>();

  constructor(options: AuditorOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
  }

  start(): void {
    this.running = rounds(this.clock, (signal) => this.round(signal));
  }

  async close(): Promise<void> {
    await this.running?.close();
    await this.options.sink.close();
  }

  *openFindings(): Generator<readonly [string, Severity, number, string]> {
    if (this.term.aborted) return;
    yield* openFindings(this.known.values());
  }

  /** Returns for how long to rest. */
  private async round(stop: AbortSignal): Promise<number> {
    const { leadership, source } = this.options;
    if (!leadership.leads() || !source.hasSynced()) return lookMs;
    if (this.term.aborted) this.begin(leadership.term());
    const began = this.clock.now();
    if (began >= this.nextLookAt) this.notice();
    this.spentMs = this.clock.now() - began;
    const rest = await this.workThrough(AbortSignal.any([stop, this.term]));
    const spent = this.spentMs;
    if (this.isInPass) this.workMs += spent;
    if (this.isInPass && this.passing.size === 0) this.endPass();
    return rest === 0 ? Math.max(1, this.nextLookAt - this.clock.now()) : Math.max(1, spent * slice.restShare);
  }

  /** Of what an earlier term knew, nothing may be true any more. */
  private begin(term: AbortSignal): void {
    this.term = term;
    this.known = new Map();
    this.dependents = new Dependents();
    this.snapshot = undefined;
    this.configuration = undefined;
    this.nextLookAt = 0;
    this.passes = 0;
    this.changes = 0;
    for (const waiting of [this.urgent, this.passing, this.due, this.failed, this.unanswered, this.notBefore]) waiting.clear();
    this.options.sink.begin(term);
  }

  /** Finds out what has to be judged. */
  private notice(): void {
    const { source, configuration } = this.options;
    this.nextLookAt = this.clock.now() + lookMs;
    const earlier = this.snapshot;
    const current = source.current();
    this.snapshot = current;
    if (earlier !== undefined) for (const change of current.changesSince(earlier)) this.noticeChange(change);
    const now = this.clock.wallNow();
    for (const [key, at] of this.due) if (at <= now) this.urgent.add(key);
    this.noticeReads();
    const isKnownOtherwise = earlier === undefined || collections.some((one) => current.coverage(one, '*') !== earlier.coverage(one, '*'));
    if (this.configuration !== configuration() || isKnownOtherwise || (!this.isInPass && this.clock.now() >= this.nextPassAt)) {
      this.configuration = configuration();
      this.waiting = rulesThatWait(this.configuration.rules);
      this.beginPass(current);
    }
  }

  private noticeChange(change: Change): void {
    const { collection, namespace, name } = change;
    if (isKind(collection) && name !== undefined) this.urgent.add(keyOf({ kind: collection, namespace, name }));
    for (const key of this.dependents.of(change)) this.urgent.add(key);
  }

  /** No watch tells that a Secret has come. */
  private noticeReads(): void {
    if (this.clock.now() < this.nextReadAt) return;
    this.nextReadAt = this.clock.now() + readAgain.everyMs;
    const resting = [...this.known].filter(([, { findings }]) => findings.some(({ finding }) => finding.facts === 'secret'));
    // Each in its turn.
    this.readFrom = this.readFrom < resting.length ? this.readFrom : 0;
    for (const [key] of resting.slice(this.readFrom, this.readFrom + readAgain.objects)) this.urgent.add(key);
    this.readFrom += readAgain.objects;
  }

  private beginPass(snapshot: ClusterSnapshot): void {
    this.isInPass = true;
    this.workMs = 0;
    this.passing.clear();
    for (const kind of judgedKinds) for (const object of snapshot.listAll(kind)) this.passing.add(keyOf(refOf(object)));
    for (const key of this.known.keys()) this.passing.add(key);
  }

  private endPass(): void {
    this.isInPass = false;
    const existing = judgedKinds.flatMap((kind) => this.snapshot?.listAll(kind) ?? []).filter(({ metadata }) => metadata.uid !== undefined);
    const isWhole = existing.map((object) => keyOf(refOf(object))).every((key) => this.known.has(key) || this.failed.has(key));
    this.nextPassAt = this.clock.now() + (isWhole ? this.options.intervalMs : Math.min(this.options.intervalMs, readAgain.everyMs));
    // What could not be judged yet may be what an earlier leader told of: not known is not repaired.
    if (!isWhole) return;
    this.options.sink.passed(new Set(existing.map(({ metadata }) => metadata.uid as string)), this.entriesToReview());
    this.options.onPass?.({ objects: existing.length, workMs: this.workMs, isFirst: this.passes++ === 0, changes: this.changes });
    this.changes = 0;
  }

  private entriesToReview(): readonly EntryToReview[] {
    const needed = new Set([...this.known.values()].flatMap(({ exemptedBy }) => exemptedBy));
    return this.configuration?.entriesToReview(this.clock.wallNow(), needed) ?? [];
  }

  /**
   * Judges until the slice is over; returns how much is left. What has just changed comes first, but of each four objects one
   * is of the pass: where something changes all the time, that has to end too.
   */
  private async workThrough(signal: AbortSignal): Promise<number> {
    for (let judged = 0; judged < slice.objects && this.spentMs <= slice.ms && !signal.aborted; judged++) {
      const first = ++this.turns % 4 === 0 ? [this.passing, this.urgent] : [this.urgent, this.passing];
      const [key] = first.find(({ size }) => size > 0) ?? [];
      if (key === undefined) return 0;
      this.urgent.delete(key);
      this.passing.delete(key);
      await this.judge(key, signal);
    }
    return this.urgent.size + this.passing.size;
  }

  private async judge(key: string, signal: AbortSignal): Promise<void> {
    const snapshot = this.snapshot as ClusterSnapshot;
    const [kind, namespace, name] = key.split('/') as [Kind, string, string];
    const before = this.known.get(key);
    const object = snapshot.get(kind, namespace, name);
    this.due.delete(key);
    const isAnother = before !== undefined && before.object.metadata.uid !== object?.metadata.uid;
    if (isAnother) this.forget(key, before);
    if (object === undefined || object.metadata.uid === undefined) return;
    if (this.isTooSoon(key)) return;
    try {
      const configuration = this.configuration as Configuration;
      const judged = await judge(object, { snapshot, configuration, source: this.options.source, clock: this.clock, signal });
      this.spentMs += judged.workMs;
      if (judged.workMs > costly.ms) this.notBefore.set(key, this.clock.now() + judged.workMs * costly.restShare);
      if (!signal.aborted) this.settle(key, isAnother ? undefined : before, judged);
    } catch (error) {
      this.failed.add(key);
      this.options.onError(error as Error, refOf(object));
    }
  }

  /** Who writes what is costly to judge, or changes what it depends on, must not keep us at it. */
  private isTooSoon(key: string): boolean {
    const leftMs = (this.notBefore.get(key) ?? 0) - this.clock.now();
    if (leftMs <= 0) return false;
    this.due.set(key, this.clock.wallNow() + leftMs);
    return true;
  }

  private forget(key: string, { object, text }: Entry): void {
    this.known.delete(key);
    this.unanswered.delete(key);
    this.notBefore.delete(key);
    this.dependents.set(key, []);
    if (text === '') return;
    this.changes++;
    this.options.sink.tell(nothingWrong(object));
  }

  private settle(key: string, before: Entry | undefined, { surveyed, isStale }: Judged): void {
    const { object, reads } = surveyed;
    this.dependents.set(key, [...reads, { collection: 'Namespace', namespace: '', name: object.metadata.namespace }]);
    if (isStale || this.waitsForAnswer(key, before, surveyed)) {
      this.due.set(key, this.clock.wallNow() + staleMs);
      if (before === undefined) return;
    }
    const { graceMs } = this.configuration as Configuration;
    const entry = entryOf(before, surveyed, { now: this.clock.wallNow(), graceMs, waits: (ruleId) => this.waiting.has(ruleId) });
    this.known.set(key, entry);
    if (entry.nextDueMs !== undefined) this.due.set(key, Math.min(entry.nextDueMs, this.due.get(key) ?? entry.nextDueMs));
    // Also the first time, and if nothing is wrong: what was stored by an earlier leader may say otherwise.
    if (entry.text !== before?.text) this.options.sink.tell(entry.verdict);
    if (entry.text !== (before?.text ?? '')) this.changes++;
  }

  /** Before the first word on an object, what was not answered is asked for again, a few times. */
  private waitsForAnswer(key: string, before: Entry | undefined, { skipped }: Surveyed): boolean {
    const tries = this.unanswered.get(key) ?? 0;
    if (before !== undefined || tries >= mostTries || !skipped.some(({ reason }) => reason === 'unanswered')) return false;
    this.unanswered.set(key, tries + 1);
    return true;
  }
}
