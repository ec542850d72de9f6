/** Why a rule was not judged, in words that fit what was looked at: files, or a cluster. */
import type { Skip } from '../engine/evaluate.ts';
import { listed } from '../kube/listed.ts';
import type { Collection, ObjectRef } from '../kube/resources.ts';
import type { Report } from './report.ts';

export type Surface = 'files' | 'cluster';

export const surfaceOf = ({ cluster, files }: Pick<Report, 'cluster' | 'files'>): Surface =>
  cluster !== undefined && files === 0 ? 'cluster' : 'files';

const reasons: Readonly<Record<Skip['reason'], string>> = {
  notGiven: 'is not among the files',
  partial: 'may be more than the files hold',
  unsynced: 'could not be read',
  forbidden: 'may not be read',
  notServed: 'is not known to this cluster',
  unanswered: 'was not told in time by the API server',
  deadline: 'there was no time left',
  tooMany: 'there are more than 250 findings, of which no more were looked for',
  tooNew: 'the object was changed a moment ago, and what it lacks may be on its way',
};

/** Whole lists of a cluster are read, so there are several of each. */
const plurals: Readonly<Record<Collection, string>> = {
  Service: 'Services',
  Ingress: 'Ingresses',
  NetworkPolicy: 'NetworkPolicies',
  Namespace: 'Namespaces',
  Pod: 'Pods',
  Template: 'workloads',
  Certificate: 'Certificates',
  ExternalSecret: 'ExternalSecrets',
  IngressClass: 'IngressClasses',
  SealedSecret: 'SealedSecrets',
  Secret: 'Secrets',
  ValidatingWebhookConfiguration: 'ValidatingWebhookConfigurations',
  MutatingWebhookConfiguration: 'MutatingWebhookConfigurations',
  APIService: 'APIServices',
};

/** As the end of a sentence: `Pod of namespace shop is not among the files`, `Certificates of namespace shop may not be read`. */
export const skipText = (skip: Skip, surface: Surface): string =>
  textFor(skip, skip.namespace === undefined ? [] : [skip.namespace], surface);

function textFor({ reason, missing, resources = [], untilMs }: Skip, namespaces: readonly string[], surface: Surface): string {
  if (untilMs !== undefined) return `${reasons[reason]}: tell again after ${timeOf(untilMs)} UTC`;
  if (missing === undefined) return reasons[reason];
  if (reason === 'notGiven' && surface === 'cluster') return `there is no ${missing} that it could go by${placeText(namespaces, 'in')}`;
  const isList = surface === 'cluster' && (reason === 'forbidden' || reason === 'unsynced');
  const name = resources.length > 0 ? listed(resources, resources.length) : isList ? plurals[missing] : missing;
  return `${name}${placeText(namespaces, 'of')} ${reasons[reason]}`;
}

/** To the next full second. */
const timeOf = (epochMs: number): string => new Date(Math.ceil(epochMs / 1000) * 1000).toISOString().slice(11, 19);

function placeText(namespaces: readonly string[], word: string): string {
  const named = namespaces.filter((one) => one !== '');
  if (named.length === 0) return '';
  if (named.includes('*')) return ` ${word} all namespaces`;
  return ` ${word} ${named.length === 1 ? 'namespace' : 'namespaces'} ${listed(named)}`;
}

export interface SkipGroup {
  readonly ruleId: string;
  readonly why: string;
  readonly objects: readonly ObjectRef[];
}

/** What was not checked and why, once for each rule and reason, with the objects, in however many namespaces. */
export function skipGroups(report: Pick<Report, 'skipped' | 'cluster' | 'files'>): readonly SkipGroup[] {
  const surface = surfaceOf(report);
  const groups = Map.groupBy(report.skipped, ({ skip }) => JSON.stringify([skip.ruleId, textFor(skip, [], surface)]));
  return [...groups.values()].map((group) => {
    const [{ skip }] = group as [(typeof group)[number]];
    const namespaces = [...new Set(group.flatMap((one) => one.skip.namespace ?? []))].sort();
    return { ruleId: skip.ruleId, why: textFor(skip, namespaces, surface), objects: group.map(({ object }) => object) };
  });
}
