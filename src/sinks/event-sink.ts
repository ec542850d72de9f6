/**
 * Writes an Event for each finding that is new in an object's set, makes it again if somebody has deleted it, and deletes it
 * when the finding has cleared.
 */
import { type Clock, microTime } from '../client/clock.ts';
import { type KubeClient, KubeError, mergePatch } from '../client/kube-client.ts';
import { type Severity, severities } from '../engine/finding.ts';
import { addressOf } from '../kube/address.ts';
import { numberAt, objectAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import type { Entry } from '../reports/policy-report.ts';
import { combinedNote, eventName, eventNote, eventOf, eventReason, eventType, reportingController } from './event.ts';
import { type Admission, EventLimits } from './event-limits.ts';
import type { Change } from './memory.ts';
import type { OpenEvents } from './open-events.ts';
import { reportKey } from './report-api.ts';
import type { KnownEntries, Regarded } from './stored-report.ts';
import { isStatus, type Write, type WriteQueue } from './write-queue.ts';

export interface EventSinkOptions {
  readonly client: Pick<KubeClient, 'send'>;
  readonly queue: Pick<WriteQueue, 'put'>;
  readonly open: OpenEvents;
  readonly clock: Clock;
  /** Below it, nobody is told by an Event. */
  readonly minSeverity: Severity;
  /** Which replica tells it. */
  readonly instance: string;
}

/** A finding that is told by an Event; not alone, if the limits have it told among others, or not at all. */
interface Standing {
  readonly object: Regarded;
  readonly entry: Entry;
  readonly isAlone: boolean;
  /** Epoch milliseconds. */
  readonly sinceMs: number;
}

/** As the API server keeps an Event (`--event-ttl`); what is older is over by itself. */
const keptMs = 3_600_000;
/** Ten seconds of writing, so that what is new has its turn. */
const mostLooks = 200;

export class EventSink {
  private readonly options: EventSinkOptions;
  private readonly limits: EventLimits;
  /** What an earlier leader told of was within limits of its own. */
  private readonly earlierLimits: EventLimits;
  /** By the Event's name; who has waited longest for a look comes first. */
  private readonly standing = new Map<string, Standing>();
  /** Names of Events that stand for many. */
  private readonly combined = new Set<string>();
  /** Names that such Events would have, where this leader knows all that came before. */
  private readonly begun = new Set<string>();
  /** Objects of which this leader has told something, by uid. */
  private readonly met = new Set<string>();

  constructor(options: EventSinkOptions) {
    this.options = options;
    this.limits = new EventLimits(options.clock);
    this.earlierLimits = new EventLimits(options.clock);
  }

  /** `entries`: what is told now. */
  changed({ object, before, after }: Change, entries: readonly Entry[]): void {
    for (const fingerprint of this.toldOf(before))
      if (!this.isTold(after.get(fingerprint)) && this.mayStand(object, fingerprint)) this.clear(object, fingerprint);
    this.clearCombined(object, this.reasonsOf(before), this.reasonsOf(after));
    if (after.size > 0) this.met.add(object.uid);
    else this.met.delete(object.uid);
    const known = new Set(this.toldOf(before));
    for (const entry of entries) {
      if (!this.isTold(entry)) continue;
      const name = eventName(object, entry.fingerprint);
      const isAlone = known.has(entry.fingerprint) ? this.wasAlone(name, object, entry) : this.appear(object, entry);
      known.add(entry.fingerprint);
      const sinceMs = Date.parse(after.get(entry.fingerprint)?.firstSeen ?? '');
      this.standing.set(name, { object, entry, isAlone, sinceMs });
    }
  }

  /** What an earlier leader told may stand; of ours, what is beyond the most results has never been told. */
  private mayStand(object: Regarded, fingerprint: string): boolean {
    return !this.met.has(object.uid) || this.standing.has(eventName(object, fingerprint));
  }

  private reasonsOf(entries: KnownEntries): ReadonlySet<string> {
    return new Set([...entries.values()].filter((one) => this.isTold(one)).map(({ ruleId }) => eventReason(ruleId)));
  }

  /** What stands for many goes with the last of them, also what an earlier leader made. */
  private clearCombined(object: Regarded, before: ReadonlySet<string>, after: ReadonlySet<string>): void {
    const nameOf = (reason: string): string => eventName(object, combinedOf(reason));
    for (const reason of after) if (!before.has(reason)) this.begun.add(nameOf(reason));
    for (const reason of before) {
      if (after.has(reason)) continue;
      const isBegun = this.begun.delete(nameOf(reason));
      if (this.combined.delete(nameOf(reason)) || !isBegun) this.clear(object, combinedOf(reason));
    }
  }

  /** Until it has come to an end, the report waits. */
  private put(object: Regarded, name: string, write: Write): void {
    const { queue, open } = this.options;
    queue.put(object.namespace, name, open.add(keyOf(object), name, write));
  }

  /**
   * What is remembered as told is not told again, so an Event that somebody has deleted would stay away. To see whether it is
   * there takes no right to read, and writes nothing: a patch without changes.
   */
  restore(): void {
    const since = this.options.clock.wallNow() - keptMs;
    const isYoung = ({ object, isAlone, sinceMs }: Standing): boolean =>
      isAlone && sinceMs > since && !this.options.open.has(keyOf(object));
    const young = [...this.standing].filter(([, one]) => isYoung(one)).slice(0, mostLooks);
    for (const [name, standing] of young) {
      this.standing.delete(name);
      this.standing.set(name, standing);
      const { object, entry } = standing;
      const event = this.eventFor(object, entry, name);
      this.options.queue.put(object.namespace, name, (signal) => this.makeAgain(object, event, name, signal));
    }
  }

  private async makeAgain(object: Regarded, event: RawObject, name: string, signal: AbortSignal): Promise<'written' | undefined> {
    if ((await this.look(object, name, signal)) !== undefined) return undefined;
    await this.options.client.send('POST', pathOf(object), event, signal);
    return 'written';
  }

  /**
   * What is there under a name, undefined for nothing. To read it takes no right to read Events: a patch that changes nothing
   * answers with what is there.
   */
  private async look(object: Regarded, name: string, signal: AbortSignal): Promise<RawObject | undefined> {
    try {
      return await this.options.client.send('PATCH', pathOf(object, name), {}, signal, mergePatch);
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  private wasAlone(name: string, object: Regarded, entry: Entry): boolean {
    const admit = (): boolean => admitted(this.earlierLimits, object, entry, eventNote(entry)) === 'alone';
    return this.standing.get(name)?.isAlone ?? admit();
  }

  private toldOf(entries: KnownEntries): readonly string[] {
    return [...entries].filter(([, known]) => this.isTold(known)).map(([fingerprint]) => fingerprint);
  }

  private isTold(entry: Pick<Entry, 'mode' | 'severity'> | undefined): boolean {
    if (entry === undefined || (entry.mode !== 'deny' && entry.mode !== 'warn')) return false;
    return severities.indexOf(entry.severity) <= severities.indexOf(this.options.minSeverity);
  }

  /** Returns whether it is told by an Event of its own. */
  private appear(object: Regarded, entry: Entry): boolean {
    const note = eventNote(entry);
    const admission = admitted(this.limits, object, entry, note);
    if (admission === 'dropped') return false;
    const isCombined = admission === 'combined';
    const name = eventName(object, isCombined ? combinedOf(eventReason(entry.ruleId)) : entry.fingerprint);
    if (isCombined) this.combined.add(name);
    const event = this.eventFor(object, entry, name, isCombined ? combinedNote(note) : note);
    this.put(object, name, (signal) => this.create(object, event, name, signal));
    return !isCombined;
  }

  private eventFor(object: Regarded, entry: Entry, name: string, note = eventNote(entry)): RawObject {
    const { clock, instance } = this.options;
    return eventOf(object, { ...entry, name, note, instance, atMs: clock.wallNow() });
  }

  private async create(object: Regarded, event: RawObject, name: string, signal: AbortSignal): Promise<'written' | undefined> {
    try {
      await this.options.client.send('POST', pathOf(object), event, signal);
      return 'written';
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
      const known = await this.look(object, name, signal);
      // Its hour was over in between: to be created after all.
      if (known === undefined) throw error;
      return isOurs(known, object) ? this.repeat(object, name, known, signal) : undefined;
    }
  }

  /** An earlier leader has told it. An Event never changes but for its series. */
  private async repeat(object: Regarded, name: string, known: RawObject, signal: AbortSignal): Promise<'written'> {
    const { client, clock } = this.options;
    const count = numberAt(objectAt(known, 'series'), 'count') ?? 1;
    const series = { count: count + 1, lastObservedTime: microTime(clock.wallNow()) };
    await client.send('PATCH', pathOf(object, name), { series }, signal, mergePatch).catch((error: unknown) => {
      // Over in between: 409 has it created after all.
      throw isStatus(error, 404) ? new KubeError(409, 'Conflict', 'the Event is gone') : error;
    });
    return 'written';
  }

  private clear(object: Regarded, about: string): void {
    const name = eventName(object, about);
    this.standing.delete(name);
    this.put(object, name, (signal) => this.remove(object, name, signal));
  }

  /** Only what is there and ours: by its uid, since another one may come in between. */
  private async remove(object: Regarded, name: string, signal: AbortSignal): Promise<'deleted' | undefined> {
    const known = await this.look(object, name, signal);
    if (known === undefined || !isOurs(known, object)) return undefined;
    const preconditions = { uid: stringAt(objectAt(known, 'metadata'), 'uid') };
    try {
      await this.options.client.send('DELETE', pathOf(object, name), { apiVersion: 'v1', kind: 'DeleteOptions', preconditions }, signal);
      return 'deleted';
    } catch (error) {
      // After an hour the API server deletes it by itself.
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }
}

/** Anybody's Event may have the name that ours would have. */
const isOurs = (event: RawObject, { uid }: Regarded): boolean =>
  stringAt(event, 'reportingController') === reportingController && stringAt(objectAt(event, 'regarding'), 'uid') === uid;

const admitted = (limits: EventLimits, { uid }: Regarded, entry: Entry, note: string): Admission =>
  limits.admit(uid, eventType(entry), eventReason(entry.ruleId), note);

const combinedOf = (reason: string): string => `combined ${reason}`;

const keyOf = ({ namespace, uid }: Regarded): string => reportKey(namespace, uid);

const pathOf = ({ namespace }: Regarded, name?: string): string => addressOf('events.k8s.io/v1', 'events', namespace, name);
