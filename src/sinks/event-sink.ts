/** Writes an Event for each finding that is new in an object's set, and deletes it when the finding has cleared. */
import type { Clock } from '../client/clock.ts';
import type { KubeClient } from '../client/kube-client.ts';
import { type Severity, severities } from '../engine/finding.ts';
import { numberAt, objectAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import type { Entry } from '../reports/policy-report.ts';
import { combinedNote, eventName, eventNote, eventOf, eventReason, eventType, microTime } from './event.ts';
import { EventLimits } from './event-limits.ts';
import type { Change, KnownEntries, Regarded } from './memory.ts';
import { isStatus, type WriteQueue } from './write-queue.ts';

export interface EventSinkOptions {
  readonly client: Pick<KubeClient, 'send'>;
  readonly queue: Pick<WriteQueue, 'put'>;
  readonly clock: Clock;
  /** Below it, nobody is told by an Event. */
  readonly minSeverity: Severity;
  /** Which replica tells it. */
  readonly instance: string;
}

export class EventSink {
  private readonly options: EventSinkOptions;
  private readonly limits: EventLimits;
  /** Names of Events that stand for many. */
  private readonly combined = new Set<string>();

  constructor(options: EventSinkOptions) {
    this.options = options;
    this.limits = new EventLimits(options.clock);
  }

  /** `entries`: what is told now. */
  changed({ object, before, after }: Change, entries: readonly Entry[]): void {
    for (const fingerprint of this.toldOf(before)) if (!this.isTold(after.get(fingerprint))) this.clear(object, fingerprint);
    const reasons = new Set([...after.values()].filter((one) => this.isTold(one)).map(({ ruleId }) => eventReason(ruleId)));
    for (const { ruleId } of before.values()) {
      const reason = eventReason(ruleId);
      if (!reasons.has(reason) && this.combined.delete(eventName(object, combinedOf(reason)))) this.clear(object, combinedOf(reason));
    }
    const known = new Set(this.toldOf(before));
    for (const entry of entries) {
      if (known.has(entry.fingerprint) || !this.isTold(entry)) continue;
      known.add(entry.fingerprint);
      this.appear(object, entry);
    }
  }

  private toldOf(entries: KnownEntries): readonly string[] {
    return [...entries].filter(([, known]) => this.isTold(known)).map(([fingerprint]) => fingerprint);
  }

  private isTold(entry: Pick<Entry, 'mode' | 'severity'> | undefined): boolean {
    if (entry === undefined || (entry.mode !== 'deny' && entry.mode !== 'warn')) return false;
    return severities.indexOf(entry.severity) <= severities.indexOf(this.options.minSeverity);
  }

  private appear(object: Regarded, entry: Entry): void {
    const { clock, instance, queue } = this.options;
    const note = eventNote(entry);
    const admission = this.limits.admit(object.uid, eventType(entry), eventReason(entry.ruleId), note);
    if (admission === 'dropped') return;
    const isCombined = admission === 'combined';
    const name = eventName(object, isCombined ? combinedOf(eventReason(entry.ruleId)) : entry.fingerprint);
    if (isCombined) this.combined.add(name);
    const content = { ...entry, name, note: isCombined ? combinedNote(note) : note, instance, atMs: clock.wallNow() };
    queue.put(keyOf(object, name), (signal) => this.create(object, eventOf(object, content), name, signal));
  }

  private async create(object: Regarded, event: RawObject, name: string, signal: AbortSignal): Promise<'written'> {
    try {
      await this.options.client.send('POST', pathOf(object), event, signal);
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
      await this.repeat(`${pathOf(object)}/${name}`, signal).catch((later: unknown) => {
        // Its hour was over in between: to be created after all.
        throw isStatus(later, 404) ? error : later;
      });
    }
    return 'written';
  }

  /**
   * An earlier leader has told it. An Event never changes but for its series. To read how far that is takes no right to
   * read Events: a patch that changes nothing answers with what is there.
   */
  private async repeat(path: string, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.options;
    const patch = (body: RawObject): Promise<RawObject> => client.send('PATCH', path, body, signal, 'application/merge-patch+json');
    const count = numberAt(objectAt(await patch({}), 'series'), 'count') ?? 1;
    await patch({ series: { count: count + 1, lastObservedTime: microTime(clock.wallNow()) } });
  }

  private clear(object: Regarded, about: string): void {
    const { queue, client } = this.options;
    const name = eventName(object, about);
    queue.put(keyOf(object, name), async (signal) => {
      try {
        await client.send('DELETE', `${pathOf(object)}/${name}`, { apiVersion: 'v1', kind: 'DeleteOptions' }, signal);
        return 'deleted';
      } catch (error) {
        // After an hour the API server deletes it by itself.
        if (isStatus(error, 404)) return undefined;
        throw error;
      }
    });
  }
}

const combinedOf = (reason: string): string => `combined ${reason}`;

const keyOf = ({ namespace }: Regarded, name: string): string => `${namespace}/${name}`;

const pathOf = ({ namespace }: Regarded): string => `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;
