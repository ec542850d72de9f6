/** Who we are towards the API server, and where it is: from a kubeconfig, or from the ServiceAccount mounted into our Pod. */
import { readFileSync, statSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import type { KubeConfig } from '@kubernetes/client-node';
import { OperatorError } from '../errors.ts';
import { listed } from '../kube/listed.ts';

/** What a request and a new connection need now: tokens and certificates are renewed while we run. */
export interface Identity {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'servername' | 'rejectUnauthorized'>;
}

export interface Credentials {
  /** With the path below which the API lies, if it does not lie at the root. */
  readonly server: URL;
  /** An HTTP proxy on the way, from the kubeconfig's `proxy-url`. */
  readonly proxy?: string;
  /** The kubeconfig's context. */
  readonly context?: string;
  identity(): Promise<Identity>;
}

const hint = 'Check --kubeconfig, --context and KUBECONFIG; `kubectl cluster-info` should answer with the same ones.';
const unusable = (what: string, cause?: unknown): OperatorError => new OperatorError('PC0004', what, hint, { cause });
const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message.split('\n')[0] : undefined) ?? String(cause);

export interface KubeconfigOptions {
  /** Without one: KUBECONFIG, then ~/.kube/config. */
  readonly file?: string;
  /** Without one: the file's current context. */
  readonly context?: string;
}

/** The context that client-node makes up, of http://localhost:8080, where it finds no kubeconfig. */
const madeUp = 'loaded-context';

/** From a kubeconfig: exec plugins, OIDC and certificates as kubectl takes them. Throws OperatorError PC0004. */
export async function kubeconfigCredentials({ file, context }: KubeconfigOptions = {}): Promise<Credentials> {
  // 62 MB and 0.4 s: only who has a kubeconfig pays for it (ecosystem.md C1).
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
    if (context !== undefined) config.setCurrentContext(context);
  } catch (cause) {
    throw unusable(`The kubeconfig${file === undefined ? '' : ` ${file}`} ${whyUnread(cause)}: ${messageOf(cause)}.`, cause);
  }
  if (config.contexts.some(({ name }) => name === madeUp))
    throw unusable('There is no kubeconfig: neither KUBECONFIG nor ~/.kube/config leads to one.');
  refuseContext(config, file);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw unusable(`The kubeconfig has no cluster for the context "${config.getCurrentContext() ?? ''}".`);
  if (!URL.canParse(cluster.server)) throw unusable(`The kubeconfig's server "${cluster.server}" is no address.`);
  if (cluster.proxyUrl?.startsWith('socks'))
    throw unusable(`The kubeconfig's proxy-url ${cluster.proxyUrl} is a SOCKS proxy; only HTTP works.`);
  // client-node refuses plain HTTP (`kubectl proxy`) unless it need not check certificates; there are none.
  config.clusters = config.clusters.map((one) => (one.server?.startsWith('http:') ? { ...one, skipTLSVerify: true } : one));
  return {
    server: new URL(cluster.server),
    ...(cluster.proxyUrl && { proxy: cluster.proxyUrl }),
    context: config.getCurrentContext(),
    identity: () => identityOf(config),
  };
}

/** The system says why a file cannot be read; YAML, why it is none of ours. */
const whyUnread = (cause: unknown): string => (cause instanceof Error && 'code' in cause ? 'cannot be read' : 'is no kubeconfig');

/** Whoever has mistyped a context wants to see those that there are. */
function refuseContext({ contexts, clusters, currentContext }: KubeConfig, file = ''): void {
  if (contexts.length === 0 && clusters.length === 0)
    throw unusable(
      `${file === '' ? 'The file that KUBECONFIG or ~/.kube/config leads to' : file} is no kubeconfig: it has no clusters and no contexts.`,
    );
  if (contexts.some(({ name }) => name === currentContext)) return;
  const names = contexts.map(({ name }) => name).sort();
  const there = names.length === 0 ? 'it has none' : `it has ${listed(names, 10)}`;
  const which = currentContext ? `no context "${currentContext}"` : 'no current context, and no --context is given';
  throw unusable(`The kubeconfig${file && ` ${file}`} has ${which}; ${there}.`);
}

/** What client-node puts into the options of `https.request`, which is also where it runs exec plugins and renews tokens. */
interface HttpsOptions extends ConnectionOptions {
  headers?: Record<string, unknown>;
  auth?: string;
}

async function identityOf(config: KubeConfig): Promise<Identity> {
  const options: HttpsOptions = {};
  try {
    await config.applyToHTTPSOptions(options as RequestOptions);
  } catch (cause) {
    throw unusable(`The kubeconfig's credentials cannot be used: ${messageOf(cause)}.`, cause);
  }
  const headers = Object.fromEntries(Object.entries(options.headers ?? {}).map(([key, value]) => [key, String(value)]));
  if (options.auth !== undefined) headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const given = (['ca', 'cert', 'key', 'pfx', 'passphrase', 'servername', 'rejectUnauthorized'] as const).filter(
    (key) => options[key] !== undefined,
  );
  return { headers, tls: Object.fromEntries(given.map((key) => [key, options[key]])) };
}

export interface InClusterOptions {
  /** Where KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are looked up. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the ServiceAccount is mounted. */
  readonly directory?: string;
}

export const isInCluster = ({ env }: InClusterOptions): boolean =>
  Boolean(env['KUBERNETES_SERVICE_HOST'] && env['KUBERNETES_SERVICE_PORT']);

/** From the mounted ServiceAccount; the kubelet renews the token's file, so it is read again when it changes. Throws OperatorError PC0004. */
export function inClusterCredentials({ env, directory = '/var/run/secrets/kubernetes.io/serviceaccount' }: InClusterOptions): Credentials {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '';
  if (!host || !port) throw unusable('This is no Pod of a cluster: KUBERNETES_SERVICE_HOST is not set.');
  const token = fileReader(join(directory, 'token'));
  const ca = fileReader(join(directory, 'ca.crt'));
  token();
  ca();
  return {
    server: new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`),
    identity: async () => ({ headers: { Authorization: `Bearer ${token().trim()}` }, tls: { ca: ca() } }),
  };
}

/** A file's text, read again when the file is another one: the kubelet swaps a symbolic link. */
function fileReader(path: string): () => string {
  let seen = '';
  let text = '';
  return () => {
    try {
      const { mtimeMs, ino, size } = statSync(path);
      const stamp = `${mtimeMs}/${ino}/${size}`;
      if (stamp !== seen) text = readFileSync(path, 'utf8');
      seen = stamp;
      return text;
    } catch (cause) {
      if (text !== '') return text; // between two mounts: the token that we have is good for a while
      const advice = 'Let the Pod mount its ServiceAccount (automountServiceAccountToken), or give --kubeconfig.';
      throw new OperatorError('PC0004', `The ServiceAccount's file ${path} cannot be read: ${messageOf(cause)}.`, advice, { cause });
    }
  };
}
