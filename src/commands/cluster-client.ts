/** The API server of the cluster that this runs in, or that a kubeconfig names. */
import type { Credentials } from '../client/credentials.ts';
import type { KubeClient } from '../client/kube-client.ts';
import { OperatorError } from '../errors.ts';

export interface ClusterOptions {
  /** Directories and files of manifests, which are all that there is in the cluster. */
  readonly cluster?: readonly string[];
  /** Without it and without `cluster`, the cluster that this runs in, else the default kubeconfig. */
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Loaded when it is needed: `check` and files need none of it. Rejects with an OperatorError PC0004. */
export const clusterClient = async (options: ClusterOptions): Promise<KubeClient> => (await connectCluster(options)).client;

export interface Connection {
  readonly client: KubeClient;
  /** As people call the cluster: its context, or the server's address. */
  readonly name: string;
  /** What to say of it where it does not answer: `the API server https://10.0.0.1:6443 of context test`. */
  readonly title: string;
}

export async function connectCluster(options: ClusterOptions): Promise<Connection> {
  const { kubeClient } = await import('../client/kube-client.ts');
  const credentials = await credentialsOf(options);
  const { context, server } = credentials;
  const title = `the API server ${server.origin}${context === undefined ? '' : ` of context ${context}`}`;
  return { client: kubeClient(credentials), name: context ?? server.host, title };
}

const checkServer = 'Check that it runs, and that `kubectl get --raw /readyz` answers with the same --kubeconfig and --context.';

/** An error that comes of nobody answering, in words; undefined for any other. */
export function noAnswer(title: string, error: unknown): OperatorError | undefined {
  const why = networkCode(error);
  return why === undefined ? undefined : new OperatorError('PC0010', `${title} does not answer (${why})`, checkServer, { cause: error });
}

/** Of the system, as ECONNREFUSED, or of undici, as UND_ERR_CONNECT_TIMEOUT; errors of ours and of certificates have none. */
function networkCode(error: unknown, depth = 0): string | undefined {
  if (!(error instanceof Error) || depth > 4) return undefined;
  if (error.name === 'TimeoutError') return 'nothing came in time';
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && /^(E[A-Z]{4,}|UND_ERR_\w+|EAI_\w+)$/.test(code) && !code.startsWith('ERR_')) return code;
  return networkCode(error.cause, depth + 1);
}

async function credentialsOf({ kubeconfig, context }: ClusterOptions): Promise<Credentials> {
  const { inClusterCredentials, isInCluster, kubeconfigCredentials } = await import('../client/credentials.ts');
  const { env } = process;
  if (kubeconfig === undefined && context === undefined && isInCluster({ env })) return inClusterCredentials({ env });
  return kubeconfigCredentials({
    ...(kubeconfig === undefined ? {} : { file: kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
}
