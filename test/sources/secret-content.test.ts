/** What is derived from the content of a Secret, and when nothing is. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject, Secret } from '../../src/kube/resources.ts';
import { withContent } from '../../src/sources/secret-content.ts';
import { complete } from '../support/objects.ts';

const secretOf = (rest: RawObject): RawObject => complete({ kind: 'Secret', metadata: { name: 'tls', namespace: 'shop' }, ...rest });
function contentOf(rest: RawObject, fromFile = false) {
  const raw = secretOf(rest);
  return (withContent(normalize(raw), raw, fromFile) as Secret).tls;
}
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const materialOf = (names: RawObject): RawObject => secretOf({ stringData: names })['stringData'] as RawObject;
const sound = { 'tls.crt': '<wildcard.crt>', 'tls.key': '<wildcard.key>' };

describe('a Secret with certificate and key', () => {
  it('comes to dates, names and whether they fit', () => {
    expect(contentOf({ stringData: sound })).toEqual({
      lacks: [],
      leaf: {
        names: ['*.example.com', 'example.com'],
        notBeforeMs: Date.UTC(2020, 0, 1),
        notAfterMs: Date.UTC(2120, 0, 1),
        keyType: 'ec',
      },
      pair: 'match',
      keyType: 'ec',
    });
  });

  it('is the same in base64, as the API server gives it', () => {
    const data = Object.fromEntries(Object.entries(materialOf(sound)).map(([key, text]) => [key, base64(String(text))]));
    expect(contentOf({ data })).toEqual(contentOf({ stringData: sound }));
  });

  it('is what stringData says, where data says another', () => {
    const data = { 'tls.key': base64(String(materialOf({ x: '<other.key>' })['x'])) };
    expect(contentOf({ data, stringData: sound })?.pair).toBe('match');
    expect(contentOf({ data, stringData: { 'tls.crt': '<wildcard.crt>' } })?.pair).toBe('differ');
  });

  it('tells keys of different kinds apart', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(contentOf({ stringData: { 'tls.crt': '<shop.crt>', 'tls.key': key } })).toMatchObject({
      pair: 'differ',
      keyType: 'ed25519',
      leaf: { keyType: 'ec' },
    });
  });

  it.each([
    ['its own authority behind it', '<shop.crt><other.crt>', 'match', undefined],
    ['another certificate first', '<other.crt><wildcard.crt><shop.crt>', 'differ', { position: 3, of: 3 }],
    ['its own not among them', '<other.crt><wildcard.crt>', 'differ', undefined],
  ])('compares the key with the first of the certificates: %s', (_, chain, pair, belongsTo) => {
    expect(contentOf({ stringData: { 'tls.crt': chain, 'tls.key': '<shop.key>' } })).toMatchObject({
      pair,
      ...(belongsTo && { belongsTo }),
    });
    expect(contentOf({ stringData: { 'tls.crt': chain, 'tls.key': '<shop.key>' } })?.belongsTo).toEqual(belongsTo);
  });

  it('keeps nothing of the bytes', () => {
    const { 'tls.crt': cert, 'tls.key': key } = materialOf(sound);
    const told = JSON.stringify(withContent(normalize(secretOf({ stringData: sound })), secretOf({ stringData: sound })));
    for (const line of `${cert}${key}`.split('\n').filter((one) => one.length > 40)) expect(told).not.toContain(line);
  });
});

describe('a Secret without', () => {
  it.each([
    ['nothing at all', {}, ['tls.crt', 'tls.key']],
    ['empty values', { 'tls.crt': '', 'tls.key': '' }, ['tls.crt', 'tls.key']],
    ['no key', { 'tls.crt': '<shop.crt>' }, ['tls.key']],
    ['no certificate', { 'tls.key': '<shop.key>' }, ['tls.crt']],
    ['the names that Istio knows', { cert: '<shop.crt>', key: '<shop.key>' }, []],
  ])('lacks keys: %s', (_, stringData, lacks) => expect(contentOf({ stringData })?.lacks).toEqual(lacks));

  it.each([
    ['no PEM', 'x', 'badCertificate'],
    ['a block that does not end', '-----BEGIN CERTIFICATE-----\nMIIB', 'badCertificate'],
    ['a label that does not end', '-----BEGIN CERTIFICATE', 'badCertificate'],
    ['a block of another kind', '<shop.key>', 'badCertificate'],
  ])('has no certificate that can be read: %s', (_, text, pair) =>
    expect(contentOf({ stringData: { 'tls.crt': text, 'tls.key': '<shop.key>' } })?.pair).toBe(pair),
  );

  it('takes no longer for very many beginnings of blocks', () => {
    const many = '-----BEGIN CERTIFICATE-----\n'.repeat(30_000);
    expect(contentOf({ stringData: { 'tls.crt': many, 'tls.key': many } })?.pair).toBe('badCertificate');
  });
});

describe('a file', () => {
  it.each([
    ['holds nothing yet', {}],
    ['holds what Helm or a vault fills in', { stringData: { 'tls.crt': 'path:crt', 'tls.key': 'path:key' } }],
    ['holds it in place of base64', { data: { 'tls.crt': 'ENC[AES256_GCM,data:Zm9v]', 'tls.key': '{{ key }}' } }],
    ['is encrypted by SOPS', { stringData: sound, sops: {} }],
  ])('is not judged where it %s', (_, rest) => {
    expect(contentOf(rest, true)).toBeUndefined();
    expect(contentOf(rest)).toBeDefined();
  });

  it('is judged where it holds certificate and key', () => expect(contentOf({ stringData: sound }, true)?.pair).toBe('match'));
  it('is judged where it holds something else', () => expect(contentOf({ stringData: { password: 'x' } }, true)?.lacks).toHaveLength(2));
});
