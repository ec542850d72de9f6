/** Our own server as a child process, and the way on which the API server reaches it in a cluster. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadAll } from 'js-yaml';
import { type Authority, newAuthority, newCertificate, type ServingCertificate } from './certificate.ts';
import { type RunningProcess, startProcess, until } from './child-process.ts';
import type { Cluster } from './cluster.ts';
import { freePort, kubeconfigOf, type User } from './control-plane.ts';

const main = resolve('src/main.ts');
const home = 'portcullis';
/** The file that is read by all replicas without a configuration of their own. */
const shared = 'portcullis.yaml';

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
  /** Its own, in a file that no other replica reads: a running server takes up what is written to its file. */
  readonly configuration?: unknown;
  /** More flags of `serve`. */
  readonly flags?: readonly string[];
}

export interface Webhook {
  /** Where the API server sends reviews. */
  readonly port: number;
  /** Who signs our certificates: what the registration has as `caBundle`. */
  readonly authority: Authority;
  /** A certificate for the name that the API server asks for. */
  newCertificate(options?: { readonly notAfter?: Date }): Promise<ServingCertificate>;
  /** Rewrites the files of the certificate that all replicas serve. */
  certify(certificate: ServingCertificate): void;
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
  /** What is registered of deploy/; without it, its entries for the namespaces of this purpose. */
  readonly registrations?: (deployed: Registration) => readonly Registration[];
}

/** Installs deploy/ as far as the way to us is concerned: its roles, its three webhook entries. */
export async function installWebhook(cluster: Cluster, options: WebhookOptions): Promise<Webhook> {
  const { purpose, configuration, port, registrations = (deployed) => [ofPurpose(deployed, purpose)] } = options;
  const directory = mkdtempSync(join(tmpdir(), `portcullis-${purpose}-`));
  const file = (name: string): string => join(directory, name);
  const authority = await newAuthority('portcullis e2e');
  const certificate = (validity = {}): Promise<ServingCertificate> => newCertificate(authority, [`${purpose}.${home}.svc`], validity);
  const certify = ({ cert, key }: ServingCertificate): void => {
    writeFileSync(file('tls.crt'), cert);
    writeFileSync(file('tls.key'), key, { mode: 0o600 });
  };
  certify(await certificate());
  const configure = (content: unknown): void => writeFileSync(file(shared), JSON.stringify(content));
  configure(configuration);

  const way = port ?? (await freePort());
  await applied(cluster, ['apply', '-f', 'deploy/00-namespace.yaml', '-f', 'deploy/10-rbac.yaml']);
  const registered = registrations(registration(purpose, way, authority.cert));
  await applied(cluster, ['apply', '-f', '-'], [service(purpose, cluster.address.here.name), ...registered]);

  const replicas: Replica[] = [];
  return {
    port: way,
    authority,
    newCertificate: certificate,
    certify,
    configure,
    async startReplica({ port: own = way, user = 'portcullis', apiServerPort, configuration: itsOwn, flags = [] } = {}) {
      const healthPort = await freePort();
      const direct = kubeconfigOf(cluster.address, user);
      const between = `https://127.0.0.1:${apiServerPort}`;
      if (apiServerPort !== undefined)
        writeFileSync(file('kubeconfig'), readFileSync(direct, 'utf8').replace(cluster.address.url, between));
      const kubeconfig = apiServerPort === undefined ? direct : file('kubeconfig');
      const config = file(itsOwn === undefined ? shared : `portcullis-${healthPort}.yaml`);
      if (itsOwn !== undefined) writeFileSync(config, JSON.stringify(itsOwn));
      const process = startProcess(globalThis.process.execPath, [
        ...[main, 'serve', '--kubeconfig', kubeconfig, '--config', config],
        ...['--tls-cert', file('tls.crt'), '--tls-key', file('tls.key'), '--port', String(own), '--health-port', String(healthPort)],
        ...flags,
      ]);
      const replica: Replica = { port: own, healthPort, process, isReady: () => isReady(healthPort) };
      replicas.push(replica);
      await untilReady(replica);
      return replica;
    },
    async remove() {
      const names = registered.map(({ metadata }) => metadata.name);
      await applied(cluster, ['delete', 'validatingwebhookconfiguration', ...names, '--ignore-not-found']);
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
    // As kubelet's probes, which wait for a second unless told otherwise.
    const { status } = await fetch(`http://127.0.0.1:${healthPort}/readyz`, { signal: AbortSignal.timeout(1000) });
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

export interface Registration extends Readonly<Record<string, unknown>> {
  readonly metadata: { readonly name: string };
  readonly webhooks: readonly RegisteredEntry[];
}

interface RegisteredEntry {
  readonly name: string;
  readonly failurePolicy: 'Ignore' | 'Fail';
  readonly namespaceSelector: { readonly matchExpressions: readonly unknown[] };
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
}

/** The registration in deploy/, with the way to the Service of this test and the certificate made for it. */
function registration(service: string, port: number, ca: string): Registration {
  const [deployed] = loadAll(readFileSync('deploy/50-webhook.yaml', 'utf8')) as [Registration];
  const clientConfig = {
    service: { name: service, namespace: home, path: '/validate', port },
    caBundle: Buffer.from(ca).toString('base64'),
  };
  return { ...deployed, webhooks: deployed.webhooks.map((entry) => ({ ...entry, clientConfig })) };
}

const ofPurpose = (deployed: Registration, purpose: string): Registration => ({
  ...withSelector(deployed, { key: 'e2e', operator: 'In', values: [purpose] }),
  metadata: { name: `${home}-${purpose}` },
});

/** For the namespaces that it is for already and that this chooses too. */
export const withSelector = (registered: Registration, expression: unknown): Registration => ({
  ...registered,
  webhooks: registered.webhooks.map((entry) => ({
    ...entry,
    namespaceSelector: { matchExpressions: [...entry.namespaceSelector.matchExpressions, expression] },
  })),
});

/** As the chart's `failurePolicy: Fail` has it: only the entry for the namespaces of users. */
export const withFail = (registered: Registration): Registration => ({
  ...registered,
  webhooks: registered.webhooks.map((entry) => (entry.name === 'validate.portcullis.dev' ? { ...entry, failurePolicy: 'Fail' } : entry)),
});
