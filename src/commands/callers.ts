/** Who may call the webhook: who holds a certificate of the client authorities; without these, all but the Pods of others. */
import { node, PodAddresses, plainAddress } from '../cluster/pod-addresses.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import { OperatorError } from '../errors.ts';
import { display } from '../kube/display.ts';
import type { Callers, RefusedCaller } from '../server/callers.ts';
import type { Log } from '../server/log.ts';
import type { Metrics } from '../server/metrics.ts';
import { clientAuthorities } from './client-authorities.ts';
import { ownNamespace } from './own-namespace.ts';
import { reasonOf } from './reason.ts';
import type { ServeOptions } from './serve-options.ts';

export interface CallerWatch {
  /** Undefined if whoever reaches the port may call. */
  readonly callers: Callers | undefined;
  /** Has to see each new state of a live cluster, if it is there. */
  readonly onSnapshot?: (snapshot: ClusterSnapshot) => void;
  /** Hears when new connections have to be verified by other authorities than before. */
  onChange(listener: () => void): void;
  close(): void;
}

export interface CallerSurroundings {
  readonly log: Log;
  readonly metrics: Metrics;
  /** How often files are looked at, in milliseconds. */
  readonly pollMs: number;
  /** Namespaces whose Pods may call whatever the flags say, as configured now. */
  protectedNamespaces(): readonly string[];
  /** For how long changes of Pods may have been missed, in milliseconds. */
  podsStaleMs(): number;
}

/** Rejects with an OperatorError PC0001 or PC0007 if the flags or the file of authorities cannot be used. */
export async function watchCallers(options: ServeOptions, surroundings: CallerSurroundings): Promise<CallerWatch> {
  const { clientCa, clientNames, cluster, anyCaller = false } = options;
  if (clientCa !== undefined) return certified(clientCa, clientNames, surroundings);
  if (clientNames !== undefined) {
    const hint = 'give --client-ca too, the authorities that sign such certificates';
    throw new OperatorError('PC0001', '--client-names needs certificates to look at', hint);
  }
  // Files know no addresses that could call.
  if (cluster !== undefined || anyCaller) return { callers: undefined, onChange: () => {}, close: () => {} };
  return noPodsOfOthers(options, surroundings);
}

async function certified(
  file: string,
  names: readonly string[] | undefined,
  { log, metrics, pollMs }: CallerSurroundings,
): Promise<CallerWatch> {
  const listeners: (() => void)[] = [];
  const authorities = await clientAuthorities(file, {
    pollMs,
    onChange: () => {
      log.info({ file }, 'clients are verified by other authorities from now on');
      for (const listener of listeners) listener();
    },
    onRefused: (err) => {
      metrics.internalError('certificate');
      log.error({ file, ...reasonOf(err) }, 'the authorities of clients cannot be used: the last good ones stay in effect');
    },
  });
  return {
    callers: {
      certificates: { authorities: () => authorities.current(), ...(names && { names }) },
      onRefused: refusals(log, metrics),
    },
    onChange: (listener) => void listeners.push(listener),
    close: () => authorities.close(),
  };
}

/**
 * A view that is older may refuse an API server: the address of a Pod that has ended may have gone to one through which it
 * calls (a tunnel's). As long as a watch may take to notice that it is dead.
 */
const longestStaleMs = 90_000;

function noPodsOfOthers(options: ServeOptions, surroundings: CallerSurroundings): CallerWatch {
  const addresses = new PodAddresses();
  const own = ownNamespace(options);
  const given = new Set([node, ...(own === undefined ? [] : [own]), ...(options.callerNamespaces ?? [])]);
  const mayCall = (namespace: string): boolean => given.has(namespace) || surroundings.protectedNamespaces().includes(namespace);
  return {
    callers: {
      refusedPodsAt: (address) => {
        const namespaces = addresses.namespacesAt(address);
        if (namespaces.length === 0 || namespaces.some(mayCall) || surroundings.podsStaleMs() > longestStaleMs) return undefined;
        return [...new Set(namespaces)];
      },
      onRefused: refusals(surroundings.log, surroundings.metrics),
    },
    onSnapshot: (snapshot) => addresses.follow(snapshot),
    onChange: () => {},
    close: () => {},
  };
}

const quietMs = 60_000;

const hints = {
  pod: 'if API servers call through this Pod, name its namespace with --caller-namespaces; docs/callers.md',
  certificate: 'API servers need a client certificate for this webhook, from --admission-control-config-file; docs/callers.md',
} as const;

const mostTold = 50;

/** Counts each, and tells of an address once a minute at most, of so many addresses: whoever calls a thousand times fills no log. */
function refusals(log: Log, metrics: Metrics): (refused: RefusedCaller) => void {
  const told = new Map<string, number>();
  let untold = 0;
  return ({ address, reason, why }) => {
    metrics.callerRefused(reason);
    const now = performance.now();
    for (const [caller, at] of told) {
      if (now - at < quietMs) break;
      told.delete(caller);
    }
    if (told.has(address) || told.size >= mostTold) {
      untold++;
      return;
    }
    told.set(address, now);
    log.warn({ address: plainAddress(address), why: display(why, 300), hint: hints[reason], untold }, 'a caller is refused');
    untold = 0;
  };
}
