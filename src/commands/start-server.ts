/** Puts the webhook together: configuration, certificate, cluster, ports. */
import packageJson from '../../package.json' with { type: 'json' };
import type { Ports } from '../admission/handler.ts';
import type { Auditor } from '../audit/auditor.ts';
import type { Leadership } from '../client/leader-election.ts';
import type { Log } from '../server/log.ts';
import { createMetrics, type Metrics } from '../server/metrics.ts';
import { startServer as listen, type RunningServer } from '../server/server.ts';
import type { Pace } from '../sources/backoff.ts';
import type { ClusterSource } from '../sources/source.ts';
import { type AskedRights, askedRights } from './asked-rights.ts';
import { watchCallers } from './callers.ts';
import { clusterClient } from './cluster-client.ts';
import { clusterSource } from './cluster-source.ts';
import { continuousAudit } from './continuous-audit.ts';
import { leadershipOf, newIdentity } from './leadership.ts';
import { type LiveConfiguration, watchConfiguration } from './live-configuration.ts';
import { reasonOf } from './reason.ts';
import { type Judge, type SelfCheck, startSelfCheck } from './self-check.ts';
import { type ServeOptions, serveDefaults } from './serve-options.ts';
import { certificateEnds, type Rotation, type ServedCertificates, servingCertificate } from './serving-certificate.ts';

/** What the process brings, so that tests can stand in for it. */
export interface ServeEnvironment {
  readonly log: Log;
  /** How often files of configuration and certificates are looked at, in milliseconds; 2 s if left out. */
  readonly pollMs?: number;
  readonly onMetrics?: (metrics: Metrics) => void;
  /** How patient the watches are; as in a cluster, if left out. */
  readonly pace?: Pace;
  /** How long certificates of our own authority live; a year and 90 days, if left out. */
  readonly rotation?: Rotation;
  /** How often we judge ourselves, in milliseconds, and with what; each minute, with what judges all reviews. */
  readonly selfCheck?: { readonly everyMs: number; readonly judge: Judge };
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
  const { log, pollMs = defaultPollMs, pace } = environment;
  let certificates: ServedCertificates | undefined;
  let source: ClusterSource | undefined;
  let leadership: Leadership | undefined;
  let auditor: Auditor | undefined;
  const metrics = createMetrics({
    version: packageJson.version,
    snapshot: () => source?.current(),
    certificateEnds: () => certificateEnds(certificates),
    leads: () => leadership?.leads() ?? false,
    openFindings: () => auditor?.openFindings() ?? [],
    tellsNamespaces: options.metricsNamespaces ?? false,
  });
  environment.onMetrics?.(metrics);
  const configuration = parts.add(await configurationOf(options, log, metrics, pollMs));
  const client = options.cluster === undefined ? parts.add(await clusterClient(options)) : undefined;
  const callers = parts.add(
    await watchCallers(options, {
      log,
      metrics,
      pollMs,
      protectedNamespaces: () => configuration.current().protectedNamespaces,
      podsStaleMs: () => source?.current().staleMs('Pod') ?? 0,
    }),
  );
  const observers = { log, metrics, ...(pace && { pace }), ...(callers.onSnapshot && { onSnapshot: callers.onSnapshot }) };
  const cluster = parts.add(await clusterSource(client ?? options.cluster ?? [], () => configuration.current(), observers));
  source = cluster;
  const identity = newIdentity();
  leadership = parts.add(leadershipOf(options, client, identity, log));
  const around = { log, metrics, pollMs, client, leadership, rotation: environment.rotation };
  auditor = parts.add(
    continuousAudit(
      { ...serveDefaults, ...options },
      { ...around, identity, source: cluster, configuration: () => configuration.current() },
    ),
  );
  const served = parts.add(await servingCertificate({ ...serveDefaults, ...options }, around));
  certificates = served;
  const selfCheck = parts.add(await selfCheckOf(environment, metrics));

  const server = await listen({
    ports: portsOf(
      cluster,
      configuration,
      askedRights(client, () => configuration.current().workloads, log),
      options.cluster !== undefined,
    ),
    synced: () => cluster.hasSynced(),
    unready: () => [...(selfCheck.isFailing() ? ['the self-check fails'] : []), ...served.lacks()],
    certificate: served.current(),
    callers: callers.callers,
    log,
    metrics,
    host: options.host,
    port: options.port,
    healthPort: options.healthPort,
    drainMs: options.drainMs,
  });
  callers.onChange(() => server.serve(served.current()));
  served.onChange((next) => {
    server.serve(next);
    log.info({ notAfter: new Date(next.notAfter).toISOString() }, 'serving a new certificate');
  });
  return handleOf(server, options, served.ca, parts, log);
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

/** A line at each check that fails, one a minute, and one when it is over. */
async function selfCheckOf({ log, selfCheck }: ServeEnvironment, metrics: Metrics): Promise<SelfCheck> {
  let failing = false;
  return startSelfCheck({
    ...selfCheck,
    onResult: (complaint) => {
      metrics.selfChecked(complaint === undefined);
      if (complaint !== undefined) log.error({ why: complaint }, 'the self-check fails: reviews are judged wrongly here, so not ready');
      else if (failing) log.info('the self-check succeeds again');
      failing = complaint !== undefined;
    },
  });
}

/** A cluster of files has no tenants: whoever serves it may read them all. */
const portsOf = (source: ClusterSource, configuration: LiveConfiguration, rights: AskedRights, openToAll: boolean): Ports => ({
  snapshot: () => source.current(),
  readByName: (refs, signal) => source.readByName(refs, signal),
  confirm: (reads, signal) => source.confirm(reads, signal),
  configuration: () => configuration.current(),
  ...rights,
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
