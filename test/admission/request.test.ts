import { describe, expect, it } from 'vitest';
import { decode } from '../../src/admission/request.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { requestFor, reviewOf, service } from './reviews.ts';

const decoded = (changes: RawObject = {}, object: RawObject | null = service()) => decode(reviewOf(requestFor(object, changes)));
const parsed = (json: string): unknown => JSON.parse(json);

describe('an AdmissionReview', () => {
  it('of a CREATE holds the object that is to be', () => {
    expect(decoded()).toMatchObject({
      to: 'judge',
      asked: { operation: 'CREATE', kind: 'Service', namespace: 'shop', name: 'web', dryRun: false, user: { username: 'alice' } },
      write: { operation: 'CREATE', after: { kind: 'Service', metadata: { name: 'web' } }, dryRun: false },
    });
  });

  it('of an UPDATE holds both', () => {
    const changes = { operation: 'UPDATE', oldObject: service('web', { ports: [{ port: 81 }] }), dryRun: true };
    expect(decoded(changes)).toMatchObject({
      write: { operation: 'UPDATE', before: { spec: { ports: [{ port: 81 }] } }, after: { spec: { ports: [{ port: 80 }] } }, dryRun: true },
    });
  });

  it('of a DELETE has its name in oldObject alone, as a deletecollection does', () => {
    expect(decoded({ operation: 'DELETE', oldObject: service('old') }, null)).toMatchObject({
      to: 'judge',
      asked: { name: 'old' },
      write: { operation: 'DELETE', before: { metadata: { name: 'old' } } },
    });
  });

  it('may leave out what it has nothing for', () => {
    const { object, oldObject, dryRun, namespace, userInfo, ...least } = requestFor(service());
    expect(decode(reviewOf({ ...least, object }))).toMatchObject({ to: 'judge', write: { after: { metadata: { name: 'web' } } } });
    const removal = { ...least, operation: 'DELETE', oldObject: service('old') };
    expect(decode(reviewOf(removal))).toMatchObject({ to: 'judge', write: { before: { metadata: { name: 'old' } } } });
    expect(decode(reviewOf(least))).toMatchObject({ to: 'unreadable', asked: { namespace: '', dryRun: false, user: { username: '' } } });
  });

  it.each([
    ['no object at all', null],
    ['a list', []],
    ['another version', { ...reviewOf(requestFor(service())), apiVersion: 'admission.k8s.io/v1beta1' }],
    ['another kind', { ...reviewOf(requestFor(service())), kind: 'TokenReview' }],
    ['no request', { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }],
    ['no uid', reviewOf(requestFor(service(), { uid: undefined }))],
    ['an empty uid', reviewOf(requestFor(service(), { uid: '' }))],
    ['a uid that is no text', reviewOf(requestFor(service(), { uid: 7 }))],
    ['a uid beyond all measure', reviewOf(requestFor(service(), { uid: 'x'.repeat(257) }))],
    ['no operation', reviewOf(requestFor(service(), { operation: undefined }))],
    ['no kind', reviewOf(requestFor(service(), { kind: undefined }))],
    ['a group that is no text', reviewOf(requestFor(service(), { kind: { group: 1, kind: 'Service' } }))],
    ['a subresource that is no text', reviewOf(requestFor(service(), { subResource: 1 }))],
    ['a namespace that is no text', reviewOf(requestFor(service(), { namespace: null }))],
    ['a dryRun that is neither yes nor no', reviewOf(requestFor(service(), { dryRun: 'yes' }))],
  ])('that is %s is refused', (_, body) => expect(decode(body)).toEqual({ to: 'refuse' }));
});

describe('what passes without a look', () => {
  it.each([
    ['a subresource', { subResource: 'status' }, 'subresource'],
    ['CONNECT', { operation: 'CONNECT' }, 'operation'],
    ['an operation of tomorrow', { operation: 'PATCH2' }, 'operation'],
    ['a kind that we do not judge', { kind: { group: 'apps', version: 'v1', kind: 'Deployment' } }, 'kind'],
    ['a kind of the same name in another group', { kind: { group: 'serving.knative.dev', version: 'v1', kind: 'Service' } }, 'kind'],
    ['a kind called as a property of all objects', { kind: { group: '', version: 'v1', kind: 'constructor' } }, 'kind'],
  ])('%s', (_, changes, reason) => expect(decoded(changes)).toMatchObject({ to: 'pass', reason }));

  it.each([
    'system:serviceaccount:kube-system:generic-garbage-collector',
    'system:serviceaccount:kube-system:namespace-controller',
    'system:serviceaccount:kube-system:endpointslice-controller',
    'system:kube-controller-manager',
  ])('a DELETE of %s, but no other write of it', (username) => {
    const userInfo = { username, groups: [] };
    expect(decoded({ userInfo, operation: 'DELETE', oldObject: service() }, null)).toMatchObject({ to: 'pass', reason: 'controller' });
    expect(decoded({ userInfo })).toMatchObject({ to: 'judge' });
  });

  it('a namesake of such a controller elsewhere is nobody special', () => {
    const userInfo = { username: 'system:serviceaccount:team-a:namespace-controller', groups: [] };
    expect(decoded({ userInfo, operation: 'DELETE', oldObject: service() }, null)).toMatchObject({ to: 'judge' });
  });

  const going = (spec: RawObject = {}, metadata: RawObject = {}) =>
    service('web', spec, { deletionTimestamp: '2026-11-21T09:00:00Z', finalizers: ['example.com/a'], ...metadata });

  it('finalizers of an object that is being deleted, but not a new spec of it', () => {
    const update = (object: RawObject) => decoded({ operation: 'UPDATE', oldObject: going() }, object);
    expect(update(going({}, { finalizers: [] }))).toMatchObject({ to: 'pass', reason: 'being-deleted' });
    expect(update(going({ ports: [{ port: 81 }] }))).toMatchObject({ to: 'judge' });
    expect(update(going({ externalIPs: ['192.0.2.1'] }))).toMatchObject({ to: 'judge' });
    expect(decoded({ operation: 'DELETE', oldObject: going() }, null)).toMatchObject({ to: 'pass', reason: 'being-deleted' });
  });

  it('compares specs of any depth', () => {
    const deep = (end: string): unknown => parsed(`${'['.repeat(10_000)}${end}${']'.repeat(10_000)}`);
    const update = (end: string) => decoded({ operation: 'UPDATE', oldObject: going({ deep: deep('1') }) }, going({ deep: deep(end) }));
    expect(update('1')).toMatchObject({ to: 'pass' });
    expect(update('2')).toMatchObject({ to: 'judge' });
  });
});

describe('hostile content', () => {
  it.each([
    ['no userInfo', undefined],
    ['a userInfo that is a list', []],
    ['groups that are no texts', { username: 'mallory', groups: [1] }],
    [
      '__proto__ in extra, as Impersonate-Extra-__proto__ makes it',
      parsed('{"username":"mallory","extra":{"__proto__":["x"],"constructor":["y"]}}'),
    ],
  ])('%s: the write is judged all the same', (_, userInfo) => expect(decoded({ userInfo })).toMatchObject({ to: 'judge' }));

  it('keys of the envelope that name a prototype give it no properties', () => {
    const text = JSON.stringify(reviewOf(requestFor(service(), { dryRun: undefined })));
    const hostile = parsed(text.replace('"request":{', '"request":{"__proto__":{"dryRun":true,"subResource":"status"},"constructor":1,'));
    expect(decode(hostile)).toMatchObject({ to: 'judge', write: { dryRun: false } });
  });

  it('labels and selectors may use any key', () => {
    const object = parsed(
      JSON.stringify(service('web', { selector: { app: 'X' } })).replace(
        '"app":"X"',
        '"__proto__":"a","constructor":"b","hasOwnProperty":"c"',
      ),
    );
    const { write } = decoded({}, object as RawObject) as {
      readonly write: { readonly after: { readonly spec: { readonly selector: object } } };
    };
    expect(Object.keys(write.after.spec.selector)).toEqual(['__proto__', 'constructor', 'hasOwnProperty']);
  });

  it.each([
    ['no object', null],
    ['another kind inside than outside', { ...service(), kind: 'Ingress' }],
    ['another group inside than outside', { ...service(), apiVersion: 'example.com/v1' }],
    ['no name', { ...service(), metadata: {} }],
  ])('an object that cannot be read (%s) is told apart from one that is fine', (_, object) =>
    expect(decoded({}, object)).toMatchObject({ to: 'unreadable' }),
  );

  it('specs of the wrong types are read as empty', () => {
    expect(decoded({}, { ...service(), spec: 7 } as RawObject)).toMatchObject({ to: 'judge', write: { after: { spec: { ports: [] } } } });
  });
});
