/**
 * What the cluster has been told of each object, so that a finding appears, changes and clears once. After a change of
 * leader the stored reports say it.
 */
import { severities } from '../engine/finding.ts';
import { objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { JudgedResource, ObjectRef, RawObject } from '../kube/resources.ts';
import type { Entry } from '../reports/policy-report.ts';
import { reportKey } from './report-api.ts';

export interface Known extends Pick<Entry, 'ruleId' | 'severity' | 'mode'> {
  /** RFC 3339. */
  readonly firstSeen: string;
}

/** By fingerprint. */
export type KnownEntries = ReadonlyMap<string, Known>;

/** An object with its uid: another one of the same name is another one. */
export interface Regarded extends ObjectRef {
  readonly uid: string;
}

export const regardedOf = ({ apiVersion, kind, metadata: { namespace, name, uid = '' } }: JudgedResource): Regarded => ({
  apiVersion,
  kind,
  namespace,
  name,
  uid,
});

/** What is told of one object, before and now. */
export interface Change {
  readonly object: Regarded;
  readonly before: KnownEntries;
  readonly after: KnownEntries;
}

const nothing: KnownEntries = new Map();

export class Memory {
  private readonly objects = new Map<string, { readonly object: Regarded; readonly entries: KnownEntries }>();

  knownOf(key: string): KnownEntries {
    return this.objects.get(key)?.entries ?? nothing;
  }

  /** What a stored report says was told; what is known already stays, but it may turn out to be older. */
  recall(key: string, report: RawObject): void {
    const stored = storedEntries(report);
    const known = this.objects.get(key);
    const entries = new Map(stored);
    for (const [fingerprint, entry] of known?.entries ?? nothing) {
      const firstSeen = [entry.firstSeen, stored.get(fingerprint)?.firstSeen ?? entry.firstSeen].sort()[0] as string;
      entries.set(fingerprint, { ...entry, firstSeen });
    }
    if (entries.size > 0) this.objects.set(key, { object: known?.object ?? scopeOf(report), entries });
  }

  /** `now`: RFC 3339. */
  settle(object: Regarded, entries: readonly Entry[], now: string): Change {
    const key = reportKey(object.namespace, object.uid);
    const before = this.knownOf(key);
    const after = new Map(
      entries.map(({ fingerprint, ruleId, severity, mode }) => [
        fingerprint,
        { ruleId, severity, mode, firstSeen: before.get(fingerprint)?.firstSeen ?? now },
      ]),
    );
    if (after.size === 0) this.objects.delete(key);
    else this.objects.set(key, { object, entries: after });
    return { object, before, after };
  }

  /** Forgets all objects but these, and returns what was known of the others. */
  keepOnly(isTold: (key: string) => boolean): readonly Change[] {
    const others = [...this.objects].filter(([key]) => !isTold(key));
    for (const [key] of others) this.objects.delete(key);
    return others.map(([, { object, entries }]) => ({ object, before: entries, after: nothing }));
  }
}

const modes: readonly Entry['mode'][] = ['deny', 'warn', 'audit', 'exempt', 'fault'];

/** A report that people have edited says what it likes: what reads as none of ours is not known. */
function storedEntries(report: RawObject): Map<string, Known> {
  const entries = new Map<string, Known>();
  for (const result of objectsAt(report, 'results')) {
    const properties = objectAt(result, 'properties');
    const [fingerprint, firstSeen, ruleId] = [
      stringAt(properties, 'fingerprint'),
      stringAt(properties, 'firstSeen'),
      stringAt(result, 'policy'),
    ];
    const mode = modes.find((one) => one === stringAt(properties, 'mode'));
    const severity = severities.find((one) => one === stringAt(result, 'severity'));
    if (!fingerprint || !ruleId || !mode || !severity || !firstSeen || Number.isNaN(Date.parse(firstSeen))) continue;
    entries.set(fingerprint, { ruleId, severity, mode, firstSeen });
  }
  return entries;
}

function scopeOf(report: RawObject): Regarded {
  const scope = objectAt(report, 'scope');
  const field = (name: string): string => stringAt(scope, name) ?? '';
  return { apiVersion: field('apiVersion'), kind: field('kind'), namespace: field('namespace'), name: field('name'), uid: field('uid') };
}
