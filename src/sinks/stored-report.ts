/**
 * What a stored report says was told. Whoever may write reports in a namespace can put our label on one: so it is believed only
 * what we would have written there, and only of that namespace.
 */
import { severities } from '../engine/finding.ts';
import { isObjectName } from '../kube/object-name.ts';
import { objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { ObjectRef, RawObject } from '../kube/resources.ts';
import type { Entry } from '../reports/policy-report.ts';

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

const judged: ReadonlySet<string> = new Set(['v1 Service', 'networking.k8s.io/v1 Ingress', 'networking.k8s.io/v1 NetworkPolicy']);

/** By its metadata, of which object a report of ours would be; undefined: it is none of ours, whatever its label says. */
export function ownerOf(report: RawObject): Regarded | undefined {
  const metadata = objectAt(report, 'metadata');
  const [namespace = '', uid = ''] = [stringAt(metadata, 'namespace'), stringAt(metadata, 'name')];
  const owner = objectsAt(metadata, 'ownerReferences').find((one) => stringAt(one, 'uid') === uid) ?? {};
  const [apiVersion = '', kind = '', name = ''] = ['apiVersion', 'kind', 'name'].map((field) => stringAt(owner, field) ?? '');
  const isOne = judged.has(`${apiVersion} ${kind}`) && [namespace, name, uid].every(isObjectName);
  return isOne ? { apiVersion, kind, namespace, name, uid } : undefined;
}

/** As `ownerOf`, of a report that is whole: its scope says the same. */
export function scopeOf(report: RawObject): Regarded | undefined {
  const owner = ownerOf(report);
  const scope = objectAt(report, 'scope');
  const isSame = Object.entries(owner ?? {}).every(([field, value]) => stringAt(scope, field) === value);
  return isSame ? owner : undefined;
}

const modes: readonly Entry['mode'][] = ['deny', 'warn', 'audit', 'exempt', 'fault'];

/** No store has reports with so many of ours. */
const mostResults = 1_000;
const longestRule = 100;

/** A report that people have edited says what it likes: what reads as none of ours is not known. `now`: epoch milliseconds. */
export function storedEntries(report: RawObject, now: number): Map<string, Known> {
  const entries = new Map<string, Known>();
  for (const result of objectsAt(report, 'results').slice(0, mostResults)) {
    const properties = objectAt(result, 'properties');
    const [fingerprint = '', firstSeen = ''] = [stringAt(properties, 'fingerprint'), stringAt(properties, 'firstSeen')];
    const ruleId = stringAt(result, 'policy') ?? '';
    const mode = modes.find((one) => one === stringAt(properties, 'mode'));
    const severity = severities.find((one) => one === stringAt(result, 'severity'));
    if (fingerprint === '' || ruleId === '' || !mode || !severity || !isMoment(firstSeen, now)) continue;
    if (fingerprint.length <= longestRule && ruleId.length <= longestRule) entries.set(fingerprint, { ruleId, severity, mode, firstSeen });
  }
  return entries;
}

const dayMs = 86_400_000;
const longestSeenMs = 3_650 * dayMs;

/** As we write it, in the last ten years; a day of the future is a clock that goes wrong. */
function isMoment(text: string, now: number): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text)) return false;
  const at = Date.parse(text);
  return at > now - longestSeenMs && at < now + dayMs;
}
