/**
 * What the audit says of one object as a report that other tools read: OpenReports' Report, or the PolicyReport that came
 * before it. Only what is to be told stands in one; nobody needs to know that a rule is content.
 */
import type { Fault } from '../engine/evaluate.ts';
import { type Finding, type Severity, severities } from '../engine/finding.ts';
import type { Surveyed } from '../engine/survey.ts';
import { display, shorten } from '../kube/display.ts';
import { formatPath } from '../kube/field-path.ts';
import { isObject, objectAt, stringAt } from '../kube/read.ts';
import type { JudgedResource, RawObject } from '../kube/resources.ts';
import { shortDigest } from './digest.ts';
import { faultText } from './report.ts';

/** An API that takes reports. */
export interface ReportForm {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: string;
  readonly clusterKind: string;
  readonly clusterResource: string;
  /** Whether a report names its source for all of its results. */
  readonly namesSource: boolean;
}

export const reportForms = {
  openreports: {
    apiVersion: 'openreports.io/v1alpha1',
    kind: 'Report',
    resource: 'reports',
    clusterKind: 'ClusterReport',
    clusterResource: 'clusterreports',
    namesSource: true,
  },
  policyreport: {
    apiVersion: 'wgpolicyk8s.io/v1alpha2',
    kind: 'PolicyReport',
    resource: 'policyreports',
    clusterKind: 'ClusterPolicyReport',
    clusterResource: 'clusterpolicyreports',
    namesSource: false,
  },
} as const satisfies Readonly<Record<string, ReportForm>>;

/** By it, and by nothing else, a report is ours. */
export const managedBy = { key: 'app.kubernetes.io/managed-by', value: 'portcullis' } as const;
/** What a stored report says, so that one that says the same is not written again. */
const hashAnnotation = 'portcullis.dev/content-hash';

/** The words of reports, gravest first, which is the order of results too. */
const resultWords = ['fail', 'error', 'warn', 'skip'] as const;
type ResultWord = (typeof resultWords)[number];

/** Something to tell of an object. */
export interface Entry {
  readonly ruleId: string;
  readonly messageId: string;
  readonly severity: Severity;
  readonly mode: 'deny' | 'warn' | 'audit' | 'exempt' | 'fault';
  /** Short, and the same for the same defect whenever and by whomever it is found. */
  readonly fingerprint: string;
  readonly message: string;
  readonly field: string;
  readonly fix: string;
  /** What is wrong, without the consequence. */
  readonly what: string;
}

const wordOf: Readonly<Record<Entry['mode'], ResultWord>> = { deny: 'fail', warn: 'fail', fault: 'error', audit: 'warn', exempt: 'skip' };

export type Told = Pick<Surveyed, 'object' | 'findings' | 'exempted' | 'faults'>;

/** All that there is to tell, in an order that depends on nothing but what it says: gravest first. */
export function entriesOf({ findings, exempted, faults }: Told): readonly Entry[] {
  const entries = [
    ...findings.map(({ finding, mode }) => entryOf(finding, mode)),
    ...exempted.map(({ finding, reason }) => entryOf(finding, 'exempt', reason)),
    ...faults.map((fault) => faultEntry(fault)),
  ];
  return entries
    .map((entry) => ({ entry, key: sortKey(entry) }))
    .sort(byKey)
    .map(({ entry }) => entry);
}

const byKey = (a: { readonly key: string }, b: { readonly key: string }): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

const sortKey = ({ mode, severity, ruleId, messageId, field, fingerprint }: Entry): string =>
  [resultWords.indexOf(wordOf[mode]), severities.indexOf(severity), ruleId, messageId, field, fingerprint].join('\n');

/** Far above what rules write: an object with thousands of labels must not make a report that no store takes. */
export const longest = 1_000;

function entryOf(finding: Finding, mode: Exclude<Entry['mode'], 'fault'>, reason?: string): Entry {
  const { ruleId, messageId, severity, fingerprint } = finding;
  const [what, why, fix] = [finding.what, finding.why, finding.fix.text].map((text) => display(text, longest)) as [string, string, string];
  const field = display(formatPath(finding.path), longest);
  const exempt = reason === undefined ? '' : ` Exempt: ${ended(display(reason, longest))}`;
  // No full stop at the end: a fix may be a command, and is copied as it stands.
  const message = `${ended(placed({ field, what }))} ${why}${exempt} Fix: ${fix}`;
  return { ruleId, messageId, severity, mode, fingerprint: shortDigest(fingerprint), message, field, fix, what };
}

/** `spec.selector: app=web matches 0 of 3 Pods`: of several findings alike, the field tells which is which. */
export const placed = ({ field, what }: Pick<Entry, 'field' | 'what'>): string =>
  field === '' ? what : `${shorten(field, longestField)}: ${what}`;

/** In front of a text; whole, it stands in the properties. */
const longestField = 200;

/** As a sentence that another one may follow. */
const ended = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

/** Not the object is at fault but we are: nobody has to repair anything but us. */
function faultEntry(fault: Fault): Entry {
  const what = display(`the rule could not be judged: ${faultText(fault)}`, longest);
  const fingerprint = shortDigest(`fault ${fault.ruleId}`);
  return {
    ruleId: fault.ruleId,
    messageId: 'fault',
    severity: 'info',
    mode: 'fault',
    fingerprint,
    message: `${what}.`,
    field: '',
    fix: '',
    what,
  };
}

export interface ReportWriting {
  readonly form: ReportForm;
  /** More results than this are one that counts the rest. */
  readonly maxResults: number;
  /** When an entry was told first, as RFC 3339, by fingerprint; undefined if that is not known. */
  readonly firstSeen: (fingerprint: string) => string | undefined;
  /** Where a rule's page is: a text for people. */
  readonly docsOf: (ruleId: string) => string;
}

/** The report of one object, complete, or undefined if there is nothing to tell. */
export function policyReport(object: JudgedResource, entries: readonly Entry[], writing: ReportWriting): RawObject | undefined {
  if (entries.length === 0) return undefined;
  const { apiVersion, kind, metadata } = object;
  const { namespace, name, uid = '' } = metadata;
  const owner = { apiVersion, kind, name, uid };
  return finished(
    { name: uid, namespace, ownerReferences: [owner] },
    { scope: { apiVersion, kind, namespace, name, uid } },
    { kind: writing.form.kind, entries, results: cut(entries, writing) },
    writing,
  );
}

export interface Content {
  readonly kind: string;
  readonly entries: readonly Entry[];
  readonly results: readonly RawObject[];
}

/** A report with its summary, and the hash by which it is known again. */
export function finished(metadata: RawObject, about: RawObject, { kind, entries, results }: Content, { form }: ReportWriting): RawObject {
  const summary = {
    pass: 0,
    ...Object.fromEntries(resultWords.map((word) => [word, entries.filter(({ mode }) => wordOf[mode] === word).length])),
  };
  const source = form.namesSource ? { source: managedBy.value } : {};
  const content = { ...source, ...about, summary, results };
  const labels = { [managedBy.key]: managedBy.value };
  const report = { apiVersion: form.apiVersion, kind, metadata: { ...metadata, labels }, ...content };
  return { ...report, metadata: { ...report.metadata, annotations: { [hashAnnotation]: contentHash(report) } } };
}

/** Equal for reports that say the same of the same object, in whatever order a store returns their keys. */
function contentHash({ apiVersion, metadata, source, scope, summary, results }: RawObject): string {
  const { name, namespace, ownerReferences } = metadata as RawObject;
  const content = { apiVersion, name, namespace, ownerReferences, source, scope, summary, results };
  return shortDigest(JSON.stringify(content, inOrder));
}

const inOrder = (_: string, value: unknown): unknown =>
  isObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;

/** What a report says by its annotation; undefined where there is none, or somebody has changed the rest. */
export function hashOf(report: RawObject): string | undefined {
  const stated = stringAt(objectAt(objectAt(report, 'metadata'), 'annotations'), hashAnnotation);
  return stated === contentHash({ metadata: {}, ...report }) ? stated : undefined;
}

function cut(entries: readonly Entry[], writing: ReportWriting): readonly RawObject[] {
  const rest = entries.slice(writing.maxResults);
  const kept = entries.slice(0, writing.maxResults).map((entry) => resultOf(entry, writing));
  return rest.length === 0 ? kept : [...kept, moreOf(rest)];
}

export function resultOf(entry: Entry, { firstSeen, docsOf }: ReportWriting): RawObject {
  const { ruleId, messageId, severity, mode, message, field, fix, fingerprint } = entry;
  const seen = firstSeen(fingerprint);
  const since = seen === undefined ? {} : { timestamp: { seconds: Math.floor(Date.parse(seen) / 1_000), nanos: 0 } };
  const properties = { field, fix, docs: docsOf(ruleId), mode, firstSeen: seen ?? '', fingerprint };
  return {
    source: managedBy.value,
    policy: ruleId,
    rule: messageId,
    category: areaOf(ruleId),
    severity,
    result: wordOf[mode],
    message,
    ...since,
    properties: Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== '')),
  };
}

/** As grave as the gravest of what it stands for. */
export function moreOf(rest: readonly Entry[]): RawObject {
  const [{ mode, severity }] = rest as [Entry];
  const message = `${rest.length} more: \`portcullis audit\` tells all.`;
  return {
    source: managedBy.value,
    policy: 'portcullis',
    rule: 'more-results',
    category: 'Portcullis',
    severity,
    result: wordOf[mode],
    message,
  };
}

const areas: readonly (readonly [string, string])[] = [
  ['service-', 'Services'],
  ['statefulset-', 'Services'],
  ['ingress-', 'Ingresses'],
  ['tls-', 'TLS'],
  ['network-policy-', 'Network policies'],
  ['dns-', 'DNS'],
  ['exemption-', 'Exemptions'],
];

/** What a rule is about, by how its id begins. */
export const areaOf = (ruleId: string): string => areas.find(([prefix]) => ruleId.startsWith(prefix))?.[1] ?? 'Portcullis';
