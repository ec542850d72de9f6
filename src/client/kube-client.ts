/** Calls to one API server: whole answers, and watches as lines. One set of connections for the process. */
import { buildConnector, type Dispatcher, Pool, ProxyAgent } from 'undici';
import { display } from '../kube/display.ts';
import { isObject, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import type { Credentials } from './credentials.ts';
import { linesOf } from './lines.ts';

/** Of a PATCH that changes fields, in lists of entries that are found by their names, of an object that exists. */
export const strategicMerge = 'application/strategic-merge-patch+json';
/** Of a PATCH that changes fields, and replaces lists whole. */
export const mergePatch = 'application/merge-patch+json';

/** Of a PATCH by server-side apply: the fields that one manager owns, of an object that is made if there is none. JSON is YAML. */
export const serverSideApply = 'application/apply-patch+yaml';

/** Names the table that `kubectl get` prints; with `includeObject=None` in the query, nothing of the objects beside it. */
export const asTable = 'application/json;as=Table;g=meta.k8s.io;v=v1';

export type WriteMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface KubeClient {
  /**
   * The answer of a GET below the server's root, `/api/v1/…`. Throws KubeError, TooLargeError for more than `mostBytes`, and
   * whatever the network or the signal throws.
   */
  get(path: string, signal: AbortSignal, accept?: string, mostBytes?: number): Promise<RawObject>;
  /** The answer of a write, with a body of JSON, of a DELETE its options; `contentType` names the kind of a PATCH. Throws as `get` does. */
  send(method: WriteMethod, path: string, body: RawObject, signal: AbortSignal, contentType?: string): Promise<RawObject>;
  /** A watch's lines as they come; `onOpen` is called when the server has accepted it. Throws as `get` does. */
  watch(path: string, signal: AbortSignal, onOpen?: () => void): AsyncIterable<string>;
  close(): Promise<void>;
}

/** The API server's refusal: a Status, or an answer from something on the way. */
export class KubeError extends Error {
  readonly status: number;
  readonly reason: string;
  /** What the server asks us to wait, in milliseconds; 0 if it says nothing. */
  readonly retryAfterMs: number;

  constructor(status: number, reason: string, message: string, retryAfterMs = 0) {
    super(message);
    this.name = 'KubeError';
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** An answer has more bytes than the caller takes; the rest was not read. */
export class TooLargeError extends Error {
  constructor(path: string, mostBytes: number) {
    super(`${path} answers with more than ${mostBytes} bytes`);
    this.name = 'TooLargeError';
  }
}

/** Calls at one time, for all reviews together. Watches have connections of their own, so that calls never wait for them. */
const callConnections = 20;

const json = 'application/json';

interface Call {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly accept: string;
  /** Of the answer. */
  readonly mostBytes?: number | undefined;
  readonly method?: 'GET' | WriteMethod;
  readonly body?: RawObject;
  readonly contentType?: string;
}

export function kubeClient(credentials: Credentials): KubeClient {
  const { server } = credentials;
  const base = server.pathname.replace(/\/+$/, '');
  const calls = connections(credentials, callConnections);
  const watches = connections(credentials, null);
  let closed: Promise<void> | undefined;

  async function open(
    dispatcher: Dispatcher,
    { path, signal, accept, method = 'GET', body, contentType }: Call,
  ): Promise<Dispatcher.ResponseData> {
    const { headers } = await within(signal, credentials.identity());
    signal.throwIfAborted();
    const response = await dispatcher.request({
      origin: server.origin,
      path: `${base}${path}`,
      method,
      headers: { ...headers, accept, 'user-agent': 'portcullis', ...(contentType !== undefined && { 'content-type': contentType }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal,
      // Our own deadlines end what hangs: a quiet watch is no fault.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    if (response.statusCode < 200 || response.statusCode > 299) throw await refusal(response);
    return response;
  }

  async function answer(call: Call): Promise<RawObject> {
    const { body } = await open(calls, call);
    const answered: unknown = call.mostBytes === undefined ? await body.json() : await bounded(body, call.path, call.mostBytes);
    if (!isObject(answered)) throw new Error(`${call.path} answers with something that is no object`);
    return answered;
  }

  return {
    get: (path, signal, accept = json, mostBytes?) => answer({ path, signal, accept, mostBytes }),
    send: (method, path, body, signal, contentType = json) => answer({ method, path, body, signal, accept: json, contentType }),
    async *watch(path, signal, onOpen) {
      const { body } = await open(watches, { path, signal, accept: json });
      onOpen?.();
      yield* linesOf(body);
    },
    close: () => (closed ??= Promise.all([calls.destroy(), watches.destroy()]).then(() => undefined)),
  };
}

/**
 * HTTP/1.1 on purpose: each watch can be read at its own pace, and one that hangs takes no other along. New connections
 * take the certificates of the day.
 */
function connections(credentials: Credentials, limit: number | null): Dispatcher {
  const settings = { allowH2: false, pipelining: 1, connections: limit, keepAliveTimeout: 30_000 } as const;
  const { server, proxy } = credentials;
  if (proxy !== undefined) return proxied(credentials, proxy, settings);
  const dial = async (...[options, callback]: Parameters<buildConnector.connector>): Promise<void> => {
    try {
      const { tls } = await credentials.identity();
      buildConnector({ ...tls, allowH2: false, timeout: 10_000 } as buildConnector.BuildOptions)(options, callback);
    } catch (cause) {
      callback(cause as Error, null);
    }
  };
  const connect: buildConnector.connector = (options, callback) => void dial(options, callback);
  return new Pool(server.origin, { ...settings, connect });
}

/** The proxy's agent takes its certificates when it is made: made at the first request, when they are known. */
function proxied(credentials: Credentials, proxy: string, settings: Pool.Options): Dispatcher {
  let agent: Promise<ProxyAgent> | undefined;
  const made = async (): Promise<ProxyAgent> => {
    const { tls } = await credentials.identity();
    return new ProxyAgent({ ...settings, uri: proxy, requestTls: tls } as ProxyAgent.Options);
  };
  return {
    request: async (options: Dispatcher.RequestOptions) => {
      agent ??= made();
      return (await agent).request(options);
    },
    destroy: async () => (await agent)?.destroy(),
  } as unknown as Dispatcher;
}

/** A plugin that brings a token may hang, and knows nothing of our deadlines. */
function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const stop = (): void => reject(signal.reason as Error);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  work.then(resolve, reject);
  return promise.finally(() => signal.removeEventListener('abort', stop));
}

/** To leave the body in its middle ends the connection. */
async function bounded(body: AsyncIterable<Uint8Array>, path: string, mostBytes: number): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > mostBytes) throw new TooLargeError(path, mostBytes);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

const longestRefusal = 64 * 1024;

async function refusal({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<KubeError> {
  const text = await beginning(body);
  const status = statusIn(text);
  const seconds = Number(headers['retry-after'] ?? 0);
  const wait = Number.isFinite(seconds) ? seconds : 0;
  return new KubeError(
    statusCode,
    stringAt(status, 'reason') ?? '',
    stringAt(status, 'message') ?? plainly(statusCode, headers, text),
    wait * 1_000,
  );
}

/** Of what is no Status, a line of plain text: what a Pod says through the API server's proxy. */
const plainly = (code: number, { 'content-type': type }: Dispatcher.ResponseData['headers'], text: string): string =>
  String(type).startsWith('text/plain') && text.trim() !== '' ? `HTTP ${code}: ${display(text.trim(), 300)}` : `HTTP ${code}`;

/** At most 64 KiB of a refusal: one from a proxy may be anything. */
async function beginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > longestRefusal) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, longestRefusal);
}

function statusIn(text: string): RawObject {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}
