/** What a rule has detected → a finding with a fix that holds: each fix that carries an edit is tried. */
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import { normalize } from '../kube/normalize.ts';
import type { JudgedResource } from '../kube/resources.ts';
import type { Finding, Fix } from './finding.ts';
import { applyPatch, asWritten } from './patch.ts';
import type { Draft, Subject } from './rule.ts';

/** Trying a fix runs the rule again: with so many defects in one object, nobody reads more of them. */
const maxTried = 20;

/** What those runs may find, all together. */
const mostRetried = 2_000;

/**
 * How often those runs may look at the clock, all together: once each 128 steps (`recording.ts`). A rule that goes through
 * 10,000 rules of a policy is tried a few times and no more, whatever time there is: nobody's review waits for a fix.
 */
const mostLooks = 500;

/** What fixes are tried on. */
interface Bench {
  readonly subject: Subject;
  readonly cluster: ClusterSnapshot;
  readonly outOfTime: () => boolean;
  /** Runs the rule once more. */
  readonly rerun: (ruleId: string, object: JudgedResource, world: ClusterSnapshot, outOfTime: () => boolean) => Iterable<Draft>;
}

/** Explains the drafts of one evaluation, trying fixes as long as there is time. */
export class Explaining {
  private readonly bench: Bench;
  private tried = 0;
  private left = mostRetried;
  private looks = 0;

  constructor(bench: Bench) {
    this.bench = bench;
  }

  /** Keeps the first fix that, tried on the object or beside it, makes the rule content with this field. */
  finding(draft: Draft): Finding {
    const { fixes, ...finding } = draft.explained();
    const triesFixes = this.tried++ < maxTried && !this.bench.outOfTime();
    const holds = fixes.find((fix) => isPlainText(fix) || (triesFixes && this.repairs(fix, draft)));
    const { guess: _, ...fix } = holds ?? (fixes.at(-1) as (typeof fixes)[number]);
    return { ...finding, fix: fix.patch === undefined ? fix : { ...fix, patch: asWritten(fix.patch) } };
  }

  private repairs({ guess = [], patch = guess, manifest }: Fix, draft: Draft): boolean {
    const { subject, cluster, rerun } = this.bench;
    const outOfTime = (): boolean => ++this.looks > mostLooks || this.bench.outOfTime();
    if (this.left <= 0 || this.looks > mostLooks) return false;
    const object = applyPatch(subject.object, patch);
    const beside = manifest && normalize(manifest);
    const world = cluster.with([...(subject.operation === 'DELETE' ? [] : [object]), ...(beside === undefined ? [] : [beside])]);
    try {
      const path = JSON.stringify(draft.path);
      for (const other of rerun(draft.ruleId, object, world, outOfTime))
        if (--this.left <= 0 || outOfTime() || JSON.stringify(other.path) === path) return false;
      return true;
    } catch {
      return false;
    }
  }
}

const isPlainText = ({ patch, guess, manifest }: Fix): boolean => patch === undefined && guess === undefined && manifest === undefined;
