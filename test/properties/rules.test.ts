import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import type { Coverage } from '../../src/cluster/view.ts';
import { type Evaluation, evaluate } from '../../src/engine/evaluate.ts';
import type { Finding } from '../../src/engine/finding.ts';
import { applyPatch } from '../../src/engine/patch.ts';
import { review } from '../../src/engine/review.ts';
import type { ConfiguredRule, Message, Rule } from '../../src/engine/rule.ts';
import { collectionOf } from '../../src/kube/collections.ts';
import { formatPath } from '../../src/kube/field-path.ts';
import { type Collection, formatRef, type JudgedResource, type ObjectRef, type RawObject, refOf } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { runs } from '../support/figures.ts';
import { byProfile, deepFrozen, factsFor, judgedOf } from '../support/rule-case.ts';
import { existsOrIsOneMissingField } from '../support/rule-tester.ts';
import { type RuleWorld, relabelled, resourcesOf, ruleWorld } from '../support/rule-worlds.ts';

/** A configuration under which the rule has something to say. */
const configurations: ReadonlyMap<string, unknown> = new Map([
  ['service-node-port-policy', { ranges: [{ namespaceSelector: { matchLabels: { team: 'a' } }, ports: ['30100-30199'] }] }],
  ['service-external-ips', { allowed: [{ namespaceSelector: { matchLabels: { team: 'a' } }, cidrs: ['10.0.0.0/8'] }] }],
  ['service-type-policy', { allowed: [{ namespaceSelector: { matchLabels: { team: 'a' } }, types: ['ClusterIP', 'LoadBalancer'] }] }],
  ['ingress-catch-all-host-policy', { in: [{ namespaceSelector: { matchLabels: { team: 'a' } } }] }],
  ['tls-required', { in: [{ namespaceSelector: { matchLabels: { team: 'a' } } }] }],
]);
const options = (id: string): unknown => configurations.get(id) ?? {};

const complete = (): Coverage => 'complete';

function snapshotOf(objects: readonly RawObject[], coverage: (collection: Collection) => Coverage = complete): ClusterSnapshot {
  return ClusterSnapshot.empty({ observedAt: 0, coverage }).with(resourcesOf(objects).map(deepFrozen));
}

/** With the reads by name done. */
function withReads(rule: ConfiguredRule, object: RawObject, cluster: ClusterSnapshot): ClusterSnapshot {
  const missing = ({ namespace }: ObjectRef) => (cluster.coverage('Secret', namespace) === 'complete' ? 'absent' : 'unknown');
  const read = (ref: ObjectRef) => cluster.get('Secret', ref.namespace, ref.name) ?? missing(ref);
  return cluster.knowing({ fetched: new Map(rule.fetches(judgedOf(object), cluster).map((ref) => [formatRef(ref), read(ref)])) });
}

function run(rule: ConfiguredRule, object: RawObject, cluster: ClusterSnapshot, offline = false): Evaluation {
  return judged(rule, judgedOf(object), withReads(rule, object, cluster), offline);
}

/** As it stands; for a rule about what a write breaks, as a write to what stood there before, or as a removal. */
function judged(rule: ConfiguredRule, object: JudgedResource, cluster: ClusterSnapshot, offline = false): Evaluation {
  const options = { offline, exemptions, tellsOfOthers: speaksOfOthersOnly.has(rule.meta.id) };
  const after = cluster.with([object]);
  if (rule.meta.orderClass !== 'destructive') return evaluate({ object, operation: 'WRITE', before: undefined }, after, [rule], options);
  const before = () =>
    cluster.with([deepFrozen({ ...object, spec: (object.kind === 'NetworkPolicy' ? shutBefore : earlier).spec } as JudgedResource)]);
  if (byRemoval.has(rule.meta.id)) return evaluate({ object, operation: 'DELETE', before }, cluster.without([object]), [rule], options);
  return evaluate({ object, operation: 'WRITE', before }, after, [rule], options);
}

/** Lets nobody in or out. */
const shutBefore = judgedOf({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
});

/** They judge nothing else. */
const byRemoval: ReadonlySet<string> = new Set(['service-in-use', 'network-policy-removal-exposes']);

/** What they find is about other namespaces alone. */
const speaksOfOthersOnly: ReadonlySet<string> = new Set(['network-policy-legacy-namespace-label']);

/** Serves HTTP to Ingresses and names to everybody, as long as it is called `web`. */
const earlier = judgedOf({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'kube-system' },
  spec: {
    selector: { 'k8s-app': 'kube-dns' },
    ports: [
      { name: 'http', port: 80 },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ],
  },
});
const shared = { expectedSecrets: [], resolver: refOf(earlier) };

/** Annotations exempt from all rules, or would. */
const exemptions = {
  factsOf: factsFor(
    rules.map(({ meta }) => meta.id),
    'always',
  ),
  isSurvey: true,
};

/** What is found, and what of it is not known. */
const answer = ({ findings, skipped, faults }: Evaluation) => ({ findings, skipped, faults: faults.map(({ cause }) => cause) });
const places = ({ findings }: Evaluation): readonly string[] => findings.map(({ messageId, path }) => `${messageId} ${formatPath(path)}`);

/** Where it is, and the profiles in which it denies. */
const verdictsOf = ({ messages }: Rule, { messageId, path }: Finding): readonly string[] => {
  const at = formatPath(path);
  const { modes } = messages[messageId] as Message<unknown>;
  return [
    at,
    ...(['guided', 'strict'] as const).filter((profile) => modes[profile] === 'deny').map((profile) => `${at}: denied in ${profile}`),
  ];
};

/** Edits are tried on the cluster: where that is not known, none can be. */
const withoutFix = ({ fix: _, ...finding }: Finding): Omit<Finding, 'fix'> => finding;

interface Law {
  readonly rule: Rule;
  readonly configured: ConfiguredRule;
  readonly world: RuleWorld;
}

const laws: Readonly<Record<string, (law: Law) => void>> = {
  'never fails': ({ configured, world: { object, cluster, unrelated } }) =>
    expect(answer(run(configured, object, snapshotOf([...cluster, ...unrelated]), true)).faults).toEqual([]),

  'does not care in which order objects arrive': ({ configured, world: { object, cluster } }) => {
    const inTurn = cluster.toReversed().reduce((snapshot, raw) => snapshot.with(resourcesOf([raw])), snapshotOf([]));
    expect(answer(run(configured, object, inTurn))).toEqual(answer(run(configured, object, snapshotOf(cluster))));
  },

  'does not care what was there and is gone': ({ configured, world: { object, cluster, unrelated } }) => {
    const passed = snapshotOf([...unrelated, ...cluster]).without(resourcesOf(unrelated));
    expect(answer(run(configured, object, passed))).toEqual(answer(run(configured, object, snapshotOf(cluster))));
  },

  'answers the same twice': ({ configured, world: { object, cluster } }) => {
    const snapshot = snapshotOf(cluster);
    expect(answer(run(configured, object, snapshot))).toEqual(answer(run(configured, object, snapshot)));
  },

  'does not care about namespaces that have nothing to do with the object': ({ configured, world: { object, cluster, unrelated } }) =>
    expect(places(run(configured, object, snapshotOf([...cluster, ...unrelated])))).toEqual(
      places(run(configured, object, snapshotOf(cluster))),
    ),

  'finds nothing because of a label or an annotation that nobody asked for': ({ configured, world: { object, cluster } }) => {
    const snapshot = snapshotOf(cluster);
    expect(places(run(configured, relabelled(object), snapshot))).toEqual(places(run(configured, object, snapshot)));
  },

  'concludes nothing from a cluster that it does not know, and says so': ({ rule, configured, world: { object } }) => {
    const subject = judgedOf(object);
    const blind = withReads(
      configured,
      object,
      snapshotOf([], () => 'unsynced'),
    );
    const { findings, skipped } = judged(configured, subject, blind);
    const known = run(configured, object, snapshotOf([]));
    // What the object alone proves may be said; what takes a look at the cluster may not.
    if (known.readsOf(rule.meta.id).length > 0) expect([findings.length, skipped.length]).toEqual([0, 1]);
    else expect(findings.map(withoutFix)).toEqual(known.findings.map(withoutFix));
  },

  'finds nothing new, and denies nothing more, because a view is partial': ({ rule, configured, world: { object, cluster } }) => {
    const told = (of: Evaluation): readonly string[] => of.findings.flatMap((finding) => verdictsOf(rule, finding));
    const whole = new Set(told(run(configured, object, snapshotOf(cluster))));
    // Those too that the rule does not name: it may look at them for an explanation alone.
    for (const collection of new Set([...rule.meta.reads, ...resourcesOf(cluster).map(collectionOf)])) {
      const rest = cluster.filter((raw) => resourcesOf([raw]).every((one) => collectionOf(one) !== collection));
      const lacking = snapshotOf(rest, (one) => (one === collection ? 'unsynced' : 'complete'));
      for (const one of told(run(configured, object, lacking))) expect(whole, collection).toContain(one);
    }
  },

  'names a field that is there, or could be': ({ configured, world: { object, cluster } }) => {
    for (const { path } of run(configured, object, snapshotOf(cluster), true).findings)
      expect(existsOrIsOneMissingField(object, path), formatPath(path)).toBe(true);
  },

  'never denies a write that changes nothing': ({ configured, world: { object, cluster } }) => {
    const before = judgedOf(object);
    const held = withReads(configured, object, snapshotOf(cluster).with([before]));
    for (const after of [before, judgedOf(relabelled(object))]) {
      const { denials } = review({ operation: 'UPDATE', before, after, dryRun: false }, held, [configured], {
        settings: { ...byProfile('strict'), factsOf: exemptions.factsOf },
      });
      expect(denials).toEqual([]);
    }
  },

  'is content with what each edit that it proposes makes of the object': ({ configured, world: { object, cluster } }) => {
    const held = withReads(configured, object, snapshotOf(cluster));
    for (const { fix, path } of run(configured, object, held).findings) {
      if (fix.patch === undefined) continue;
      const edited = applyPatch(judgedOf(object), fix.patch);
      const again = judged(configured, edited, held);
      expect(again.findings.map((finding) => formatPath(finding.path))).not.toContain(formatPath(path));
    }
  },
};

describe.each(rules.map((rule): [string, Rule] => [rule.meta.id, rule]))('%s', (id, rule) => {
  const configured = rule.configure(options(id), id === 'dns-resolver-service-changed' ? shared : undefined);
  const worlds = ruleWorld(rule.meta.kinds);

  it('finds something in some worlds and nothing in others, or the laws would say nothing', () => {
    const seen = new Set<boolean>();
    for (let seed = 1; seed <= 40 && seen.size < 2; seed++)
      for (const { object, cluster } of fc.sample(worlds, { seed, numRuns: 20 }))
        seen.add(run(configured, object, snapshotOf(cluster)).findings.length > 0);
    expect(seen).toEqual(new Set([false, true]));
  });

  it('keeps the laws', () =>
    fc.assert(
      fc.property(worlds, (world) => {
        for (const [name, law] of Object.entries(laws))
          try {
            law({ rule, configured, world });
          } catch (cause) {
            throw new Error(`not so: "${name}"`, { cause });
          }
      }),
      { numRuns: runs(40, 1_200) },
    ));
});
