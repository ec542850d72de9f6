/** Decision → AdmissionReview v1. Every answer carries the request's uid; the API server takes any other for a failed call. */
import type { Decision } from '../engine/review.ts';
import { display } from '../kube/display.ts';
import { type Denial, denialOf } from './denial-text.ts';
import type { Asked } from './request.ts';
import { notCheckedLine, type StaleMsOf, staleLine, warningLines } from './warning-text.ts';

export interface Answer {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly status?: Denial;
    readonly warnings?: readonly string[];
    readonly auditAnnotations?: Readonly<Record<string, string>>;
  };
}

/** What the texts need beside the decision. */
export interface Circumstances {
  /** What the configuration has to say about this write: an entry that has expired. */
  readonly notices: readonly string[];
  readonly staleMsOf: StaleMsOf;
  /** The oldest of all that was looked at, in milliseconds. */
  readonly staleMs: number;
  readonly docsBaseUrl: string;
}

/** Allowed without a look, or without a word. */
export const allow = ({ uid }: Asked): Answer => answer({ uid, allowed: true });

/** Allowed since the object could not be read: said, as every uncertainty is. */
export function allowUnread({ uid, kind }: Asked): Answer {
  const warnings = [display(`portcullis: ${kind} not checked: the object cannot be read`, 120)];
  return answer({ uid, allowed: true, warnings, auditAnnotations: { decision: 'allow', 'not-evaluated': 'all: unreadable' } });
}

/** A denial carries no warnings: it lists them itself, after what denies. */
export function encode(asked: Asked, decision: Decision, around: Circumstances): Answer {
  const { uid } = asked;
  const auditAnnotations = annotationsOf(decision, around);
  const extra = [notCheckedLine(decision), ...around.notices].filter((line) => line !== undefined);
  if (!decision.allowed) {
    return answer({ uid, allowed: false, status: denialOf(asked, decision, extra, around.docsBaseUrl), auditAnnotations });
  }
  const stale = decision.warnings.length === 0 ? staleLine(around.staleMs) : undefined;
  const warnings = warningLines(decision.warnings, stale === undefined ? extra : [...extra, stale], around.staleMsOf);
  return answer(warnings.length === 0 ? { uid, allowed: true, auditAnnotations } : { uid, allowed: true, warnings, auditAnnotations });
}

const answer = (response: Answer['response']): Answer => ({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response });

/** Keys are qualified names, or the API server drops them with a line in its log; values are stored as they come. */
function annotationsOf(decision: Decision, { staleMs }: Circumstances): Readonly<Record<string, string>> {
  const { denials, warnings, audited, exempted, skipped, faults, allowed } = decision;
  const rules = [
    ...denials.map(({ ruleId }) => `deny:${ruleId}`),
    ...warnings.map(({ finding, softened }) => `${softened ?? 'warn'}:${finding.ruleId}`),
    ...audited.map(({ ruleId }) => `audit:${ruleId}`),
    ...exempted.map(({ finding, reason }) => `exempt:${finding.ruleId} (${reason})`),
  ];
  const unevaluated = [
    ...skipped.map(({ ruleId, reason, missing }) => `${ruleId}: ${missing === undefined ? reason : `${reason} ${missing}`}`),
    ...faults.map(({ ruleId }) => `${ruleId}: internal error`),
  ];
  const annotations: Record<string, string> = { decision: !allowed ? 'deny' : warnings.length > 0 ? 'warn' : 'allow' };
  if (rules.length > 0) annotations['rules'] = annotationValue(rules);
  if (unevaluated.length > 0) annotations['not-evaluated'] = annotationValue(unevaluated);
  if (staleMs > 0) annotations['cache-age-ms'] = String(Math.round(staleMs));
  return annotations;
}

const annotationValue = (entries: readonly string[]): string =>
  display([...new Set(entries)].join(', '), 1000)
    .replaceAll('…', '...')
    .replaceAll(/[^\x20-\x7e]/gu, '?');
