/** Judges one object as it stands, within its time, and withholds what nobody can know at present. */
import type { Clock } from '../client/clock.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import { asStored } from '../config/as-stored.ts';
import type { Configuration } from '../config/settings.ts';
import { type Surveyed, surveyOne } from '../engine/survey.ts';
import type { JudgedResource } from '../kube/resources.ts';
import type { ClusterSource } from '../sources/source.ts';

/** One object may hold the thread so long, in milliseconds: reviews wait meanwhile. */
const longestMs = 100;
/** A watch that is broken for longer tells too little to say something new, in milliseconds. */
export const staleMs = 10_000;
/** How long an answer about what is never listed is waited for, in milliseconds. */
const answerMs = 5_000;

export interface Circumstances {
  readonly snapshot: ClusterSnapshot;
  readonly configuration: Configuration;
  readonly source: Pick<ClusterSource, 'readByName'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Judged {
  readonly surveyed: Surveyed;
  /** What rules say was withheld, since they look at something whose watch has been broken for long. */
  readonly isStale: boolean;
  /** How long the thread was held, in milliseconds. */
  readonly workMs: number;
}

export async function judge(object: JudgedResource, { snapshot, configuration, source, clock, signal }: Circumstances): Promise<Judged> {
  const began = clock.now();
  let waitedMs = 0;
  const workMs = (): number => clock.now() - began - waitedMs;
  const surveyed = await surveyOne(object, snapshot, {
    bind: asStored(configuration, snapshot, { now: clock.wallNow() }),
    readByName: async (refs) => {
      const asked = clock.now();
      const found = await source.readByName(refs, AbortSignal.any([signal, AbortSignal.timeout(answerMs)]));
      waitedMs += clock.now() - asked;
      return found;
    },
    tellsOfOthers: configuration.privacy === 'open',
    timeLeft: () => longestMs - workMs(),
  });
  const stale = staleRules(object, snapshot, configuration);
  return { surveyed: stale.size === 0 ? surveyed : without(surveyed, stale), isStale: stale.size > 0, workMs: workMs() };
}

const staleRules = ({ kind }: JudgedResource, snapshot: ClusterSnapshot, { rules }: Configuration): ReadonlySet<string> =>
  new Set(
    rules
      .filter(({ meta }) => meta.kinds.includes(kind) && meta.reads.some((collection) => snapshot.staleMs(collection) > staleMs))
      .map(({ meta }) => meta.id),
  );

function without({ findings, exempted, skipped, ...rest }: Surveyed, stale: ReadonlySet<string>): Surveyed {
  const isKnown = ({ finding }: { readonly finding: { readonly ruleId: string } }): boolean => !stale.has(finding.ruleId);
  const withheld = Array.from(stale, (ruleId) => ({ ruleId, reason: 'unsynced' }) as const);
  return { ...rest, findings: findings.filter(isKnown), exempted: exempted.filter(isKnown), skipped: [...skipped, ...withheld] };
}
