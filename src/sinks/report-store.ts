/**
 * Holds one report API to what is to be told: writes what differs, deletes what is over, and keeps within the limit. What is
 * stored is known from a list at the begin of a term and from the answers to our own writes; a look at all metadata finds
 * what others have changed.
 */
import { type Clock, sleep } from '../client/clock.ts';
import { type KubeClient, type KubeError, serverSideApply } from '../client/kube-client.ts';
import { severities } from '../engine/finding.ts';
import { objectAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { hashOf, type ReportForm } from '../reports/policy-report.ts';
import { clusterKey, keyOf, metadataOfOne, ourMetadata, ourReports, reportAddress, type Served } from './report-api.ts';
import { inTime, isFinal, isStatus, type WriteQueue } from './write-queue.ts';

const fieldManager = 'portcullis-audit';

export interface ReportStoreOptions extends Served {
  readonly client: Pick<KubeClient, 'get' | 'send'>;
  readonly queue: Pick<WriteQueue, 'put'>;
  /** How many reports there may be. */
  readonly limit: number;
  readonly wanted: WantedReports;
  readonly clock: Clock;
  readonly onCapped: () => void;
  /** A report that has to wait for something else; then it is touched again. */
  readonly isHeld: (key: string) => boolean;
}

/** What is to be stored under a key; undefined: nothing. For the limit, `leftOut` objects have no report. */
export interface WantedReports {
  hash(form: ReportForm, key: string, leftOut: number): string | undefined;
  report(form: ReportForm, key: string, leftOut: number): RawObject | undefined;
  /** How grave it is, as an index of severities. */
  rank(key: string): number;
}

interface Stored {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Undefined if somebody else has changed it: whatever it says, it is written anew. */
  readonly hash: string | undefined;
  /** Which of our looks and writes has told of it. */
  readonly as: number;
}

/** Of a write that was sent, and not answered. */
const unknown: Stored = { uid: '', resourceVersion: '', hash: undefined, as: 0 };

const atOnce = 50;

/**
 * After so many refusals in a row that are about a namespace (no right to it, it is gone or going) the next look comes first: each object would be refused as these were.
 * Namespaces are apart, since one that is being deleted takes nothing more, however long that lasts.
 */
const patientRefusals = 5;
const aboutNamespaces: ReadonlySet<number> = new Set([403, 404]);

/** At the limit, what is so grave or graver takes the place of what is so mild or milder. */
const [grave, mild] = [severities.indexOf('high'), severities.indexOf('low')];

export class ReportStore {
  readonly served: Served;
  private readonly options: ReportStoreOptions;
  private readonly stored = new Map<string, Stored>();
  /** Promised a place below the limit. */
  private readonly coming = new Set<string>();
  private readonly leftOut = new Set<string>();
  /** Of those that are left out. */
  private readonly graveLeftOut = new Set<string>();
  /** Of those that have a place. */
  private readonly mildPlaced = new Set<string>();
  /** Deleted for graver ones. */
  private readonly yielding = new Set<string>();
  /** In a row, by namespace. */
  private readonly refusals = new Map<string, number>();
  private step = 0;
  private isDoubtful = false;

  constructor(options: ReportStoreOptions) {
    this.options = options;
    this.served = options;
  }

  get isCapped(): boolean {
    return this.leftOut.size > 0;
  }

  /** Reads everything that is ours. Throws as `KubeClient.get` does. */
  async load(signal: AbortSignal, recall: (key: string, report: RawObject) => void): Promise<void> {
    const { client, form } = this.options;
    for await (const report of ourReports(client, form, signal)) {
      this.stored.set(keyOf(report), this.recordOf(report, hashOf(report)));
      recall(keyOf(report), report);
    }
  }

  /**
   * Whether what we know of may be gone altogether, with a definition that was deleted and made anew: nothing else tells of
   * that. Looks for one report. Throws as `KubeClient.get` does.
   */
  async isLost(signal: AbortSignal): Promise<boolean> {
    const [oldest] = this.stored.keys();
    if (this.isDoubtful || oldest === undefined) return this.isDoubtful;
    const { client, form } = this.options;
    try {
      const seen = this.recordOf(await client.get(reportAddress(form, oldest), inTime(signal), metadataOfOne), undefined);
      return seen.uid !== this.stored.get(oldest)?.uid;
    } catch (error) {
      if (isStatus(error, 404)) return true;
      throw error;
    }
  }

  /** Has everything written that differs from what is wanted, `keys` and what is stored, also what others have changed. */
  async verify(keys: Iterable<string>, signal: AbortSignal): Promise<void> {
    this.isDoubtful = false;
    await this.look(signal);
    this.refusals.clear();
    await this.touchAll(new Set([...this.stored.keys(), ...this.leftOut, ...keys, clusterKey]), signal);
  }

  /** As `touch` for each, with pauses: reviews are answered by the same thread. */
  async touchAll(keys: Iterable<string>, signal: AbortSignal): Promise<void> {
    let touched = 0;
    for (const key of keys) {
      if (++touched % atOnce === 0) await sleep(this.options.clock, 1, signal);
      this.touch(key);
    }
  }

  /** Has the report written or deleted if it is not what is wanted. */
  touch(key: string): void {
    if (this.options.isHeld(key)) return;
    const wasCapped = this.isCapped;
    if (this.needsWrite(key)) this.put(key);
    if (wasCapped === this.isCapped || key === clusterKey) return;
    // How many are left out is told at the next look; that there are any, at once.
    this.touch(clusterKey);
    this.options.onCapped();
  }

  private put(key: string): void {
    this.options.queue.put(namespaceOf(key), `${this.options.form.apiVersion} ${key}`, (signal) => this.settle(key, signal));
  }

  private needsWrite(key: string): boolean {
    if (this.yielding.has(key) && this.stored.has(key)) return true;
    for (const some of [this.yielding, this.leftOut, this.graveLeftOut]) some.delete(key);
    const isOver = this.wantedHash(key) === undefined;
    if (isOver) this.coming.delete(key);
    if (!isOver && !this.stored.has(key) && !this.hasPlace(key)) {
      this.leaveOut(key);
      return false;
    }
    if (!isOver && key !== clusterKey && this.options.wanted.rank(key) >= mild) this.mildPlaced.add(key);
    else this.mildPlaced.delete(key);
    return !this.isAsWanted(key);
  }

  private leaveOut(key: string): void {
    this.leftOut.add(key);
    if (this.options.wanted.rank(key) > grave) return;
    this.graveLeftOut.add(key);
    const [milder] = this.mildPlaced;
    if (milder === undefined || this.yielding.size >= this.graveLeftOut.size) return;
    this.mildPlaced.delete(milder);
    // A place that is only promised is free at once.
    if (!this.stored.has(milder)) this.takePlaceOf(milder, key);
    else {
      this.yielding.add(milder);
      this.put(milder);
    }
  }

  private takePlaceOf(milder: string, graver: string): void {
    this.coming.delete(milder);
    this.leftOut.add(milder);
    this.touch(graver);
  }

  private wantedHash(key: string): string | undefined {
    const { isChosen, wanted, form } = this.options;
    return isChosen && !this.isOut(key) ? wanted.hash(form, key, this.leftOut.size) : undefined;
  }

  private isOut(key: string): boolean {
    return this.yielding.has(key) || this.leftOut.has(key);
  }

  private isAsWanted(key: string): boolean {
    const hash = this.wantedHash(key);
    return hash === undefined ? !this.stored.has(key) : this.stored.get(key)?.hash === hash;
  }

  private hasPlace(key: string): boolean {
    if (key === clusterKey || this.coming.has(key)) return true;
    if (this.stored.size + this.coming.size - (this.stored.has(clusterKey) ? 1 : 0) >= this.options.limit) return false;
    this.coming.add(key);
    return true;
  }

  private async settle(key: string, signal: AbortSignal): Promise<'written' | 'deleted' | undefined> {
    if (this.options.isHeld(key) || this.isAsWanted(key)) return undefined;
    if ((this.refusals.get(namespaceOf(key)) ?? 0) >= patientRefusals) return this.forgo(key);
    const { isChosen, wanted, form } = this.options;
    const report = isChosen && !this.isOut(key) ? wanted.report(form, key, this.leftOut.size) : undefined;
    try {
      await (report === undefined ? this.remove(key, signal) : this.apply(key, report, signal));
    } catch (error) {
      if (isFinal(error)) this.forgo(key, error);
      throw error;
    }
    this.refusals.delete(namespaceOf(key));
    // Another verdict may have come while this one was on its way.
    this.touch(key);
    return report === undefined ? 'deleted' : 'written';
  }

  private forgo(key: string, { status, reason }: Partial<KubeError> = {}): undefined {
    this.coming.delete(key);
    this.mildPlaced.delete(key);
    if (status === undefined) return;
    if (aboutNamespaces.has(status)) this.refusals.set(namespaceOf(key), (this.refusals.get(namespaceOf(key)) ?? 0) + 1);
    // No Status of the API, but the server's own answer: there is no such API.
    if (status === 404 && reason === '') this.isDoubtful = true;
  }

  private async apply(key: string, wanted: RawObject, signal: AbortSignal): Promise<void> {
    const { client, form } = this.options;
    const path = `${reportAddress(form, key)}?fieldManager=${fieldManager}&force=true`;
    const answer = await client.send('PATCH', path, wanted, signal, serverSideApply).catch((error: unknown) => {
      // It may have arrived all the same.
      if (!isFinal(error)) this.stored.set(key, { ...(this.stored.get(key) ?? unknown), hash: undefined });
      throw error;
    });
    this.coming.delete(key);
    this.stored.set(key, this.recordOf(answer, hashOf(wanted)));
  }

  /** Only what we know: another leader may have written it meanwhile. Then it is looked at and tried again. */
  private async remove(key: string, signal: AbortSignal): Promise<void> {
    const { client, form } = this.options;
    const { uid, resourceVersion } = this.stored.get(key) as Stored;
    const preconditions = uid === '' ? {} : { preconditions: { uid, resourceVersion } };
    const options = { apiVersion: 'v1', kind: 'DeleteOptions', ...preconditions };
    try {
      await client.send('DELETE', reportAddress(form, key), options, signal);
    } catch (error) {
      if (!isStatus(error, 404)) {
        if (isStatus(error, 409))
          this.stored.set(key, this.recordOf(await client.get(reportAddress(form, key), signal, metadataOfOne), undefined));
        throw error;
      }
    }
    for (const some of [this.stored, this.yielding, this.mildPlaced]) some.delete(key);
    const [next] = this.graveLeftOut.size > 0 ? this.graveLeftOut : this.leftOut;
    if (next !== undefined) this.touch(next);
  }

  /** What is written while the list is on its way is newer than it. */
  private async look(signal: AbortSignal): Promise<void> {
    const { client, form } = this.options;
    const began = ++this.step;
    const gone = new Map([...this.stored].filter(([, { as }]) => as < began));
    for await (const seen of ourMetadata(client, form, signal)) {
      const key = keyOf(seen);
      const known = this.stored.get(key);
      gone.delete(key);
      const record = this.recordOf(seen, undefined);
      if (known === undefined || (known.as < began && known.resourceVersion !== record.resourceVersion)) this.stored.set(key, record);
    }
    for (const [key, { as }] of gone) if (this.stored.get(key)?.as === as) this.stored.delete(key);
  }

  private recordOf(object: RawObject, hash: string | undefined): Stored {
    const metadata = objectAt(object, 'metadata');
    const [uid = '', resourceVersion = ''] = [stringAt(metadata, 'uid'), stringAt(metadata, 'resourceVersion')];
    return { uid, resourceVersion, hash, as: ++this.step };
  }
}

const namespaceOf = (key: string): string => key.slice(0, key.indexOf('/'));
