import { beforeAll, describe, expect, it } from 'vitest';
import { type Authority, makeAuthority } from '../../src/certificates/authority.ts';
import { isConflict, secretStore } from '../../src/certificates/secret-store.ts';
import { type KubeClient, KubeError } from '../../src/client/kube-client.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { emptySecret, secretPath } from '../support/authority-world.ts';
import { FakeObjects, type Way } from '../support/fake-objects.ts';

const now = Date.parse('2026-11-21T09:00:00Z');
const signal = new AbortController().signal;
let [a, b, c]: readonly Authority[] = [];
beforeAll(async () => {
  [a, b, c] = await Promise.all([makeAuthority(now), makeAuthority(now), makeAuthority(now)]);
});

function stored(secret: RawObject = emptySecret, way?: Way) {
  const objects = new FakeObjects();
  objects.set(secretPath, secret);
  return { objects, store: secretStore(objects.client(way) as KubeClient, 'portcullis', 'portcullis-ca') };
}

const base64 = (text = ''): string => Buffer.from(text).toString('base64');
const ids = (certificates: readonly { readonly id: string }[]): readonly string[] => certificates.map(({ id }) => id);

describe('what is written', () => {
  it('is read again as it was', async () => {
    const { store } = stored();
    const state = { current: a, next: b, nextSince: now, previous: [c as Authority], previousSince: now + 1 };
    await store.write(await store.read(signal), state, signal);
    const again = (await store.read(signal)).state;
    expect(again).toMatchObject({ nextSince: now, previousSince: now + 1 });
    expect([again.current?.id, again.current?.key, again.next?.id, ...ids(again.previous)]).toEqual([a?.id, a?.key, b?.id, c?.id]);
  });

  it('takes the place of what was ours, and of nothing else', async () => {
    const { objects, store } = stored({ ...emptySecret, data: { 'theirs.txt': 'aGk=' }, type: 'Opaque' });
    await store.write(await store.read(signal), { current: a, next: b, nextSince: now, previous: [] }, signal);
    await store.write(await store.read(signal), { current: b, previous: [] }, signal);
    const secret = objects.get(secretPath);
    expect(Object.keys(secret?.['data'] as object).sort()).toEqual(['ca.crt', 'ca.key', 'theirs.txt']);
    expect(secret).toMatchObject({ type: 'Opaque', metadata: { annotations: {} } });
  });

  it('is refused if somebody else was faster', async () => {
    const { store } = stored();
    const read = await store.read(signal);
    await store.write(read, { current: a, previous: [] }, signal);
    const late = await store.write(read, { current: b, previous: [] }, signal).catch((error: unknown) => error);
    expect(isConflict(late)).toBe(true);
    expect((await store.read(signal)).state.current?.id).toBe(a?.id);
  });
});

describe('what cannot be used is none', () => {
  it.each([
    ['nonsense', () => ({ 'ca.crt': base64('nonsense'), 'ca.key': base64('nonsense') })],
    ['a list', () => ['ca.crt']],
    ['another authority’s key', () => ({ 'ca.crt': base64(a?.pem), 'ca.key': base64(b?.key) })],
    ['no key', () => ({ 'ca.crt': base64(a?.pem) })],
  ])('%s', async (_, data) => {
    const { store } = stored({ ...emptySecret, data: data() });
    expect((await store.read(signal)).state.current).toBeUndefined();
  });

  it('and what has lost its key is trusted on', async () => {
    const { store } = stored({ ...emptySecret, data: { 'ca.crt': base64(a?.pem), 'previous-ca.crt': base64(`${b?.pem}${c?.pem}`) } });
    expect(ids((await store.read(signal)).state.previous)).toEqual([a?.id, b?.id, c?.id]);
  });
});

it.each([
  [404, 'the Secret portcullis/portcullis-ca of the certificate authority does not exist', /the chart makes it/],
  [403, 'the Secret portcullis/portcullis-ca of the certificate authority may not be read', /get and update/],
])('answered with %s, it says what to do', async (status, message, hint) => {
  const { store } = stored(emptySecret, async () => {
    throw new KubeError(status, '', 'by the fake');
  });
  await expect(store.read(signal)).rejects.toMatchObject({ code: 'PC0005', message, hint: expect.stringMatching(hint) });
});
