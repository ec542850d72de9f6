/** The API server of the cluster that this runs in, or that a kubeconfig names. */
import type { Credentials } from '../client/credentials.ts';
import type { KubeClient } from '../client/kube-client.ts';

export interface ClusterOptions {
  /** Directories and files of manifests, which are all that there is in the cluster. */
  readonly cluster?: readonly string[];
  /** Without it and without `cluster`, the cluster that this runs in, else the default kubeconfig. */
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Loaded when it is needed: `check` and files need none of it. Rejects with an OperatorError PC0004. */
export const clusterClient = async (options: ClusterOptions): Promise<KubeClient> => (await connectCluster(options)).client;

/** The same with the name that people have for the cluster: the context's, or the server's address. */
export async function connectCluster(options: ClusterOptions): Promise<{ readonly client: KubeClient; readonly name: string }> {
  const { kubeClient } = await import('../client/kube-client.ts');
  const credentials = await credentialsOf(options);
  return { client: kubeClient(credentials), name: credentials.context ?? credentials.server.host };
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
