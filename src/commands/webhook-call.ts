/**
 * Calls a webhook as the API server does (apiserver pkg/util/webhook/client.go): HTTP/1.1 over TLS, the Service's name as
 * server name, its entry's `caBundle` as only authority, and again where the answer asks for it. What fails is said in words.
 */
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { isObject } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';

export interface WebhookAddress {
  /** `portcullis.portcullis.svc`: asked for, and checked. */
  readonly serverName: string;
  /** Where to connect. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** PEM; empty: the authorities of this machine. */
  readonly ca: string;
  readonly timeoutMs: number;
}

/** Why no review came back, for a person. */
export class CallFailed extends Error {}

/** It lets only API servers ask, by their client certificates (`--client-ca`): what it would answer them is not known. */
export class NotAnApiServer extends CallFailed {}

interface Answer {
  readonly status: number;
  readonly text: string;
  /** Undefined where it does not ask to come again. */
  readonly retryAfterMs: number | undefined;
}

/** The words of src/server/callers.ts. */
const onlyWithCertificate = 'a client certificate is needed that this webhook trusts';

const mostTries = 10;

/** The AdmissionReview that comes back. Throws CallFailed. */
export async function callWebhook(address: WebhookAddress, review: RawObject): Promise<RawObject> {
  const end = Date.now() + address.timeoutMs;
  for (let tries = 1; ; tries++) {
    const { status, text, retryAfterMs } = await post(address, JSON.stringify(review), end - Date.now());
    if (status === 200) return reviewIn(text);
    const again = retryAfterMs !== undefined && (status === 429 || status >= 500) && tries < mostTries && Date.now() + retryAfterMs < end;
    if (status === 403 && text === onlyWithCertificate) throw new NotAnApiServer(text);
    if (!again) throw new CallFailed(`it answers HTTP ${status}: ${text.slice(0, 300)}`);
    await sleep(retryAfterMs);
  }
}

function reviewIn(text: string): RawObject {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isObject(parsed)) return parsed;
  } catch {
    // Said below.
  }
  throw new CallFailed('it answers with something that is no AdmissionReview: does another program listen there?');
}

const longestAnswer = 1024 * 1024;

function post(address: WebhookAddress, body: string, timeoutMs: number): Promise<Answer> {
  const { serverName, host, port, path, ca } = address;
  const seconds = Math.ceil(address.timeoutMs / 1000);
  return new Promise((resolve, reject) => {
    const call = request({
      host,
      port,
      path: `${path}?timeout=${seconds}s`,
      method: 'POST',
      headers: { 'content-type': 'application/json', host: `${serverName}:${port}`, 'content-length': Buffer.byteLength(body) },
      servername: serverName,
      ...(ca !== '' && { ca }),
      // Go takes an intermediate in the bundle for an anchor too.
      allowPartialTrustChain: true,
      agent: false,
      signal: AbortSignal.timeout(Math.max(1, timeoutMs)),
    });
    call.on('error', (error: NodeJS.ErrnoException) => reject(new CallFailed(reasonOf(error, address), { cause: error })));
    call.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text = (text + chunk).slice(0, longestAnswer);
      });
      response.on('error', (error: NodeJS.ErrnoException) => reject(new CallFailed(reasonOf(error, address), { cause: error })));
      response.on('end', () => {
        const after = Number(response.headers['retry-after'] ?? Number.NaN);
        resolve({ status: response.statusCode ?? 0, text, retryAfterMs: Number.isFinite(after) ? after * 1000 : undefined });
      });
    });
    call.end(body);
  });
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['ENOTFOUND', 'DNS does not know the name: is there such a Service, and does the resolver work?'],
  ['EAI_AGAIN', 'DNS does not answer: does the resolver work, and may this Pod reach it?'],
  ['ECONNREFUSED', 'the connection is refused: no ready Pod listens there'],
  ['ECONNRESET', 'the connection is broken off: no TLS there, or a proxy or a policy between'],
  ['EHOSTUNREACH', 'there is no way to the address: no ready Pod, or a NetworkPolicy'],
  ['ENETUNREACH', 'there is no way to the network of the address'],
  ['CERT_HAS_EXPIRED', 'the certificate has expired'],
  ['CERT_NOT_YET_VALID', 'the certificate is not valid yet: is a clock wrong?'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'the certificate is for other names'],
  ['EPROTO', 'the other end does not speak TLS'],
]);

const untrusted: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
]);

function reasonOf(error: NodeJS.ErrnoException, { host, port, timeoutMs, ca }: WebhookAddress): string {
  const code = error.code ?? '';
  const where = `${host}:${port}`;
  if (error.name === 'AbortError' || error.name === 'TimeoutError' || code === 'ETIMEDOUT')
    return `${where}: no answer within ${timeoutMs / 1000} s: no ready Pod, a NetworkPolicy or a firewall between, or it hangs`;
  if (untrusted.has(code))
    return `${where}: the certificate is not signed by the authority in caBundle${ca === '' ? ', which is empty' : ''} (${code})`;
  return `${where}: ${reasons.get(code) ?? (code.startsWith('ERR_SSL_') ? 'the other end does not speak TLS as we do' : error.message)} (${code || error.name})`;
}

/** Whether the name could not be looked up, so that another way to the address may be tried. */
export const isUnknownName = (error: unknown): boolean =>
  error instanceof CallFailed && ['ENOTFOUND', 'EAI_AGAIN'].includes((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '');
