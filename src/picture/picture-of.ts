/** The picture of a cluster: the ways in, what policies say, and where a finding stands. Work is bounded, whatever the cluster's size. */
import { findResolver, type ResolverName } from '../cluster/resolver.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Finding } from '../engine/finding.ts';
import { listed } from '../kube/listed.ts';
import { alikeIn } from './alike.ts';
import { type Picture, Sketch } from './picture.ts';
import { drawBlocks, drawDns, drawPolicies } from './policies.ts';
import { drawIngress, drawService, findingsByObject } from './wiring.ts';

export interface PictureOptions {
  /** Which Service is the cluster's resolver, where the configuration says so. */
  readonly resolver?: ResolverName;
  /** How many policies, rules and selectors may be looked at. About a million in a second. */
  readonly steps?: number;
}

const defaultSteps = 1_500_000;

/** Every Ingress and Service with what it leads to; between workloads only what policies say of those that they select. */
export function pictureOf(snapshot: ClusterSnapshot, findings: readonly Finding[] = [], options: PictureOptions = {}): Picture {
  const sketch = new Sketch();
  const findingsOf = findingsByObject(findings);
  for (const ingress of snapshot.listAll('Ingress')) drawIngress(sketch, ingress, snapshot, findingsOf);
  for (const service of snapshot.listAll('Service')) drawService(sketch, service, snapshot, findingsOf);
  const policies = snapshot.listAll('NetworkPolicy');
  if (policies.length === 0) {
    sketch.omitted.push('No NetworkPolicy is known: as far as policies go, every Pod may talk to every other.');
    return sketch.done();
  }
  const budget = new Budget(snapshot, options.steps ?? defaultSteps);
  const namespaces = [...new Set([...snapshot.listAll('Template'), ...snapshot.listAll('Pod')].map(({ metadata }) => metadata.namespace))];
  const all = namespaces.sort().flatMap((namespace) => budget.spend(namespace, (view) => alikeIn(view, namespace, policies)) ?? []);
  const resolver = findResolver(snapshot, options.resolver);
  budget.spend('DNS', (view) => drawDns({ sketch, view, all, resolver }, findingsOf));
  for (const one of all.filter(({ isolated }) => isolated.length > 0))
    budget.spend(one.namespace, (view) => {
      const scene = { sketch, view, all, resolver };
      drawBlocks(scene, one);
      drawPolicies(scene, one);
    });
  for (const { members, isolated } of all) for (const { id } of members) sketch.close(id, isolated);
  const leftOut = budget.refused;
  if (leftOut.length > 0)
    sketch.omitted.push(
      `There are too many NetworkPolicies to work out all of what they say; left out, at least in part: ${listed(leftOut, 5)}.`,
    );
  if (all.some(({ isolated }) => isolated.length === 0))
    sketch.omitted.push('Workloads that no policy selects take and open every connection; between them no arrow is drawn.');
  return sketch.done();
}

/** Thrown when the steps are used up. */
class Spent extends Error {}

/** A view that counts the steps of all loops over policies, and ends what takes too many. */
class Budget {
  readonly view: ClusterView;
  private steps: number;
  private readonly refusedOnes = new Set<string>();

  constructor(snapshot: ClusterSnapshot, steps: number) {
    this.steps = steps;
    const step = (): void => {
      this.steps -= 1;
      if (this.steps < 0) throw new Spent();
    };
    this.view = Object.create(snapshot, { step: { value: step } }) as ClusterView;
  }

  get refused(): readonly string[] {
    return [...this.refusedOnes];
  }

  spend<T>(title: string, work: (view: ClusterView) => T): T | undefined {
    try {
      return work(this.view);
    } catch (error) {
      if (!(error instanceof Spent)) throw error;
      this.refusedOnes.add(title);
      return undefined;
    }
  }
}
