/** Our own server as a child process, and the way on which the API server reaches it in a cluster. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadAll } from 'js-yaml';
import { newAuthority, newCertificate } from './certificate.ts';
import { type RunningProcess, startProcess, until } from './child-process.ts';
import type { Cluster } from './cluster.ts';
import { freePort, kubeconfigOf, type User } from './control-plane.ts';

const main = resolve('src/main.ts');
const home = 'portcullis';

export interface Replica {
  readonly port: number;
  readonly healthPort: number;
  readonly process: RunningProcess;
  isReady(): Promise<boolean>;
}

interface ReplicaOptions {
  readonly port?: number;
  /** As whom it reads the cluster. */
  readonly user?: User;
  /** Where it takes the API server to be, if something stands between. */
  readonly apiServerPort?: number;
}

export interface Webhook {
  /** Where the API server sends reviews. */
  readonly port: number;
  /** Starts a replica and waits until it is ready. */
  startReplica(options?: ReplicaOptions): Promise<Replica>;
  /** Rewrites the configuration file that all replicas read. */
  configure(configuration: unknown): void;
  /** Ends all replicas and takes the webhook away from the API server. */
  remove(): Promise<void>;
}

export interface WebhookOptions {
  /** A word that tells this webhook from those of other files; namespaces with the label `e2e: <purpose>` are judged. */
  readonly purpose: string;
  readonly configuration: unknown;
  /** The port of a balancer before the replicas; without it, the port of the only replica. */
  readonly port?: number;
}

/** Installs deploy/ as far as the way to us is concerned: its roles, its three webhook entries. */
export async function installWebhook(cluster: Cluster, { purpose, configuration, port }: WebhookOptions): Promise<Webhook> {
  const directory = mkdtempSync(join(tmpdir(), `portcullis-${purpose}-`));
  const file = (name: string): string => join(directory, name);
  const authority = await newAuthority('portcullis e2e');
  const { cert, key } = await newCertificate(authority, [`${purpose}.${home}.svc`]);
  writeFileSync(file('tls.crt'), cert);
  writeFileSync(file('tls.key'), key, { mode: 0o600 });
  const configure = (content: unknown): void => writeFileSync(file('portcullis.yaml'), JSON.stringify(content));
  configure(configuration);

  const way = port ?? (await freePort());
  await applied(cluster, ['apply', '-f', 'deploy/00-namespace.yaml', '-f', 'deploy/10-rbac.yaml']);
  await applied(cluster, ['apply', '-f', '-'], [service(purpose, cluster.address.here.name), registration(purpose, way, authority.cert)]);

  const replicas: Replica[] = [];
  return {
    port: way,
    configure,
    async startReplica({ port: own = way, user = 'portcullis', apiServerPort } = {}) {
      const healthPort = await freePort();
      const direct = kubeconfigOf(cluster.address, user);
      const between = `https://127.0.0.1:${apiServerPort}`;
      if (apiServerPort !== undefined)
        writeFileSync(file('kubeconfig'), readFileSync(direct, 'utf8').replace(cluster.address.url, between));
      const kubeconfig = apiServerPort === undefined ? direct : file('kubeconfig');
      const process = startProcess(globalThis.process.execPath, [
        ...[main, 'serve', '--kubeconfig', kubeconfig, '--config', file('portcullis.yaml')],
        ...['--tls-cert', file('tls.crt'), '--tls-key', file('tls.key'), '--port', String(own), '--health-port', String(healthPort)],
      ]);
      const replica: Replica = { port: own, healthPort, process, isReady: () => isReady(healthPort) };
      replicas.push(replica);
      await untilReady(replica);
      return replica;
    },
    async remove() {
      await applied(cluster, ['delete', 'validatingwebhookconfiguration', `${home}-${purpose}`, '--ignore-not-found']);
      await Promise.all(replicas.map(({ process }) => process.stop('SIGKILL')));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function untilReady(replica: Replica): Promise<void> {
  const { process } = replica;
  await until('our server is ready', async () => process.hasEnded() || (await replica.isReady())).catch((error: Error) => {
    throw new Error(`${error.message}; it wrote:\n${process.output().slice(-4000)}`);
  });
  if (process.hasEnded()) throw new Error(`our server ended; it wrote:\n${process.output().slice(-4000)}`);
}

async function isReady(healthPort: number): Promise<boolean> {
  try {
    const { status } = await fetch(`http://127.0.0.1:${healthPort}/readyz`);
    return status === 200;
  } catch {
    return false;
  }
}

async function applied(cluster: Cluster, args: readonly string[], input?: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
  const { code, stderr } = await cluster.kubectl(args, input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
}

/**
 * A name that leads to us: our server listens on every address. Through a Service the API server speaks HTTP/1.1, as in a cluster; to a plain address
 * on loopback it would speak HTTP/2.
 */
const service = (name: string, externalName: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: home },
  spec: { type: 'ExternalName', externalName },
});

interface Entry {
  readonly clientConfig: unknown;
  readonly namespaceSelector: { readonly matchExpressions: readonly unknown[] };
}

/** The registration in deploy/, for the namespaces of this test and with the certificate made for it. */
function registration(purpose: string, port: number, ca: string): Readonly<Record<string, unknown>> {
  const [deployed] = loadAll(readFileSync('deploy/50-webhook.yaml', 'utf8')) as [{ readonly webhooks: readonly Entry[] }];
  return {
    ...deployed,
    metadata: { name: `${home}-${purpose}` },
    webhooks: deployed.webhooks.map((entry) => ({
      ...entry,
      clientConfig: {
        service: { name: purpose, namespace: home, path: '/validate', port },
        caBundle: Buffer.from(ca).toString('base64'),
      },
      namespaceSelector: {
        matchExpressions: [...entry.namespaceSelector.matchExpressions, { key: 'e2e', operator: 'In', values: [purpose] }],
      },
    })),
  };
}
