/** Puts the webhook together: configuration, certificate, cluster, ports. */
import packageJson from '../../package.json' with { type: 'json' };
import type { Ports } from '../admission/handler.ts';
import type { CertificateSource } from '../certificates/keypair.ts';
import type { SelfSigned } from '../certificates/self-signed.ts';
import type { Log } from '../server/log.ts';
import { createMetrics, type Metrics } from '../server/metrics.ts';
import { startServer as listen, type RunningServer } from '../server/server.ts';
import type { ClusterSource } from '../sources/source.ts';
import { type ClusterOptions, clusterClient } from './cluster-client.ts';
import { clusterSource } from './cluster-source.ts';
import { type LiveConfiguration, watchConfiguration } from './live-configuration.ts';
import { reasonOf } from './reason.ts';
import { certificateEnds, servingCertificate } from './serving-certificate.ts';

/** The webhook's port is kubelet's too: private clusters open it towards nodes already. */
export const serveDefaults = {
  port: 10250,
  healthPort: 8081,
  drainMs: 10_000,
  service: 'portcullis',
  clusterDomain: 'cluster.local',
} as const;

export interface ServeOptions extends ClusterOptions {
  readonly config?: string;
  /** Every address of the machine, if left out. */
  readonly host?: string;
  /** 0: any free one. */
  readonly port: number;
  readonly healthPort: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** More names for the certificate that is made if none is given. */
  readonly tlsNames?: readonly string[];
  /** Where to write the CA of the certificate that is made if none is given. */
  readonly caOut?: string;
  /** Our own certificate authority, kept in this Secret of our namespace and in the `caBundle` of `webhookConfiguration`. */
  readonly tlsSecret?: string;
  /** The ValidatingWebhookConfiguration that leads to us. */
  readonly webhookConfiguration?: string;
  /** The Service that leads to us; with `namespace` and `clusterDomain` the names that the certificate must have. */
  readonly service?: string;
  /** Where we run; without it, the namespace of the ServiceAccount that is mounted. */
  readonly namespace?: string;
  readonly clusterDomain?: string;
  /** The Lease of our namespace that decides which replica does what only one may do; without it, this one does. */
  readonly lease?: string;
  /** Certificates of clients are asked for, and verified by these authorities, PEM. */
  readonly clientCa?: string;
  /** The names that a client's certificate may have, common name or DNS name; all, if left out. */
  readonly clientNames?: readonly string[];
  /** Namespaces whose Pods may call us, beside our own and the protected ones. */
  readonly callerNamespaces?: readonly string[];
  /** Whoever reaches the port may call, Pods too. */
  readonly anyCaller?: boolean;
  /** For how long to go on answering after SIGTERM, in milliseconds. */
  readonly drainMs: number;
}

/** What the process brings, so that tests can stand in for it. */
export interface ServeEnvironment {
  readonly log: Log;
  /** How often files of configuration and certificates are looked at, in milliseconds; 2 s if left out. */
  readonly pollMs?: number;
  readonly onMetrics?: (metrics: Metrics) => void;
}

export interface ServerHandle {
  /** `https://localhost:10250/validate` */
  readonly url: string;
  /** `http://localhost:8081` */
  readonly healthUrl: string;
  /** What a client has to trust, as PEM, where we made the certificate ourselves. */
  readonly ca: string | undefined;
  isReady(): boolean;
  /** Goes on answering for the drain time, then as `close`. */
  drain(): Promise<void>;
  /** Finishes what is in flight and ends. */
  close(): Promise<void>;
}

const defaultPollMs = 2000;

/** Starts everything; if something cannot be, stops what was started and rejects with an OperatorError. */
export async function startServer(options: ServeOptions, environment: ServeEnvironment): Promise<ServerHandle> {
  const parts = new Parts();
  try {
    return await assemble(options, environment, parts);
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

/** What runs, in the order in which it was started. */
class Parts {
  private readonly stops: (() => void | Promise<void>)[] = [];

  add<T extends { close(): void | Promise<void> }>(part: T): T {
    this.stops.push(() => part.close());
    return part;
  }

  async stop(): Promise<void> {
    for (const stop of this.stops.splice(0).reverse()) await stop();
  }
}

async function assemble(options: ServeOptions, environment: ServeEnvironment, parts: Parts): Promise<ServerHandle> {
  const { log, pollMs = defaultPollMs } = environment;
  let certificate: CertificateSource | SelfSigned | undefined;
  let source: ClusterSource | undefined;
  const metrics = createMetrics({
    version: packageJson.version,
    snapshot: () => source?.current(),
    certificateEnds: () => certificateEnds(certificate),
  });
  environment.onMetrics?.(metrics);
  const configuration = parts.add(await configurationOf(options, log, metrics, pollMs));
  const client = options.cluster === undefined ? parts.add(await clusterClient(options)) : undefined;
  const cluster = parts.add(await clusterSource(client ?? options.cluster ?? [], () => configuration.current(), { log, metrics }));
  source = cluster;
  const certificates = parts.add(await servingCertificate(options, { log, metrics, pollMs }));
  certificate = certificates;

  const server = await listen({
    ports: portsOf(cluster, configuration, options.cluster !== undefined),
    synced: () => cluster.hasSynced(),
    certificate: certificates.current(),
    log,
    metrics,
    host: options.host,
    port: options.port,
    healthPort: options.healthPort,
    drainMs: options.drainMs,
  });
  certificates.onChange((next) => {
    server.serve(next);
    log.info({ notAfter: new Date(next.notAfter).toISOString() }, 'serving a new certificate');
  });
  return handleOf(server, options, 'ca' in certificates ? certificates.ca : undefined, parts, log);
}

async function configurationOf({ config }: ServeOptions, log: Log, metrics: Metrics, pollMs: number): Promise<LiveConfiguration> {
  const live = await watchConfiguration(config, {
    pollMs,
    onLoaded: () => {
      metrics.configurationRead(true, Date.now());
      log.info({ file: config }, 'new configuration in effect');
      if (JSON.stringify(live.current().workloads) !== watched)
        log.warn({ file: config }, 'other kinds of workloads are watched only after a restart');
    },
    onRefused: (err) => {
      metrics.configurationRead(false, Date.now());
      log.error({ file: config, ...reasonOf(err) }, 'the configuration file cannot be used: the last good one stays in effect');
    },
  });
  const watched = JSON.stringify(live.current().workloads);
  metrics.configurationRead(true, Date.now());
  return live;
}

/** A cluster of files has no tenants: whoever serves it may read them all. */
const portsOf = (source: ClusterSource, configuration: LiveConfiguration, openToAll: boolean): Ports => ({
  snapshot: () => source.current(),
  readByName: (refs, signal) => source.readByName(refs, signal),
  confirm: (reads, signal) => source.confirm(reads, signal),
  configuration: () => configuration.current(),
  tellsOfOthers: () => openToAll || configuration.current().privacy === 'open',
  now: () => Date.now(),
});

function handleOf(server: RunningServer, { host }: ServeOptions, ca: string | undefined, parts: Parts, log: Log): ServerHandle {
  const name = host === undefined ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  const url = `https://${name}:${server.port}/validate`;
  const healthUrl = `http://${name}:${server.healthPort}`;
  log.info({ url, healthUrl, ready: server.isReady() }, 'listening');
  const end = async (stop: () => Promise<void>): Promise<void> => {
    await stop();
    await parts.stop();
  };
  return { url, healthUrl, ca, isReady: () => server.isReady(), drain: () => end(server.drain), close: () => end(server.close) };
}
