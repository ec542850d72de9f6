/** What our ServiceAccount has to be allowed: by the enabled rules' own words, and by the flags that the Pods run with. */
import type { Configuration } from '../config/settings.ts';
import type { Right } from '../doctor/facts.ts';
import { groupOf } from '../kube/normalize.ts';
import type { Collection } from '../kube/resources.ts';
import { choosableForms, type ReportChoice } from '../sinks/report-choice.ts';
import { type WatchedKind, watchedKinds } from '../sources/watched.ts';

export interface Needed extends Omit<Right, 'allowed'> {
  /** The kind, where it is somebody's that a cluster may not serve. */
  readonly foreign?: WatchedKind;
}

/** The parts of the flags that ask for rights of their own. */
export interface OwnObjects {
  readonly namespace: string;
  /** Kept by the Pods themselves. */
  readonly secret: string | undefined;
  readonly webhookConfiguration: string | undefined;
  readonly lease: string | undefined;
  /** Where the audit tells what it finds. */
  readonly reports: ReportChoice;
  readonly events: boolean;
}

export function neededRights(configuration: Configuration, own: OwnObjects): readonly Needed[] {
  return [...readingRights(configuration), ...askingRights(configuration), ...ownRights(own), ...auditRights(own)];
}

/** Whatever the rules (sources/watched.ts, readAlways), and for what. */
const always: readonly (readonly [Collection, string])[] = [
  ['Service', 'audit'],
  ['Ingress', 'audit'],
  ['NetworkPolicy', 'audit'],
  ['Namespace', 'profiles of namespaces'],
  ['Pod', 'telling who calls'],
];

function readingRights({ rules, workloads, secrets }: Configuration): readonly Needed[] {
  const readers = new Map<Collection, string[]>(always.map(([collection, who]) => [collection, [who]]));
  for (const { meta } of rules) for (const collection of meta.reads) readers.set(collection, [...(readers.get(collection) ?? []), meta.id]);
  const watched = watchedKinds(workloads).flatMap((kind) => {
    const neededBy = readers.get(kind.collection);
    const right = { group: groupOf(kind.apiVersion), resource: kind.resource, namespace: '', ...(kind.isForeign && { foreign: kind }) };
    return neededBy === undefined ? [] : ['get', 'list', 'watch'].map((verb) => ({ ...right, verb, neededBy }));
  });
  const neededBy = readers.get('Secret');
  const readsSecrets = neededBy !== undefined && secrets.level !== 'off';
  return readsSecrets ? [...watched, { verb: 'get', group: '', resource: 'secrets', namespace: '', neededBy }] : watched;
}

/** What requesters may do is asked where an annotation may exempt who has a right, and where a text may tell him of other namespaces. */
function askingRights({ privacy, file: { exemptions } }: Configuration): readonly Needed[] {
  const neededBy = [
    ...(exemptions.byAnnotation === 'permitted' ? ['exemption by annotation'] : []),
    ...(privacy === 'tenant' ? ['word of other namespaces to who may read them'] : []),
  ];
  const right = { verb: 'create', group: 'authorization.k8s.io', resource: 'subjectaccessreviews', namespace: '' };
  return neededBy.length === 0 ? [] : [{ ...right, neededBy }];
}

function ownRights({ namespace, secret, webhookConfiguration, lease }: OwnObjects): readonly Needed[] {
  const right = (verbs: readonly string[], group: string, resource: string, where: string, name: string | undefined, who: string) =>
    name === undefined ? [] : verbs.map((verb) => ({ verb, group, resource, namespace: where, name, neededBy: [who] }));
  const registrations = 'admissionregistration.k8s.io';
  return [
    ...right(['get', 'update'], '', 'secrets', namespace, secret, 'certificate'),
    ...right(['get', 'patch'], registrations, 'validatingwebhookconfigurations', '', secret && webhookConfiguration, 'caBundle'),
    ...right(['get', 'update'], 'coordination.k8s.io', 'leases', namespace, lease, 'leader'),
  ];
}

/** Reports are listed, since what is no more has to go; Events are not, since each has a name that is known. */
function auditRights({ reports, events }: OwnObjects): readonly Needed[] {
  const right = (verbs: readonly string[], group: string, resource: string, who: string): readonly Needed[] =>
    verbs.map((verb) => ({ verb, group, resource, namespace: '', neededBy: [who] }));
  const ofReports = choosableForms[reports].flatMap(({ apiVersion, resource, clusterResource }) =>
    [clusterResource, resource].flatMap((one) => right(['create', 'delete', 'get', 'list', 'patch'], groupOf(apiVersion), one, 'reports')),
  );
  return [...ofReports, ...(events ? right(['create', 'delete', 'patch'], 'events.k8s.io', 'events', 'Events') : [])];
}
