/** What `serve` can be told, and what holds if it is not. */
import type { LogLevel } from '../server/log.ts';
import type { AuditSinkFlags } from './audit-sinks.ts';
import type { ClusterOptions } from './cluster-client.ts';

/** The webhook's port is kubelet's too: private clusters open it towards nodes already. */
export const serveDefaults = {
  port: 10250,
  healthPort: 8081,
  drainMs: 10_000,
  service: 'portcullis',
  clusterDomain: 'cluster.local',
  auditInterval: 600_000,
} as const;

export interface ServeOptions extends ClusterOptions, AuditSinkFlags {
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
  /** The least that is logged; `info`, if left out. */
  readonly logLevel?: LogLevel;
  /** For how long to go on answering after SIGTERM, in milliseconds. */
  readonly drainMs: number;
  /** How often everything stored is audited, beside what changes, in milliseconds; 10 minutes, if left out. */
  readonly auditInterval?: number;
  /** Whether metrics tell of open findings by namespace too. */
  readonly metricsNamespaces?: boolean;
}
