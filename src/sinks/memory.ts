/**
 * What the cluster has been told of each object, so that a finding appears, changes and clears once. After a change of
 * leader the stored reports say it.
 */
import type { JudgedResource, RawObject } from '../kube/resources.ts';
import { clusterReportName } from '../reports/cluster-report.ts';
import type { Entry } from '../reports/policy-report.ts';
import { clusterKey, reportKey } from './report-api.ts';
import { type KnownEntries, type Regarded, scopeOf, storedEntries } from './stored-report.ts';

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

const theCluster: Regarded = { apiVersion: '', kind: '', namespace: '', name: clusterReportName, uid: '' };

export class Memory {
  private readonly objects = new Map<string, { readonly object: Regarded; readonly entries: KnownEntries }>();

  knownOf(key: string): KnownEntries {
    return this.objects.get(key)?.entries ?? nothing;
  }

  /** What a stored report says was told; what is known already stays, but it may turn out to be older. `now`: epoch milliseconds. */
  recall(key: string, report: RawObject, now: number): void {
    const scope = key === clusterKey ? theCluster : scopeOf(report);
    if (scope === undefined) return;
    const stored = storedEntries(report, now);
    const known = this.objects.get(key);
    const entries = new Map(stored);
    for (const [fingerprint, entry] of known?.entries ?? nothing) {
      const firstSeen = [entry.firstSeen, stored.get(fingerprint)?.firstSeen ?? entry.firstSeen].sort()[0] as string;
      entries.set(fingerprint, { ...entry, firstSeen });
    }
    if (entries.size > 0) this.objects.set(key, { object: known?.object ?? scope, entries });
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
