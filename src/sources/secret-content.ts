/**
 * Judges what is in a Secret for TLS, where it was read: the bytes go no further, and what is told of them is what everybody
 * sees who opens a connection, and whether the key is the right one.
 */
import { Buffer } from 'node:buffer';
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { given, objectAt, stringAt } from '../kube/read.ts';
import type { RawObject, Resource } from '../kube/resources.ts';
import type { CertificateFacts, TlsContent } from '../kube/tls-facts.ts';

/** So many certificates of a chain are tried for one that the key belongs to. */
const mostCertificates = 10;

/**
 * The Secret with what its content says. Files may hold what something else fills in later (Helm, SOPS, a vault's plugin):
 * of such values nothing is said.
 */
export function withContent(resource: Resource | undefined, raw: RawObject, fromFile = false): Resource | undefined {
  if (resource?.kind !== 'Secret' || 'pod' in resource) return resource;
  const [certificate, key] = [textAt(raw, 'tls.crt', 'cert'), textAt(raw, 'tls.key', 'key')];
  if (fromFile && isFilledInLater(raw, [certificate, key])) return resource;
  return { ...resource, tls: tlsContent(certificate, key) };
}

/** It holds nothing yet (replicators), or not what a TLS Secret holds. */
function isFilledInLater(raw: RawObject, texts: readonly string[]): boolean {
  const holds = [objectAt(raw, 'data'), objectAt(raw, 'stringData')].some((values) => Object.values(values).some((value) => value !== ''));
  return !holds || Object.hasOwn(raw, 'sops') || texts.some((text) => text !== '' && !text.includes(begin));
}

/** `stringData` is laid over `data`, as the API server does it. Istio looks for `cert` and `key` too. */
function textAt(raw: RawObject, ...keys: readonly string[]): string {
  const [text, data] = [objectAt(raw, 'stringData'), objectAt(raw, 'data')];
  return keys.map((key) => stringAt(text, key) ?? decoded(stringAt(data, key) ?? '')).find((value) => value !== '') ?? '';
}

/** Without a regular expression: the engine would keep the last text that one was tried on. */
function decoded(text: string): string {
  const bytes = Buffer.from(text, 'base64');
  const result = bytes.toString('latin1');
  bytes.fill(0);
  return result;
}

function tlsContent(certificate: string, key: string): TlsContent {
  const lacks = [...(certificate === '' ? (['tls.crt'] as const) : []), ...(key === '' ? (['tls.key'] as const) : [])];
  const blocks = pemBlocks(certificate, (label) => label === 'CERTIFICATE', mostCertificates);
  const leaf = blocks[0] === undefined ? undefined : parsedCertificate(blocks[0]);
  const facts = leaf === undefined ? {} : { leaf: factsOf(leaf) };
  if (lacks.includes('tls.crt')) return { lacks };
  if (leaf === undefined) return { lacks, pair: 'badCertificate' };
  if (lacks.includes('tls.key')) return { lacks, ...facts };
  return { lacks, ...facts, ...pairOf(leaf, key, blocks) };
}

function pairOf(leaf: X509Certificate, text: string, blocks: readonly string[]): Pick<TlsContent, 'pair' | 'keyType' | 'belongsTo'> {
  const [block = ''] = pemBlocks(text, (label) => label === 'PRIVATE KEY' || label.endsWith(' PRIVATE KEY'), 1);
  if (block.includes('BEGIN ENCRYPTED PRIVATE KEY') || block.includes('Proc-Type: 4,ENCRYPTED')) return { pair: 'encryptedKey' };
  const key = parsedKey(block);
  if (key === undefined) return { pair: 'badKey' };
  const keyType = given('keyType', key.asymmetricKeyType);
  if (leaf.checkPrivateKey(key)) return { pair: 'match', ...keyType };
  const at = blocks.findIndex((one) => parsedCertificate(one)?.checkPrivateKey(key) === true);
  return { pair: 'differ', ...keyType, ...(at > 0 && { belongsTo: { position: at + 1, of: blocks.length } }) };
}

const begin = '-----BEGIN ';

/** As Go's crypto/tls finds them: what stands between the blocks, or is of another label, is passed over. */
function pemBlocks(text: string, isWanted: (label: string) => boolean, limit: number): readonly string[] {
  const blocks: string[] = [];
  for (let at = text.indexOf(begin); at >= 0 && blocks.length < limit; at = text.indexOf(begin, at + begin.length)) {
    const labelEnd = text.indexOf('-----', at + begin.length);
    if (labelEnd < 0) break;
    const label = text.slice(at + begin.length, Math.min(labelEnd, at + 64));
    if (!isWanted(label)) continue;
    const end = `-----END ${label}-----`;
    const endAt = text.indexOf(end, labelEnd);
    if (endAt < 0) break;
    blocks.push(text.slice(at, endAt + end.length));
  }
  return blocks;
}

function parsedCertificate(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
}

function parsedKey(block: string): KeyObject | undefined {
  try {
    return createPrivateKey(block);
  } catch {
    return undefined;
  }
}

const factsOf = (certificate: X509Certificate): CertificateFacts => ({
  names: namesIn(certificate.subjectAltName ?? ''),
  notBeforeMs: certificate.validFromDate.getTime(),
  notAfterMs: certificate.validToDate.getTime(),
  keyType: certificate.publicKey.asymmetricKeyType ?? 'unknown',
});

/** `DNS:a.example, IP Address:10.0.0.1, DNS:"odd, name"`: a common name counts no more (RFC 9525). */
const namesIn = (alternatives: string): readonly string[] =>
  Array.from(alternatives.matchAll(/(?:^|, )([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)/g))
    .filter(([, type]) => type === 'DNS')
    .map(([, , name = '']) => name.toLowerCase());
