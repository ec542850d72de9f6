/** What is to be told of each object at present, as reports. */
import { severities } from '../engine/finding.ts';
import type { JudgedResource, RawObject } from '../kube/resources.ts';
import { clusterReport, type Elsewhere, type Note } from '../reports/cluster-report.ts';
import { type Entry, hashOf, policyReport, type ReportForm, type ReportWriting } from '../reports/policy-report.ts';
import type { Memory } from './memory.ts';
import { clusterKey } from './report-api.ts';
import type { WantedReports } from './report-store.ts';

export interface WritingOptions {
  readonly maxResults: number;
  readonly docsOf: (ruleId: string) => string;
}

interface Wanted {
  readonly object: JudgedResource;
  readonly entries: readonly Entry[];
  /** Of the gravest that is to be repaired, as an index of severities; behind all of them, if nothing is. */
  readonly rank: number;
  /** By API: what a report says is settled when the object is told of, and is compared more often than written. */
  readonly hashes: Map<string, string | undefined>;
  /** How many full passes were over when it was told. */
  readonly pass: number;
}

export class WantedTexts implements WantedReports {
  private readonly objects = new Map<string, Wanted>();
  private readonly elsewhere = new Map<string, readonly Elsewhere[]>();
  /** Since when, by fingerprint, as RFC 3339. */
  private readonly elsewhereSince = new Map<string, string>();
  private readonly options: WritingOptions;
  private readonly memory: Memory;
  /** By API. */
  private readonly clusterHashes = new Map<string, { readonly leftOut: number; readonly hash: string | undefined }>();
  private notes: readonly Note[] = [];
  /** As RFC 3339. */
  private notedSince: string | undefined;
  private passes = 0;

  constructor(options: WritingOptions, memory: Memory) {
    this.options = options;
    this.memory = memory;
  }

  keys(): Iterable<string> {
    return this.objects.keys();
  }

  has(key: string): boolean {
    return this.objects.has(key);
  }

  set(key: string, object: JudgedResource, entries: readonly Entry[]): void {
    if (entries.length === 0) this.objects.delete(key);
    else this.objects.set(key, { object, entries, rank: rankOf(entries), hashes: new Map(), pass: this.passes });
  }

  /** Returns whether the report of the cluster says something else now. */
  setElsewhere(key: string, told: readonly Elsewhere[], now: string): boolean {
    for (const { entry } of told) if (!this.elsewhereSince.has(entry.fingerprint)) this.elsewhereSince.set(entry.fingerprint, now);
    const kept = new Set(told.map(({ entry }) => entry.fingerprint));
    const before = this.elsewhere.get(key) ?? [];
    for (const { entry } of before) if (!kept.has(entry.fingerprint)) this.elsewhereSince.delete(entry.fingerprint);
    if (told.length === 0) this.elsewhere.delete(key);
    else this.elsewhere.set(key, told);
    const isChanged = textOf(before) !== textOf(told);
    if (isChanged) this.clusterHashes.clear();
    return isChanged;
  }

  /** Returns whether the report of the cluster says something else now. */
  setNotes(notes: readonly Note[], now: string): boolean {
    const [before, after] = [this.notes, notes].map((some) => JSON.stringify(some));
    this.notes = notes;
    if (before !== after) this.clusterHashes.clear();
    if (notes.length > 0) this.notedSince ??= now;
    return before !== after;
  }

  /** Since when something is told has turned out to be earlier. */
  recalled(): void {
    this.clusterHashes.clear();
  }

  /** Forgets objects that did not exist when a whole pass was over that began after they were told. */
  passed(uids: ReadonlySet<string>): void {
    const isGone = ({ object, pass }: Wanted): boolean => pass < this.passes && !uids.has(object.metadata.uid ?? '');
    for (const [key, wanted] of this.objects) if (isGone(wanted)) this.objects.delete(key);
    this.passes++;
  }

  hash(form: ReportForm, key: string, leftOut: number): string | undefined {
    if (key === clusterKey) return this.hashOfCluster(form, leftOut);
    const wanted = this.objects.get(key);
    if (wanted === undefined) return undefined;
    if (!wanted.hashes.has(form.apiVersion)) wanted.hashes.set(form.apiVersion, hashIn(this.report(form, key)));
    return wanted.hashes.get(form.apiVersion);
  }

  /** It may have hundreds of results, and is asked for whenever anything is told. */
  private hashOfCluster(form: ReportForm, leftOut: number): string | undefined {
    const known = this.clusterHashes.get(form.apiVersion);
    if (known?.leftOut === leftOut) return known.hash;
    const hash = hashIn(this.report(form, clusterKey, leftOut));
    this.clusterHashes.set(form.apiVersion, { leftOut, hash });
    return hash;
  }

  rank(key: string): number {
    return this.objects.get(key)?.rank ?? severities.length;
  }

  report(form: ReportForm, key: string, leftOut = 0): RawObject | undefined {
    if (key === clusterKey) return this.ofCluster(form, leftOut);
    const wanted = this.objects.get(key);
    return wanted && policyReport(wanted.object, wanted.entries, this.writing(form, key));
  }

  private ofCluster(form: ReportForm, leftOut: number): RawObject | undefined {
    const inOrder = [...this.elsewhere].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, told]) => told);
    return clusterReport({ leftOut, elsewhere: inOrder, notes: this.notes }, this.writing(form, clusterKey));
  }

  private writing(form: ReportForm, key: string): ReportWriting {
    const known = this.memory.knownOf(key);
    return {
      ...this.options,
      form,
      firstSeen: (fingerprint) => known.get(fingerprint)?.firstSeen ?? this.elsewhereSince.get(fingerprint) ?? this.notedSince,
    };
  }
}

const textOf = (told: readonly Elsewhere[]): string => JSON.stringify(told.map(({ entry }) => entry));

const rankOf = (entries: readonly Entry[]): number => {
  const ranks = entries.filter(({ mode }) => mode !== 'exempt' && mode !== 'fault').map(({ severity }) => severities.indexOf(severity));
  return ranks.sort((a, b) => a - b)[0] ?? severities.length;
};

const hashIn = (report: RawObject | undefined): string | undefined => report && hashOf(report);
