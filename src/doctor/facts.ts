/** What has been seen of an installation: plain data. `commands/doctor-facts.ts` reads it, the checks judge it. */
import { labelsOf, matchesPairs, matchesSelector } from '../kube/labels.ts';
import { selectorOf } from '../kube/normalize-networking.ts';
import { objectAt, objectsAt, stringAt, stringsAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';

/** `unseen`: it could not be looked at, so that nothing may be concluded from it. */
export type Seen<T> =
  | { readonly state: 'seen'; readonly value: T }
  | { readonly state: 'absent' }
  | { readonly state: 'unseen'; readonly why: string };

export const seenIn = <T>(seen: Seen<T>): T | undefined => (seen.state === 'seen' ? seen.value : undefined);
/** Empty if it could not be looked at: only for what is concluded from an object that is there. */
export const listOf = <T>(seen: Seen<readonly T[]>): readonly T[] => seenIn(seen) ?? [];

/** A certificate, as far as it is public. */
export interface CertificateFacts {
  readonly subject: string;
  /** Epoch milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** DNS names that it is for. */
  readonly names: readonly string[];
}

/** What a `caBundle` holds. */
export type Bundle = 'empty' | 'unreadable' | readonly CertificateFacts[];

/** The Secret from which the webhook has its certificate; nothing of a key is ever kept. */
export interface ServedCertificate {
  /** `auto`: the process keeps it itself (`--tls-secret`). */
  readonly source: 'auto' | 'cert-manager' | 'given';
  /** What is served, or the authority that signs it. Undefined while the Secret holds none. */
  readonly certificate: CertificateFacts | undefined;
  readonly isAuthority: boolean;
  /** The key of the Secret's data under which the certificate of its authority stands, where it stands there. */
  readonly authorityKey: string | undefined;
  /** cert-manager's Certificate that brings it. */
  readonly certificateName?: string;
  /** Entry → whether the API server accepts it by that entry's `caBundle`, dates and names apart. */
  readonly trustedBy: ReadonlyMap<string, boolean>;
}

/** A right that the ServiceAccount needs, and whether it has it. */
export interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** Empty: in all namespaces, or of what has none. */
  readonly namespace: string;
  readonly name?: string;
  /** What does not work without it: rule ids, or a part of Portcullis. */
  readonly neededBy: readonly string[];
  readonly allowed: boolean;
}

/** The API server as the network sees it. */
export interface ApiServerFacts {
  readonly addresses: readonly string[];
  readonly port: number;
  /** Of Service default/kubernetes. */
  readonly serviceAddresses: readonly string[];
  /** Whether it sends webhook calls to Pods itself, past the Service's address; undefined where its flags cannot be seen. */
  readonly routesToPods?: boolean;
}

/** The configuration file as the Pods have it. */
export type FileFacts =
  | { readonly problem: string }
  | {
      readonly problem?: undefined;
      readonly profile: 'observe' | 'guided' | 'strict';
      readonly namespaceProfiles: 'ignore' | 'stricter' | 'any';
    };

/** One entry's counters at the API server since it started. */
export interface CounterFacts {
  readonly entry: string;
  /** Writes that went through since nobody answered, and those refused for it. */
  readonly failedOpen: number;
  readonly failedClosed: number;
}

export interface Facts {
  /** Epoch milliseconds. */
  readonly now: number;
  /** `kubectl`, with the flags that lead to this cluster. */
  readonly kubectl: string;
  /** Names: of the ValidatingWebhookConfiguration, of where we run, of who we are. */
  readonly configuration: string;
  readonly namespace: string;
  readonly serviceName: string;
  readonly serviceAccount: string;
  readonly leaseName: string | undefined;
  /** The Secret that the Pods are told to take their certificate from. */
  readonly secretName: string | undefined;
  /** Whether they make that certificate themselves (`--tls-secret`). */
  readonly keepsSecret: boolean;

  readonly registration: Seen<RawObject>;
  readonly bundles: ReadonlyMap<string, Bundle>;
  readonly otherRegistrations: Seen<readonly RawObject[]>;
  readonly service: Seen<RawObject>;
  readonly endpointSlices: Seen<readonly RawObject[]>;
  readonly deployments: Seen<readonly RawObject[]>;
  readonly pods: Seen<readonly RawObject[]>;
  /** Pod → what its `/readyz` answers, of those that run and are not ready. */
  readonly readiness: ReadonlyMap<string, string>;
  readonly budgets: Seen<readonly RawObject[]>;
  readonly certificate: Seen<ServedCertificate>;
  readonly lease: Seen<RawObject>;
  readonly rights: Seen<readonly Right[]>;
  /** Name of the ClusterRole that is bound to our ServiceAccount and nobody else; undefined where what is bound is others' too. */
  readonly clusterRole: Seen<string | undefined>;
  readonly policies: Seen<readonly RawObject[]>;
  readonly namespaces: Seen<readonly RawObject[]>;
  readonly apiServer: Seen<ApiServerFacts>;
  readonly file: Seen<FileFacts>;
  readonly counters: Seen<readonly CounterFacts[]>;
  readonly events: Seen<readonly RawObject[]>;
  /** A dry-run of a Service, asked where an entry is `Fail`: the API server's refusal, empty if it lets it pass. */
  readonly trial: Seen<string>;
}

export const nameOf = (object: RawObject): string => stringAt(objectAt(object, 'metadata'), 'name') ?? '';
export const labelsIn = (object: RawObject) => labelsOf(objectAt(object, 'metadata')['labels']);
export const annotationsIn = (object: RawObject) => labelsOf(objectAt(object, 'metadata')['annotations']);

/** The Deployment whose Pods the Service leads to, by name if by no label. */
export function deploymentOf({ deployments, service, serviceName, configuration }: Facts): RawObject | undefined {
  const all = listOf(deployments);
  const selector = labelsOf(objectAt(seenIn(service) ?? {}, 'spec')['selector']);
  const led = all.find((one) => Object.keys(selector).length > 0 && matchesPairs(selector, templateLabels(one)));
  return led ?? all.find((one) => nameOf(one) === serviceName) ?? all.find((one) => nameOf(one) === configuration);
}

const templateOf = (deployment: RawObject): RawObject => objectAt(objectAt(deployment, 'spec'), 'template');
export const templateLabels = (deployment: RawObject) => labelsIn(templateOf(deployment));
export const containersOf = (deployment: RawObject): readonly RawObject[] =>
  objectsAt(objectAt(templateOf(deployment), 'spec'), 'containers');

/** The value of an argument of the process, written as one word or as two. */
export function argumentOf(deployment: RawObject | undefined, flag: string): string | undefined {
  const words = deployment === undefined ? [] : containersOf(deployment).flatMap((container) => stringsAt(container, 'args'));
  const joined = words.find((word) => word.startsWith(`${flag}=`));
  if (joined !== undefined) return joined.slice(flag.length + 1);
  return words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined;
}

/** Whether a flag without a value is given. */
export const hasFlag = (deployment: RawObject | undefined, flag: string): boolean =>
  deployment !== undefined && containersOf(deployment).some((container) => stringsAt(container, 'args').includes(flag));

/** The Pods of our Deployment; without one, those that the Service selects. */
export function podsOf(facts: Facts): readonly RawObject[] {
  const deployment = deploymentOf(facts);
  const selector = deployment
    ? selectorOf(objectAt(objectAt(deployment, 'spec'), 'selector'))
    : selectorOf({ matchLabels: objectAt(seenIn(facts.service) ?? {}, 'spec')['selector'] });
  if (Object.keys(selector.matchLabels).length + selector.matchExpressions.length === 0) return [];
  return listOf(facts.pods).filter((pod) => matchesSelector(selector, labelsIn(pod)));
}

export const isReady = (pod: RawObject): boolean =>
  objectsAt(objectAt(pod, 'status'), 'conditions').some((one) => one['type'] === 'Ready' && one['status'] === 'True');

/** Whether no Pod of ours is ready, as far as Pods could be seen. */
export const nobodyIsReady = (facts: Facts): boolean => facts.pods.state === 'seen' && !podsOf(facts).some(isReady);
