import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { survey } from '../../src/engine/survey.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { AuditedWorld } from '../support/audited-world.ts';
import { runs } from '../support/figures.ts';
import { identityOf } from '../support/objects.ts';
import { ruleWorld } from '../support/rule-worlds.ts';

/** What happens to a cluster while it is audited. */
type Step =
  | { readonly does: 'apply' | 'remove'; readonly which: number }
  | { readonly does: 'wait'; readonly ms: number }
  | { readonly does: 'change leader' }
  | { readonly does: 'break the watch' | 'mend the watch' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constantFrom('apply' as const, 'remove' as const), which: fc.nat(40) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('wait' as const), ms: fc.constantFrom(100, 1_500, 30_000, 61_000, 700_000) }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ does: 'change leader' }, { does: 'break the watch' }, { does: 'mend the watch' }) },
);
const life = fc.record({
  world: ruleWorld(['Service', 'Ingress', 'NetworkPolicy']),
  other: ruleWorld(['Service', 'Ingress', 'NetworkPolicy']),
  steps: fc.array(step, { minLength: 3, maxLength: 25 }),
});

function take(one: Step, audited: AuditedWorld, objects: readonly RawObject[]): Promise<void> | void {
  if (one.does === 'wait') return audited.clock.advance(one.ms);
  if (one.does === 'change leader') return audited.changeLeader();
  if (one.does === 'apply' || one.does === 'remove') audited[one.does](objects[one.which % objects.length] as RawObject);
  else audited.staleMs = one.does === 'break the watch' ? 60_000 : 0;
}

/** By object, what a survey of everything finds now. */
async function surveyed(audited: AuditedWorld): Promise<ReadonlyMap<string, readonly string[]>> {
  const { configuration, clock } = audited;
  const snapshot = audited.current();
  const found = new Map<string, readonly string[]>();
  const options = {
    bind: (object: Parameters<typeof configuration.bind>[0]['object']) => {
      const namespaceLabels = snapshot.get('Namespace', '', object.metadata.namespace)?.metadata.labels ?? {};
      return configuration.bind({ object, operation: 'CREATE', namespaceLabels, now: clock.wallNow() });
    },
    readByName: async (refs: readonly { kind: string; namespace: string; name: string }[]) =>
      new Map(refs.map(({ kind, namespace, name }) => [`${kind} ${namespace}/${name}`, 'absent' as const])),
  };
  for await (const { object, findings } of survey(snapshot, options))
    if (findings.length > 0)
      found.set(
        object.metadata.uid ?? '',
        findings.map(({ finding }) => `${finding.fingerprint} ${finding.what}`),
      );
  return found;
}

/** By object, what was told last. */
const toldBy = ({ verdicts }: AuditedWorld): ReadonlyMap<string, readonly string[]> =>
  new Map(
    [...verdicts]
      .filter(([, { findings }]) => findings.length > 0)
      .map(([uid, { findings }]) => [uid, findings.map(({ finding }) => `${finding.fingerprint} ${finding.what}`)]),
  );

describe('the audit, whatever happens to the cluster', () => {
  it('says in the end what a survey of everything says, and nothing twice', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(life, async ({ world, other, steps }) => {
        const objects = [
          ...new Map([world, other].flatMap((one) => [one.object, ...one.cluster]).map((raw) => [identityOf(raw), raw])).values(),
        ];
        const audited = new AuditedWorld();
        audited.apply(...objects.slice(0, objects.length / 2));
        audited.start();
        for (const one of steps) await take(one, audited, objects);
        audited.staleMs = 0;
        // The grace, and the longest that anything waits; no pass over everything need come to its help.
        await audited.clock.advance(100_000);
        expect(toldBy(audited)).toEqual(await surveyed(audited));
        expect(audited.errors).toEqual([]);
        await audited.close();
      }),
      { numRuns: runs(150, 3_000) },
    );
  });
});
