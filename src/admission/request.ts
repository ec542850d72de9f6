/**
 * AdmissionReview v1 (k8s.io/api/admission/v1), as the API server sends it → what is asked of us. Only the envelope is
 * checked; of the objects in it, `normalize` reads the own fields that rules need, whatever else they hold.
 */
import { clearsAway } from '../engine/clears-away.ts';
import type { Write } from '../engine/review.ts';
import { isJudged } from '../kube/collections.ts';
import { groupOf, normalize } from '../kube/normalize.ts';
import { booleanAt, given, isObject, objectAt, stringAt, stringsAt } from '../kube/read.ts';
import { type Requester, requesterOf } from '../kube/requester.ts';
import type { JudgedResource, Kind, RawObject } from '../kube/resources.ts';
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
  /** The user as an authorizer must know it; left out where `userInfo` is not what an API server sends. */
  readonly requester?: Requester;
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

const judgedOperations: ReadonlySet<string> = new Set<Write['operation']>(['CREATE', 'UPDATE', 'DELETE']);
const judgedGroups: ReadonlyMap<string, string> = new Map<Kind, string>([
  ['Service', ''],
  ['Ingress', 'networking.k8s.io'],
  ['NetworkPolicy', 'networking.k8s.io'],
]);

export function decode(body: unknown): Decoded {
  const request = requestIn(body);
  if (request === undefined) return { to: 'refuse' };
  const asked = askedOf(request);
  const reason = reasonToPass(request, asked);
  if (reason !== undefined) return { to: 'pass', asked, reason };
  const write = writeOf(request, asked);
  return write === undefined ? { to: 'unreadable', asked } : { to: 'judge', asked, write };
}

/** The request in an AdmissionReview v1, or undefined if it is none. `object` and `oldObject` may be anything, or left out. */
function requestIn(body: unknown): RawObject | undefined {
  if (!isObject(body)) return undefined;
  if (stringAt(body, 'apiVersion') !== 'admission.k8s.io/v1' || stringAt(body, 'kind') !== 'AdmissionReview') return undefined;
  const request = objectAt(body, 'request');
  const kind = objectAt(request, 'kind');
  const isRequest =
    isUid(stringAt(request, 'uid') ?? '') &&
    stringAt(request, 'operation') !== undefined &&
    stringAt(kind, 'kind') !== undefined &&
    isAbsentOr('string', kind['group']) &&
    isAbsentOr('string', request['subResource']) &&
    isAbsentOr('string', request['namespace']) &&
    (isAbsentOr('boolean', request['dryRun']) || request['dryRun'] === null);
  return isRequest ? request : undefined;
}

/** The API server's are 36 characters. What is longer is not one of its, and would only be echoed. */
const isUid = (text: string): boolean => text !== '' && text.length <= 256;

const isAbsentOr = (type: 'string' | 'boolean', value: unknown): boolean => value === undefined || typeof value === type;

/**
 * The name stands in the request or, for each object of a deletecollection and for a generated name, only in the object.
 * Whoever writes is no reason to let a write through unseen (reliability.md E22): a userInfo of any shape will do.
 */
function askedOf(request: RawObject): Asked {
  const kind = objectAt(request, 'kind');
  const user = objectAt(request, 'userInfo');
  const object = isObject(request['object']) ? objectAt(request, 'object') : objectAt(request, 'oldObject');
  return {
    uid: stringAt(request, 'uid') ?? '',
    operation: stringAt(request, 'operation') ?? '',
    group: stringAt(kind, 'group') ?? '',
    kind: stringAt(kind, 'kind') ?? '',
    namespace: stringAt(request, 'namespace') ?? '',
    name: stringAt(objectAt(object, 'metadata'), 'name') ?? '',
    dryRun: booleanAt(request, 'dryRun'),
    user: { username: stringAt(user, 'username') ?? '', groups: stringsAt(user, 'groups') },
    ...given('requester', requesterOf(user)),
  };
}

function reasonToPass(request: RawObject, { operation, kind, group, user }: Asked): PassReason | undefined {
  if ((stringAt(request, 'subResource') ?? '') !== '') return 'subresource';
  if (!judgedOperations.has(operation)) return 'operation';
  if (judgedGroups.get(kind) !== group) return 'kind';
  if (operation === 'DELETE' && clearsAway.has(user.username)) return 'controller';
  return isBeingDeleted(operation, request['object'], request['oldObject']) ? 'being-deleted' : undefined;
}

/** Finalizers must go through, but a Service on its way out can still be given other ports (kyverno CVE-2023-34091). */
function isBeingDeleted(operation: string, object: unknown, oldObject: unknown): boolean {
  if (!isObject(oldObject)) return false;
  if (stringAt(objectAt(oldObject, 'metadata'), 'deletionTimestamp') === undefined) return false;
  return operation === 'DELETE' || (isObject(object) && sameJson(object['spec'], oldObject['spec']));
}

function writeOf({ object, oldObject }: RawObject, asked: Asked): Write | undefined {
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
