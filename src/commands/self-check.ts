/**
 * A webhook that lets everything pass looks as healthy as one that finds nothing to say. So one review that must be denied
 * and one that must pass in silence are judged each minute, on the way of all others: bytes, decoding, rules, live look,
 * answer. The cluster they are judged on is a tiny one of their own, and so is the configuration: nothing that an
 * administrator writes or a cluster holds can make this fail.
 */
import { type Deadline, handle, type Ports } from '../admission/handler.ts';
import { ClusterSnapshot } from '../cluster/snapshot.ts';
import { apiVersion } from '../config/schema.ts';
import { parseConfiguration } from '../config/settings.ts';
import { normalize } from '../kube/normalize.ts';
import type { RawObject } from '../kube/resources.ts';
import { rules } from '../rules/index.ts';
import { admissionReview, admitted } from './demo-review.ts';

/** Judges a body as the server does. */
export type Judge = typeof handle;

/** What is wrong with this process, in words; undefined if it judges as it should. Never rejects. */
export async function checkSelf(judge: Judge = handle): Promise<string | undefined> {
  try {
    return (await complaintAbout(judge, 'wbe', ['service-selector-matches-no-pods'])) ?? (await complaintAbout(judge, 'web', []));
  } catch (error) {
    return `a review cannot be judged: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function complaintAbout(judge: Judge, app: string, wanted: readonly string[]): Promise<string | undefined> {
  const handled = await judge(reviewOf(app), noHurry, ports);
  if (handled.outcome !== 'judged') return `a review of Service ${app} is ${handled.outcome}`;
  const { allowed, warnings = [] } = handled.answer.response;
  const denied = handled.decision.denials.map(({ ruleId }) => ruleId);
  const isRight = allowed === (wanted.length === 0) && denied.join() === wanted.join() && warnings.length === 0;
  if (isRight) return undefined;
  return `Service ${app} should be ${wanted.length === 0 ? 'allowed' : `denied by ${wanted.join()}`} and is ${allowed ? 'allowed' : `denied by ${denied.join()}`}`;
}

const namespace = 'self-check';
const labels = { app: 'web' };
const world: readonly RawObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: { template: { metadata: { labels }, spec: { containers: [{ name: 'web', ports: [{ name: 'http', containerPort: 8080 }] }] } } },
  },
];
const snapshot = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(world.flatMap((one) => normalize(one) ?? []));
const configuration = parseConfiguration({ apiVersion, profile: 'strict' }, rules);

const ports: Ports = {
  snapshot: () => snapshot,
  readByName: async () => new Map(),
  confirm: async () => snapshot,
  configuration: () => configuration,
  mayUse: async () => 'unknown',
  mayList: async () => 'unknown',
  tellsOfOthers: () => false,
  now: () => Date.now(),
};

/** A machine that is busy is no defect of ours: readiness must not come and go with its load. */
const noHurry: Deadline = { remainingMs: () => 1_000, signal: () => new AbortController().signal };

/** As it is after the way over the wire. */
function reviewOf(app: string): unknown {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app }, ports: [{ port: 80, targetPort: 'http' }] },
  };
  const after = admitted(service, namespace);
  return JSON.parse(JSON.stringify(admissionReview({ operation: 'CREATE', before: undefined, after, dryRun: false })));
}

export interface SelfCheck {
  /** The last one failed, or none has been done yet. */
  isFailing(): boolean;
  close(): void;
}

export interface SelfCheckOptions {
  /** Each result: undefined for a good one. */
  readonly onResult: (complaint: string | undefined) => void;
  readonly everyMs?: number;
  readonly judge?: Judge;
}

const everyMinute = 60_000;

/** Resolves after the first check; goes on with one a minute. */
export async function startSelfCheck({ onResult, everyMs = everyMinute, judge }: SelfCheckOptions): Promise<SelfCheck> {
  let failing = true;
  const look = async (): Promise<void> => {
    const complaint = await checkSelf(judge);
    failing = complaint !== undefined;
    onResult(complaint);
  };
  await look();
  const timer = setInterval(() => void look(), everyMs).unref();
  return { isFailing: () => failing, close: () => clearInterval(timer) };
}
