/**
 * Judges what is in a Secret for TLS, where it was read: the bytes go no further, and what is told of them is what everybody
 * sees who opens a connection, and whether the key is the right one.
 */
import { Buffer } from 'node:buffer';
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { objectAt, stringAt } from '../kube/read.ts';
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
  if (lacks.includes('tls.crt')) return { lacks };
  const blocks = pemBlocks(certificate, (label) => label === 'CERTIFICATE', mostCertificates);
  const leaf = blocks[0] && parsedCertificate(blocks[0]);
  if (leaf === undefined) return { lacks, pair: 'badCertificate' };
  const facts = factsOf(leaf);
  if (facts === undefined) return { lacks };
  if (lacks.includes('tls.key') || publicKeyOf(leaf) === undefined) return { lacks, leaf: facts };
  return { lacks, leaf: facts, ...pairOf(leaf, key, blocks) };
}

function pairOf(leaf: X509Certificate, text: string, blocks: readonly Block[]): Pick<TlsContent, 'pair' | 'keyType' | 'belongsTo'> {
  const [block] = pemBlocks(text, (label) => label === 'PRIVATE KEY' || label.endsWith(' PRIVATE KEY'), 1);
  if (block?.label === 'ENCRYPTED PRIVATE KEY' || block?.text.includes('Proc-Type: 4,ENCRYPTED')) return { pair: 'encryptedKey' };
  const key = block && parsedKey(block);
  if (key === undefined) return { pair: 'badKey' };
  const keyType = key.asymmetricKeyType ?? 'unknown';
  if (leaf.checkPrivateKey(key)) return { pair: 'match', keyType };
  const at = blocks.findIndex((one) => parsedCertificate(one)?.checkPrivateKey(key) === true);
  return { pair: 'differ', keyType, ...(at > 0 && { belongsTo: { position: at + 1, of: blocks.length } }) };
}

interface Block {
  readonly label: string;
  /** With its first line and its last. */
  readonly text: string;
  /** What stands between the two. */
  readonly body: string;
}

const begin = '-----BEGIN ';

/**
 * As Go's encoding/pem and OpenSSL find them: by a line that holds nothing else, so that a byte order mark hides the first one.
 * What stands between the blocks, or is of another label, is passed over.
 */
function pemBlocks(text: string, isWanted: (label: string) => boolean, limit: number): readonly Block[] {
  const blocks: Block[] = [];
  for (let at = text.indexOf(begin); at >= 0 && blocks.length < limit; at = text.indexOf(begin, at + begin.length)) {
    if (at > 0 && text[at - 1] !== '\n') continue;
    const labelEnd = text.indexOf('-----', at + begin.length);
    const lineEnd = text.indexOf('\n', labelEnd);
    if (labelEnd < 0 || lineEnd < 0) break;
    const label = text.slice(at + begin.length, Math.min(labelEnd, at + 64));
    if (!isWanted(label) || text.slice(labelEnd + '-----'.length, lineEnd).trim() !== '') continue;
    const end = `-----END ${label}-----`;
    const endAt = text.indexOf(end, labelEnd);
    if (endAt < 0) break;
    blocks.push({ label, text: text.slice(at, endAt + end.length), body: text.slice(lineEnd, endAt) });
  }
  return blocks;
}

/** Undefined where it throws: what the bytes are is for whoever wrote them to say. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

/** OpenSSL takes no line that is longer than its buffer, and Go does: the bytes themselves are what both agree on. */
const parsedCertificate = ({ text, body }: Block): X509Certificate | undefined =>
  attempt(() => new X509Certificate(text)) ?? attempt(() => new X509Certificate(Buffer.from(body, 'base64')));

/** Whatever the label says, as Go's crypto/tls tries them. */
function parsedKey({ text, body }: Block): KeyObject | undefined {
  const read = attempt(() => createPrivateKey(text));
  if (read !== undefined) return read;
  const bytes = Buffer.from(body, 'base64');
  const found = (['pkcs8', 'pkcs1', 'sec1'] as const)
    .values()
    .map((type) => attempt(() => createPrivateKey({ key: bytes, format: 'der', type })))
    .find((key) => key !== undefined);
  bytes.fill(0);
  return found;
}

/** Undefined for one that OpenSSL here cannot read, of an algorithm to come or broken: no key can be compared with it. */
const publicKeyOf = (certificate: X509Certificate): KeyObject | undefined => attempt(() => certificate.publicKey);

/** Undefined where a date is none. */
function factsOf(certificate: X509Certificate): CertificateFacts | undefined {
  const [notBeforeMs, notAfterMs] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  if (Number.isNaN(notBeforeMs) || Number.isNaN(notAfterMs)) return undefined;
  const keyType = publicKeyOf(certificate)?.asymmetricKeyType ?? 'unknown';
  return { names: namesIn(certificate.subjectAltName ?? ''), notBeforeMs, notAfterMs, keyType };
}

/** `DNS:a.example, IP Address:10.0.0.1, DNS:"odd, name"`: a common name counts no more (RFC 9525). */
const namesIn = (alternatives: string): readonly string[] =>
  Array.from(alternatives.matchAll(/(?:^|, )([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)/g))
    .filter(([, type]) => type === 'DNS')
    .map(([, , name = '']) => name.toLowerCase());
