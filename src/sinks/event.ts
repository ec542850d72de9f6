/** What an Event about a finding says, and what it is called. */
import { microTime } from '../client/clock.ts';
import { severities } from '../engine/finding.ts';
import type { RawObject } from '../kube/resources.ts';
import { shortDigest } from '../reports/digest.ts';
import { type Entry, placed } from '../reports/policy-report.ts';
import type { Regarded } from './stored-report.ts';

export const reportingController = 'portcullis.dev/audit';

/** `service-selector-matches-no-pods` → `SelectorMatchesNoPods`: what kind of object it is about, the Event says itself. */
export const eventReason = (ruleId: string): string =>
  ruleId
    .replace(/^(service|ingress|network-policy)-/, '')
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

export const eventType = ({ mode, severity }: Pick<Entry, 'mode' | 'severity'>): 'Warning' | 'Normal' =>
  mode === 'deny' || severities.indexOf(severity) <= severities.indexOf('high') ? 'Warning' : 'Normal';

/** The API server takes 1,024 bytes (pkg/apis/core/validation/events.go). */
const longestNote = 1024;

export const eventNote = (entry: Entry): string => {
  const end = ` [${entry.ruleId}]`;
  return `${withinBytes(`${placed(entry)}; ${entry.fix}`, longestNote - end.length)}${end}`;
};

export const combinedNote = (note: string): string => withinBytes(`(combined from similar events): ${note}`, longestNote);

function withinBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const bytes = Buffer.from(text).subarray(0, most - Buffer.byteLength('…'));
  // A character that is cut through decodes as U+FFFD.
  return `${bytes.toString('utf8').replace(/\uFFFD+$/, '')}…`;
}

/** The same whoever tells it, so that nobody tells it twice. The name of an object may have 253 characters, as has that of an Event. */
export const eventName = ({ name, uid }: Regarded, about: string): string =>
  `${name.slice(0, 200).replace(/[^a-z0-9]+$/, '')}.${shortDigest(`${uid} ${about}`)}`;

export interface EventContent extends Pick<Entry, 'ruleId' | 'mode' | 'severity'> {
  readonly name: string;
  readonly note: string;
  /** Who tells it: at most 128 characters. */
  readonly instance: string;
  readonly atMs: number;
}

export const eventOf = ({ apiVersion, kind, namespace, name: objectName, uid }: Regarded, content: EventContent): RawObject => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name: content.name, namespace },
  eventTime: microTime(content.atMs),
  reportingController,
  reportingInstance: content.instance.slice(0, 128),
  action: 'Audit',
  reason: eventReason(content.ruleId),
  type: eventType(content),
  regarding: { apiVersion, kind, namespace, name: objectName, uid },
  note: content.note,
});
