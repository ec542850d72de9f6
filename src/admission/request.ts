/**
 * AdmissionReview v1 (k8s.io/api/admission/v1), as the API server sends it → what is asked of us. Only the envelope is
 * checked; of the objects in it, `normalize` reads the own fields that rules need, whatever else they hold.
 */
import { z } from 'zod';
import type { Write } from '../engine/review.ts';
import { groupOf, normalize } from '../kube/normalize.ts';
import { isObject, objectAt, stringAt } from '../kube/read.ts';
import { isJudged, type JudgedResource, type Kind, type RawObject } from '../kube/resources.ts';
import { sameJson } from './same-json.ts';

/** A request, whatever becomes of it. */
export interface Asked {
  readonly uid: string;
  readonly operation: string;
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly dryRun: boolean;
  readonly user: { readonly username: string; readonly groups: readonly string[] };
}

export type PassReason = 'subresource' | 'operation' | 'kind' | 'being-deleted' | 'controller' | 'namespace-terminating';

export type Decoded =
  /** Not an AdmissionReview v1 with a uid: there is nothing that could be answered. */
  | { readonly to: 'refuse' }
  /** None of our business, or nothing that may be stopped: allowed without a look. */
  | { readonly to: 'pass'; readonly asked: Asked; readonly reason: PassReason }
  /** A kind that we judge, but no object that we can read: allowed, and said. */
  | { readonly to: 'unreadable'; readonly asked: Asked }
  | { readonly to: 'judge'; readonly asked: Asked; readonly write: Write };

const nobody = { username: '', groups: [] };

const envelope = z.looseObject({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.looseObject({
    // The API server's are 36 characters. What is longer is not one of its, and would only be echoed.
    uid: z.string().min(1).max(256),
    kind: z.looseObject({ group: z.string().default(''), kind: z.string() }),
    subResource: z.string().optional(),
    namespace: z.string().default(''),
    operation: z.string(),
    dryRun: z.boolean().nullish(),
    // Whoever writes is no reason to let a write through unseen (reliability.md E22).
    userInfo: z.looseObject({ username: z.string().catch(''), groups: z.array(z.string()).catch([]) }).catch(nobody),
    object: z.unknown(),
    oldObject: z.unknown(),
  }),
});
type Request = z.output<typeof envelope>['request'];

const judgedGroups: ReadonlyMap<string, string> = new Map<Kind, string>([
  ['Service', ''],
  ['Ingress', 'networking.k8s.io'],
  ['NetworkPolicy', 'networking.k8s.io'],
]);

/**
 * Who clears away after others. A denial would leave a namespace in Terminating, or an orphan, for ever, and nobody reads
 * a warning. The last one is all of them in a cluster without --use-service-account-credentials.
 */
const clearsAway: ReadonlySet<string> = new Set([
  ...[
    'generic-garbage-collector',
    'namespace-controller',
    'endpoint-controller',
    'endpointslice-controller',
    'endpointslicemirroring-controller',
  ].map((name) => `system:serviceaccount:kube-system:${name}`),
  'system:kube-controller-manager',
]);

export function decode(body: unknown): Decoded {
  const parsed = envelope.safeParse(body);
  if (!parsed.success) return { to: 'refuse' };
  const { request } = parsed.data;
  const asked = askedOf(request);
  const reason = reasonToPass(request, asked);
  if (reason !== undefined) return { to: 'pass', asked, reason };
  const write = writeOf(request, asked);
  return write === undefined ? { to: 'unreadable', asked } : { to: 'judge', asked, write };
}

/** The name stands in the request or, for each object of a deletecollection and for a generated name, only in the object. */
function askedOf({ uid, operation, kind, namespace, dryRun, userInfo, object, oldObject }: Request): Asked {
  const metadata = objectAt(isObject(object) ? object : isObject(oldObject) ? oldObject : {}, 'metadata');
  return {
    uid,
    operation,
    group: kind.group,
    kind: kind.kind,
    namespace,
    name: stringAt(metadata, 'name') ?? '',
    dryRun: dryRun === true,
    user: { username: userInfo.username, groups: userInfo.groups },
  };
}

function reasonToPass({ subResource, object, oldObject }: Request, asked: Asked): PassReason | undefined {
  if (subResource !== undefined && subResource !== '') return 'subresource';
  if (!['CREATE', 'UPDATE', 'DELETE'].includes(asked.operation)) return 'operation';
  if (judgedGroups.get(asked.kind) !== asked.group) return 'kind';
  if (asked.operation === 'DELETE' && clearsAway.has(asked.user.username)) return 'controller';
  return isBeingDeleted(asked.operation, object, oldObject) ? 'being-deleted' : undefined;
}

/** Finalizers must go through, but a Service on its way out can still be given other ports (kyverno CVE-2023-34091). */
function isBeingDeleted(operation: string, object: unknown, oldObject: unknown): boolean {
  if (!isObject(oldObject)) return false;
  if (stringAt(objectAt(oldObject, 'metadata'), 'deletionTimestamp') === undefined) return false;
  return operation === 'DELETE' || (isObject(object) && sameJson(object['spec'], oldObject['spec']));
}

function writeOf({ object, oldObject }: Request, asked: Asked): Write | undefined {
  const { dryRun } = asked;
  const after = asked.operation === 'DELETE' ? undefined : resourceOf(object, asked);
  const before = asked.operation === 'CREATE' ? undefined : resourceOf(oldObject, asked);
  if (asked.operation === 'CREATE') return after && { operation: 'CREATE', after, dryRun };
  if (asked.operation === 'DELETE') return before && { operation: 'DELETE', before, dryRun };
  return after && before && { operation: 'UPDATE', before, after, dryRun };
}

function resourceOf(raw: unknown, { group, kind, namespace }: Asked): JudgedResource | undefined {
  if (!isObject(raw) || raw['kind'] !== kind || groupOf(stringAt(raw, 'apiVersion') ?? '') !== group) return undefined;
  const resource = read(raw, namespace);
  return resource !== undefined && isJudged(resource) && resource.metadata.name !== '' ? resource : undefined;
}

/** The API server has validated the object: failing to read it is our defect, and no reason to stop a write. */
function read(raw: RawObject, namespace: string) {
  try {
    return normalize(raw, { namespace });
  } catch {
    return undefined;
  }
}
