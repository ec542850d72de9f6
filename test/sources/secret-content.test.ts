/** What is derived from the content of a Secret, and when nothing is. */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject, Secret } from '../../src/kube/resources.ts';
import { withContent } from '../../src/sources/secret-content.ts';
import { runs } from '../support/figures.ts';
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

const textOf = (placeholder: string): string => String(materialOf({ x: placeholder })['x']);
const derOf = (certificate: string): Buffer => new X509Certificate(certificate).raw;
const pemOf = (bytes: Uint8Array, label = 'CERTIFICATE'): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;

describe('bytes that nobody can read', () => {
  const [crt, key] = [textOf('<shop.crt>'), textOf('<shop.key>')];
  const changedAt = (hex: string, behind: number, byte: number): string => {
    const bytes = Buffer.from(derOf(crt));
    bytes[bytes.indexOf(Buffer.from(hex, 'hex')) + behind] = byte;
    return pemOf(bytes);
  };

  it.each([
    ['an algorithm that nobody knows', changedAt('06072a8648ce3d0201', 8, 0x7f)],
    ['a curve that nobody knows', changedAt('06082a8648ce3d030107', 9, 0x70)],
    ['a point that is not on its curve', changedAt('06082a8648ce3d030107', 16, 0xff)],
  ])('in a certificate leave names and dates, and no verdict on the key: %s', (_, text) =>
    expect(contentOf({ stringData: { 'tls.crt': text, 'tls.key': key } })).toMatchObject({ lacks: [], leaf: { keyType: 'unknown' } }),
  );
  it.each([
    ['an algorithm that nobody knows', changedAt('06072a8648ce3d0201', 8, 0x7f)],
    ['a date that is none', dateless()],
  ])('say nothing of whether the key fits: %s', (_, text) =>
    expect(contentOf({ stringData: { 'tls.crt': text, 'tls.key': key } })?.pair).toBeUndefined(),
  );

  /** Its end is in a month that is not there. */
  function dateless(): string {
    const bytes = Buffer.from(derOf(crt));
    const at = bytes.indexOf(Buffer.from('180f32', 'hex')); // GeneralizedTime, 2…
    bytes.write('99', at + 6);
    return pemOf(bytes);
  }

  it('throw nothing, whatever they are', () => {
    const pieces = fc.tuple(fc.constantFrom(crt, key), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat());
    fc.assert(
      fc.property(pieces, fc.boolean(), ([text, changes, cut], inside) => {
        const label = text === crt ? 'CERTIFICATE' : 'PRIVATE KEY';
        const body = Buffer.from(text.split('-----')[2] ?? '', 'base64');
        const bytes = inside ? body : Buffer.from(text);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        const told = bytes.subarray(0, cut % 3 === 0 ? cut % bytes.length : bytes.length);
        const changed = inside ? pemOf(told, label) : told.toString('latin1');
        const content = contentOf({ stringData: { 'tls.crt': crt, 'tls.key': key, [text === crt ? 'tls.crt' : 'tls.key']: changed } });
        expect(JSON.parse(JSON.stringify(content))).toEqual(content);
      }),
      { numRuns: runs(500, 20_000) },
    );
  });

  it.each([
    ['carriage returns', (text: string) => text.replaceAll('\n', '\r\n'), 'match'],
    ['text before it', (text: string) => `Bag Attributes\n${text}`, 'match'],
    ['text behind it', (text: string) => `${text}end`, 'match'],
    ['all in one long line, which Go reads', (text: string) => text.replaceAll(/([\w+/=])\n(?!-)/g, '$1'), 'match'],
    ['a byte order mark, which hides the line', (text: string) => `\ufeff${text}`, 'badCertificate'],
    ['something else in its line', (text: string) => `crt: ${text}`, 'badCertificate'],
    ['no lines', (text: string) => text.replaceAll('\n', ' '), 'badCertificate'],
    ['an empty block before it', (text: string) => pemOf(Buffer.alloc(0)) + text, 'badCertificate'],
  ])('are told from those that servers read: %s', (_, change, pair) =>
    expect(contentOf({ stringData: { 'tls.crt': change(crt), 'tls.key': key } })?.pair).toBe(pair),
  );
});

describe.each(['rsa', 'rsa-pss', 'ed25519', 'ed448', 'ec'] as const)('a key of type %s', (type) => {
  const options = type === 'ec' ? { namedCurve: 'secp521r1' } : { modulusLength: 2048 };
  const { privateKey } = generateKeyPairSync(type as 'rsa', options as { modulusLength: number });
  it('is named where it is not that of the certificate', () => {
    const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(contentOf({ stringData: { 'tls.crt': '<shop.crt>', 'tls.key': key } })).toMatchObject({ pair: 'differ', keyType: type });
  });
  it('is told where a password protects it', () => {
    const key = String(privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }));
    expect(contentOf({ stringData: { 'tls.crt': '<shop.crt>', 'tls.key': key } })?.pair).toBe('encryptedKey');
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
