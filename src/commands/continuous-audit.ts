/** The audit beside the webhook: what judges, who is told, and what is counted of it. */
import { type Auditor, startAuditor } from '../audit/auditor.ts';
import type { KubeClient } from '../client/kube-client.ts';
import type { Leadership } from '../client/leader-election.ts';
import type { Configuration } from '../config/settings.ts';
import { type Severity, severities } from '../engine/finding.ts';
import { formatRef } from '../kube/resources.ts';
import type { Log } from '../server/log.ts';
import type { Metrics } from '../server/metrics.ts';
import type { ClusterSource } from '../sources/source.ts';
import { createSinks } from './audit-sinks.ts';
import type { ServeOptions } from './serve-options.ts';

interface Around {
  readonly client: KubeClient | undefined;
  readonly source: ClusterSource;
  readonly configuration: () => Configuration;
  readonly leadership: Leadership;
  /** Of this replica, as in the Lease. */
  readonly identity: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

const nothingToAudit: Auditor = { openFindings: () => [], close: async () => {} };

/** A cluster that is read from files has nobody to be told of it. */
export function continuousAudit(options: ServeOptions & { readonly auditInterval: number }, around: Around): Auditor {
  const { client, source, configuration, leadership, identity, log, metrics } = around;
  if (client === undefined) return nothingToAudit;
  const sink = createSinks({
    client,
    log,
    options,
    configuration,
    identity,
    leads: () => leadership.leads(),
    onWrite: (result, what) => metrics.written(what, result),
    onCapped: (capped) => metrics.reportsCapped(capped),
  });
  const auditor = startAuditor({
    source,
    configuration,
    leadership,
    sink,
    intervalMs: options.auditInterval,
    onPass: ({ objects, workMs, isFirst, changes }) => {
      metrics.audited(workMs, Date.now());
      const level = isFirst || changes > 0 ? 'info' : 'debug';
      log[level]({ objects, ...open(auditor), workMs: Math.round(workMs) }, 'everything stored was audited');
    },
    onError: (err, object) => {
      metrics.internalError('audit');
      log.error({ err, object: formatRef(object) }, 'the audit could not judge an object: a defect of Portcullis, please report it');
    },
  });
  return auditor;
}

/** How many findings there are, of each severity that there is. */
function open(auditor: Auditor): { readonly findings: Partial<Record<Severity, number>> } {
  const found = [...auditor.openFindings()];
  const counts = severities.map(
    (one) => [one, found.reduce((sum, [, severity, count]) => (severity === one ? sum + count : sum), 0)] as const,
  );
  return { findings: Object.fromEntries(counts.filter(([, count]) => count > 0)) };
}
