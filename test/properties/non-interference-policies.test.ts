/** Non-interference where NetworkPolicies are written, to whose rules other namespaces matter most (reliability.md B3). */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rules } from '../../src/rules/index.ts';
import { both, expectNoDifference, findingsOf, judged, whole, withoutDeclared } from '../support/answer-pairs.ts';
import { runs } from '../support/figures.ts';
import { policyPair } from '../support/policy-pairs.ts';

/** Rules that are about policies, and that which says of an Ingress what they do to it. */
const aboutPolicies = rules
  .filter(
    ({ meta: { id, kinds } }) =>
      (kinds.includes('NetworkPolicy') && id !== 'exemption-invalid') || id === 'ingress-controller-blocked-by-policy',
  )
  .map(({ meta }) => meta.id);

it('changes no byte of what is said of a policy', { timeout: 3_600_000 }, async () => {
  const met = new Map<string, number>();
  const spoke = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(policyPair, async (one) => {
      const answers = await expectNoDifference(one, met);
      for (const id of new Set(answers.flatMap(({ decision }) => findingsOf(decision).map(({ ruleId }) => ruleId))))
        spoke.set(id, (spoke.get(id) ?? 0) + 1);
    }),
    { numRuns: runs(600, 20_000) },
  );
  console.log(`declared disclosures met: ${JSON.stringify(Object.fromEntries(met))}; spoke: ${JSON.stringify(Object.fromEntries(spoke))}`);
});

it('is about pairs in which each rule for policies speaks, and those that tell of others tell who may list them', async () => {
  const [spoke, moved] = [new Set<string>(), new Set<string>()];
  for (const one of fc.sample(policyPair, { seed: 1, numRuns: 800 })) {
    for (const { ruleId } of findingsOf((await judged(one, one.hidden[0], whole, false)).decision)) spoke.add(ruleId);
    const [here, there] = (await both(one, withoutDeclared, true)).map(({ decision }) =>
      Map.groupBy(findingsOf(decision), ({ ruleId }) => ruleId),
    );
    for (const id of aboutPolicies) if (JSON.stringify(here?.get(id)) !== JSON.stringify(there?.get(id))) moved.add(id);
  }
  expect(aboutPolicies.filter((id) => !spoke.has(id))).toEqual([]);
  expect([...moved].sort()).toEqual([
    'ingress-controller-blocked-by-policy',
    'network-policy-cuts-declared-dependency',
    'network-policy-ip-block-covers-cluster',
    'network-policy-legacy-namespace-label',
    'network-policy-peer-and-or-suspect',
    'network-policy-peer-matches-nothing',
    'network-policy-widened',
  ]);
}, 60_000);
