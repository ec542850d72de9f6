/** One leader's term: reads what the cluster was told before, then keeps it told. */
import type { Verdict } from '../audit/verdict.ts';
import { backoffMs, type Clock, sleep } from '../client/clock.ts';
import type { KubeClient, KubeError } from '../client/kube-client.ts';
import { Complaint } from '../client/rounds.ts';
import type { Finding, Severity } from '../engine/finding.ts';
import type { Note } from '../reports/cluster-report.ts';
import { shortDigest } from '../reports/digest.ts';
import { entriesOf } from '../reports/policy-report.ts';
import { EventSink } from './event-sink.ts';
import { Memory, regardedOf } from './memory.ts';
import { OpenEvents } from './open-events.ts';
import { clusterKey, reportKey, type Served, servedForms } from './report-api.ts';
import type { ReportChoice } from './report-choice.ts';
import { ReportStore } from './report-store.ts';
import type { WritingOptions } from './wanted.ts';
import { WantedTexts } from './wanted.ts';
import type { WriteResult } from './write-queue.ts';
import { isFinal, patience, WriteQueue } from './write-queue.ts';

export interface SinksOptions extends WritingOptions {
  readonly client: Pick<KubeClient, 'get' | 'send'>;
  readonly clock: Clock;
  readonly choice: ReportChoice;
  /** How many reports there may be. */
  readonly limit: number;
  /** Of reports, and of Events: each so many. */
  readonly writesPerSecond: number;
  /** Undefined: none are written. */
  readonly events: { readonly minSeverity: Severity } | undefined;
  /** Which replica this is. */
  readonly identity: string;
  /** Whether a namespace may be told of the others (`privacy: open`). */
  readonly tellsOfOthers: () => boolean;
  /** Whether this process leads at this moment. */
  readonly leads: () => boolean;
  /** To which APIs reports are written; before, if this term has told of others. */
  readonly onApis: (now: readonly string[], before: readonly string[] | undefined) => void;
  readonly onWrite: (result: WriteResult, what: 'report' | 'event') => void;
  /** Whether objects have no report since there are as many as there may be. */
  readonly onCapped: (isCapped: boolean) => void;
  readonly onRefused: (error: KubeError) => void;
  /** The API server cannot be read or written at present: once, until the reason is another. */
  readonly onProblem: (error: Error) => void;
}

/** CRDs are installed and removed while we run. */
const lookEveryMs = 60_000;
/** A starting API server forbids everything for a moment: what we are refused before is asked for again. */
const believedRefusals = 3;
/** Together with all others of their namespace: so long a report waits for the Events of its object. */
const longestHeldMs = 300_000;
/** The report of the cluster may be large, and is about all of them. */
const clusterEveryMs = 1_000;
/** Told at once, before reviews have their turn. */
const atOnce = 20;

/** What exists, by uid, and which exemptions of the configuration somebody should look at. */
type Pass = readonly [uids: ReadonlySet<string>, entries: readonly Note[]];

export class Term {
  private readonly options: SinksOptions;
  private readonly signal: AbortSignal;
  private readonly reportQueue: WriteQueue;
  private readonly eventQueue: WriteQueue;
  private readonly memory = new Memory();
  private readonly wanted: WantedTexts;
  private readonly open: OpenEvents;
  private readonly events: EventSink | undefined;
  private readonly complaint: Complaint;
  private stores: readonly ReportStore[] = [];
  /** Told before it was known what is stored; undefined as soon as that is known. */
  private early: Map<string, Verdict> | undefined = new Map();
  private earlyPass: Pass | undefined;
  private isPassed = false;
  private isClusterDue = false;
  /** Before, what is not told may only be not told yet. */
  private hasPassed = false;
  private wake = new AbortController();
  private apis: readonly string[] | undefined;

  constructor(options: SinksOptions, signal: AbortSignal) {
    this.options = options;
    this.signal = signal;
    const { clock, client, events, identity, onProblem } = options;
    this.reportQueue = this.queue('report', options.writesPerSecond);
    this.eventQueue = this.queue('event', options.writesPerSecond);
    this.wanted = new WantedTexts(options, this.memory);
    this.open = new OpenEvents(clock, (key) => this.touch(key));
    const told = { client, clock, queue: this.eventQueue, open: this.open, instance: identity };
    this.events = events && new EventSink({ ...told, minSeverity: events.minSeverity });
    this.complaint = new Complaint(onProblem);
  }

  private queue(what: 'report' | 'event', perSecond: number): WriteQueue {
    const { clock, leads, onWrite, onRefused, onProblem } = this.options;
    return new WriteQueue({ clock, perSecond, burst: perSecond, leads, onWrite: (result) => onWrite(result, what), onRefused, onProblem });
  }

  /** Resolves when the term is over, and nothing is under way any more. */
  async run(): Promise<void> {
    await Promise.all([this.reportQueue.run(this.signal), this.eventQueue.run(this.signal), this.keepUp()]);
  }

  tell(verdict: Verdict): void {
    const { namespace, uid = '' } = verdict.object.metadata;
    const key = reportKey(namespace, uid);
    if (this.early !== undefined) this.early.set(key, verdict);
    else this.settle(key, verdict);
  }

  passed(...pass: Pass): void {
    if (this.early !== undefined) {
      this.earlyPass = pass;
      return;
    }
    const [uids, entries] = pass;
    this.hasPassed = true;
    this.wanted.passed(uids);
    if (this.wanted.setNotes(entries, this.now())) this.touchCluster();
    for (const change of this.memory.keepOnly((key) => key === clusterKey || this.wanted.has(key))) this.events?.changed(change, []);
    this.events?.restore();
    this.isPassed = true;
    this.wake.abort();
  }

  private settle(key: string, verdict: Verdict): void {
    const { object } = verdict;
    const [here, elsewhere] = this.options.tellsOfOthers() ? [verdict, undefined] : bySecrecy(verdict);
    const entries = entriesOf({ ...here, findings: [...here.findings, ...this.stillTold(key, here)] });
    const told = entries.slice(0, this.options.maxResults);
    const change = this.memory.settle(regardedOf(object), entries, this.now());
    this.wanted.set(key, object, entries);
    const forCluster = elsewhere === undefined ? [] : entriesOf(elsewhere).map((entry) => ({ object, entry }));
    if (this.wanted.setElsewhere(key, forCluster, this.now())) this.touchCluster();
    this.events?.changed(change, told);
    this.touch(key);
  }

  private touch(key: string): void {
    if (!this.signal.aborted) for (const store of this.stores) store.touch(key);
  }

  private touchCluster(): void {
    if (this.isClusterDue || !this.hasPassed) return;
    this.isClusterDue = true;
    void sleep(this.options.clock, clusterEveryMs, this.signal).then(() => {
      this.isClusterDue = false;
      this.touch(clusterKey);
    });
  }

  private isHeld(key: string): boolean {
    return !this.eventQueue.isStuck && this.open.has(key) && this.open.ageOf(key) < longestHeldMs;
  }

  /** What was told of an object stays until it is over, however short a time this leader knows of it. */
  private stillTold(key: string, { pending }: Verdict): Verdict['pending'] {
    const known = this.memory.knownOf(key);
    return pending.filter(({ finding }) => known.has(shortDigest(finding.fingerprint)));
  }

  private async keepUp(): Promise<void> {
    await this.begin();
    while (!this.signal.aborted) {
      await sleep(this.options.clock, lookEveryMs, AbortSignal.any([this.signal, this.wake.signal]));
      if (this.wake.signal.aborted) this.wake = new AbortController();
      if (!this.signal.aborted) await this.lookAfter();
    }
  }

  /** Until it is known what is stored, nothing can be said to be new. */
  private async begin(): Promise<void> {
    const { clock } = this.options;
    for (let failures = 1; !this.signal.aborted; failures++) {
      if (await this.attempt(() => this.findStores(failures < believedRefusals))) return this.catchUp();
      await sleep(clock, backoffMs(patience.firstMs, patience.longestMs, failures, clock.random()), this.signal);
    }
  }

  private async catchUp(): Promise<void> {
    let told = 0;
    // More may be told meanwhile.
    for (const [key, verdict] of this.early ?? []) {
      if (++told % atOnce === 0) await sleep(this.options.clock, 1, this.signal);
      this.early?.delete(key);
      if (!this.signal.aborted) this.settle(key, verdict);
    }
    this.early = undefined;
    if (this.earlyPass !== undefined) this.passed(...this.earlyPass);
  }

  private async lookAfter(): Promise<void> {
    const isPassed = this.isPassed;
    this.isPassed = false;
    const looked = await this.attempt(async () => {
      await this.findStores();
      for (const store of this.stores) await this.unlessRefused(() => this.lookInto(store, isPassed));
    });
    if (!looked && isPassed) this.isPassed = true;
  }

  private async lookInto(store: ReportStore, isPassed: boolean): Promise<void> {
    if (isPassed || (this.hasPassed && (await store.isLost(this.signal)))) await store.verify(this.wanted.keys(), this.signal);
    // Of those that were held, some have waited long enough.
    else await store.touchAll([...this.open.keys()], this.signal);
  }

  private async attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.complaint.isOver();
      return true;
    } catch (error) {
      if (!this.signal.aborted) this.complaint.is(error as Error);
      return false;
    }
  }

  /** Keeps the stores in step with the APIs that are served and that we may list. */
  private async findStores(isSceptical = false): Promise<void> {
    const { client, choice } = this.options;
    const stores: ReportStore[] = [];
    for (const served of await servedForms(client, choice, this.signal)) {
      const known = this.stores.find((store) => store.served.form === served.form && store.served.isChosen === served.isChosen);
      const store = known ?? (await this.newStore(served, isSceptical));
      if (store !== undefined) stores.push(store);
    }
    const fresh = stores.filter((store) => !this.stores.includes(store));
    this.stores = stores;
    this.tellApis();
    for (const store of fresh) await store.touchAll([...this.wanted.keys(), ...(this.hasPassed ? [clusterKey] : [])], this.signal);
    this.tellCapped();
  }

  private async newStore(served: Served, isSceptical: boolean): Promise<ReportStore | undefined> {
    const { client, clock, limit } = this.options;
    const store = new ReportStore({
      ...served,
      client,
      clock,
      limit,
      queue: this.reportQueue,
      wanted: this.wanted,
      onCapped: () => this.tellCapped(),
      isHeld: (key) => this.isHeld(key),
    });
    const read = (): Promise<void> => store.load(this.signal, (key, report) => this.memory.recall(key, report, clock.wallNow()));
    const isRead = await this.unlessRefused(read, isSceptical);
    this.wanted.recalled();
    return isRead ? store : undefined;
  }

  private async unlessRefused(work: () => Promise<void>, isSceptical = false): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (isSceptical || !isFinal(error)) throw error;
      this.options.onRefused(error);
      return false;
    }
  }

  private tellApis(): void {
    const apis = this.stores.filter(({ served }) => served.isChosen).map(({ served }) => served.form.apiVersion);
    if (apis.join() === this.apis?.join()) return;
    this.options.onApis(apis, this.apis);
    this.apis = apis;
  }

  private tellCapped(): void {
    this.options.onCapped(this.stores.some((store) => store.isCapped));
  }

  private now(): string {
    return new Date(this.options.clock.wallNow()).toISOString();
  }
}

/** Apart from what may be told in the object's namespace, what rests on facts of others (engine/finding.ts, Facts). */
function bySecrecy(verdict: Verdict): readonly [Verdict, Verdict] {
  const { object, findings, pending, exempted, faults } = verdict;
  const isForeign = ({ finding }: { readonly finding: Finding }): boolean => finding.facts === 'foreign';
  const isOwn = (one: { readonly finding: Finding }): boolean => !isForeign(one);
  return [
    { object, findings: findings.filter(isOwn), pending: pending.filter(isOwn), exempted: exempted.filter(isOwn), faults },
    { object, findings: findings.filter(isForeign), pending: [], exempted: exempted.filter(isForeign), faults: [] },
  ];
}
