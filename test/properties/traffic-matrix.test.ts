/** What is kept, put together or asked of all ports at once is what `flow` says of each connection, made anew. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecordingView } from '../../src/cluster/recording.ts';
import type { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { effectOn } from '../../src/cluster/traffic/effect.ts';
import { type Answer, allowedPorts, type FlowQuestion, flow, type PortAnswers } from '../../src/cluster/traffic/flow.ts';
import { formatPorts, includes, union, without } from '../../src/cluster/traffic/ports.ts';
import { shiftsBy } from '../../src/cluster/traffic/shifts.ts';
import { trafficOf } from '../../src/cluster/traffic/traffic.ts';
import type { ClusterView } from '../../src/cluster/view.ts';
import type { Workload } from '../../src/kube/resources.ts';
import { runs } from '../support/figures.ts';
import { builtFrom, type TrafficWorld, trafficWorld } from '../support/traffic-worlds.ts';

/** Beside those that the worlds name: one below, one above, one far away, and one of the third protocol. */
const probes = [
  ...[1, 52, 53, 54, 80, 81, 5353, 9000, 9001, 65_535].flatMap((port) => [
    { protocol: 'TCP' as const, port },
    { protocol: 'UDP' as const, port },
  ]),
  { protocol: 'SCTP' as const, port: 53 },
];

const answerIn = ({ allowed, depends }: PortAnswers, port: (typeof probes)[number]): Answer =>
  includes(allowed, port) ? 'allowed' : includes(depends, port) ? 'depends' : 'denied';

const pairsOf = (ends: readonly Workload[]): readonly (readonly [Workload, Workload])[] =>
  ends.flatMap((from) => ends.map((to) => [from, to] as const));

const endsOf = (view: ClusterSnapshot): readonly Workload[] => [...view.listAll('Template'), ...view.listAll('Pod')];

/** Policies of the same names come and go; workloads and namespaces stay. */
const changingWorld = fc.record({
  world: trafficWorld,
  writes: fc.array(
    trafficWorld.map(({ policies }) => policies),
    { minLength: 1, maxLength: 3 },
  ),
});

it('all ports at once are each port alone', { timeout: 60_000 }, () => {
  const seen = { allowed: 0, depends: 0, denied: 0 };
  fc.assert(
    fc.property(trafficWorld, fc.constantFrom<readonly string[] | undefined>([], ['10.96.0.10'], undefined), (world, serviceAddresses) => {
      const { view } = builtFrom(world);
      for (const [from, workload] of pairsOf(endsOf(view))) {
        const all = allowedPorts(view, from, { workload, serviceAddresses });
        for (const port of probes) {
          const { answer } = flow(view, from, { workload, serviceAddresses, ...port });
          expect(answerIn(all, port)).toBe(answer);
          seen[answer]++;
        }
      }
    }),
    { numRuns: runs(1_500, 30_000) },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(1_000);
});

/** The traffic of the whole as `flow` tells it, member by member. */
function expectExact(view: ClusterView, ends: readonly Workload[]): number {
  const traffic = trafficOf(view);
  for (const [from, workload] of pairsOf(ends)) {
    const [one, other] = [traffic.groupOf(from), traffic.groupOf(workload)];
    // What a Pod sends to itself is no question where others of its group are meant.
    if (one === undefined || other === undefined || (from === workload && one.workloads.length > 1)) continue;
    expect(traffic.between(one, other)).toEqual(allowedPorts(view, from, { workload, serviceAddresses: [] }));
  }
  for (const group of traffic.groups)
    for (const direction of ['Ingress', 'Egress'] as const) {
      const reached = new Set(traffic.reach(group, direction).map((each) => each.group));
      for (const other of traffic.groups) {
        const { allowed, depends } = direction === 'Ingress' ? traffic.between(other, group) : traffic.between(group, other);
        expect(reached.has(other)).toBe(allowed.length + depends.length > 0);
      }
    }
  return ends.length - traffic.groups.length;
}

it('a group speaks for each of its workloads, and what is kept from the state before is as if made anew', { timeout: 60_000 }, () => {
  let together = 0;
  fc.assert(
    fc.property(changingWorld, ({ world, writes }) => {
      // Twice the same workloads: else few are alike.
      const doubled: TrafficWorld = {
        ...world,
        workloads: world.workloads.flatMap((one) => [one, { ...one, pods: [] }, { ...one, pods: [] }]),
      };
      let { view } = builtFrom(doubled);
      together += expectExact(view, endsOf(view));
      for (const policies of writes) {
        const fresh = builtFrom({ ...doubled, policies }).view;
        // The policies of the other world over workloads that were judged before.
        view = view.adopting({ collection: 'NetworkPolicy', apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' }, fresh);
        expectExact(view, endsOf(view));
        const [kept, anew] = [new RecordingView(view), new RecordingView(fresh)];
        const [one, other] = [trafficOf(kept), trafficOf(anew)];
        expect(one.groups.map(({ workloads }) => workloads.length)).toEqual(other.groups.map(({ workloads }) => workloads.length));
        for (const from of one.groups)
          for (const to of one.groups)
            expect(one.between(from, to)).toEqual(
              other.between(other.groups[from.index] as typeof from, other.groups[to.index] as typeof to),
            );
        expect(kept.reads).toEqual(anew.reads);
      }
    }),
    { numRuns: runs(300, 6_000) },
  );
  expect(together).toBeGreaterThan(50);
});

it('a connection asked about again says and reads the same', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(trafficWorld, fc.constantFrom(53, 80), (world, port) => {
      const [{ view }, { view: anew }] = [builtFrom(world), builtFrom(world)];
      const [ends, same] = [endsOf(view), endsOf(anew)];
      for (const [at, from] of ends.entries())
        for (const [to, workload] of ends.entries()) {
          const ask = (asked: ClusterSnapshot, sender: Workload, receiver: Workload) => {
            const recording = new RecordingView(asked);
            const said = flow(recording, sender, { workload: receiver, protocol: 'UDP', port, serviceAddresses: [] });
            return { said, reads: recording.reads };
          };
          const first = ask(view, from, workload);
          expect(ask(view, from, workload)).toEqual(first);
          expect(ask(anew, same[at] as Workload, same[to] as Workload)).toEqual(first);
        }
    }),
    { numRuns: runs(500, 10_000) },
  );
});

it('the effect of a write is what each connection says before and after', { timeout: 60_000 }, () => {
  const seen = { lost: 0, gained: 0, unsure: 0 };
  fc.assert(
    fc.property(changingWorld, ({ world, writes: [policies = []] }) => {
      const { view: before } = builtFrom(world);
      const [written] = builtFrom({ ...world, policies }).view.listAll('NetworkPolicy');
      const after = written === undefined ? before.without(before.listAll('NetworkPolicy').slice(0, 1)) : before.with([written]);
      const questions = pairsOf(endsOf(before)).map(
        ([from, workload]): FlowQuestion => ({ from, to: { workload, protocol: 'TCP', port: 80, serviceAddresses: [] } }),
      );
      const effect = effectOn(before, after, questions);
      const answers = questions.map((question) => ({
        question,
        earlier: flow(before, question.from, question.to).answer,
        now: flow(after, question.from, question.to).answer,
      }));
      const differing = answers.filter(({ earlier, now }) => earlier !== now);
      const certain = differing.filter(({ earlier, now }) => earlier !== 'depends' && now !== 'depends');
      expect(effect.lost.map(({ question }) => question)).toEqual(
        certain.filter(({ now }) => now === 'denied').map(({ question }) => question),
      );
      expect(effect.gained.map(({ question }) => question)).toEqual(
        certain.filter(({ now }) => now === 'allowed').map(({ question }) => question),
      );
      expect(effect.unsure).toHaveLength(differing.length - certain.length);
      expect([effect.asked, effect.isCut]).toEqual([questions.length, false]);
      for (const kind of ['lost', 'gained', 'unsure'] as const) seen[kind] += effect[kind].length;
    }),
    { numRuns: runs(2_000, 20_000) },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50);
});

it('the shifts by a policy are what becomes of every pair of workloads', { timeout: 60_000 }, () => {
  let count = 0;
  fc.assert(
    fc.property(changingWorld, ({ world, writes: [policies = []] }) => {
      const doubled: TrafficWorld = { ...world, workloads: world.workloads.flatMap((one) => [one, { ...one, pods: [] }]) };
      const { view: before } = builtFrom(doubled);
      const written = builtFrom({ ...doubled, policies }).view.listAll('NetworkPolicy')[0] ?? before.listAll('NetworkPolicy')[0];
      if (written === undefined) return;
      const after = policies.length > 0 ? before.with([written]) : before.without([written]);
      const said = new Map<string, string>();
      const tell = (from: Workload, to: Workload, lost: string, gained: string): unknown =>
        said.set(`${nameOf(before, from)} to ${nameOf(before, to)}`, `lost ${lost}; gained ${gained}`);
      const { shifts } = shiftsBy(written, trafficOf(before), trafficOf(after));
      for (const { from, to, pairs, lost, gained } of shifts) {
        const different = from.flatMap((one) => to.filter((other) => other !== one).map((other) => [one, other] as const));
        expect(different).toHaveLength(pairs);
        for (const [one, other] of different) tell(one, other, formatPorts(lost), formatPorts(gained));
      }
      const told = new Map(said);
      said.clear();
      for (const [from, workload] of pairsOf(endsOf(before)).filter(([one, other]) => one !== other)) {
        const [then, now] = [before, after].map((view) => allowedPorts(view, from, { workload, serviceAddresses: [] })) as [
          PortAnswers,
          PortAnswers,
        ];
        const lost = without(then.allowed, union(now.allowed, now.depends));
        const gained = without(now.allowed, union(then.allowed, then.depends));
        if (lost.length + gained.length > 0) tell(from, workload, formatPorts(lost), formatPorts(gained));
      }
      expect(told).toEqual(said);
      count += said.size;
    }),
    { numRuns: runs(500, 10_000) },
  );
  expect(count).toBeGreaterThan(200);
});

const nameOf = (view: ClusterSnapshot, workload: Workload): number => endsOf(view).indexOf(workload);
