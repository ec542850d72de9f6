/** The last link of a way: whether policies let requests in. Only what is certain breaks it; of what is not, nothing is said. */
import { type AskedPort, destinationsBehind, titleOf } from '../cluster/dependencies/dependency.ts';
import { type Serving, servingOf as servingIn } from '../cluster/dependencies/ingress-backends.ts';
import { NotKnown } from '../cluster/recording.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import { isBound } from '../cluster/traffic/end.ts';
import { type Destination, type Flow, flow } from '../cluster/traffic/flow.ts';
import { rulesOf } from '../cluster/traffic/policy-rules.ts';
import { portMatches } from '../cluster/traffic/ports.ts';
import { isolating } from '../cluster/traffic/selecting.ts';
import type { ClusterView } from '../cluster/view.ts';
import { listed } from '../kube/listed.ts';
import { formatRef, type Ingress, type NetworkPolicy, refOf } from '../kube/resources.ts';
import type { ExplainedLink } from './explained.ts';

/** Who serves an Ingress, among the workloads that are known, whether or not those are all. */
export const servingOf = (ingress: Ingress, snapshot: ClusterSnapshot): Serving | undefined => servingIn(snapshot, ingress);

export interface PolicyEnd {
  readonly link: ExplainedLink;
  /** What mends the link, where it is broken and no rule says so. */
  readonly repair?: string;
}

/** `view` ends the search where something that it takes is not known. */
export function policyEnd(asked: AskedPort, serving: Serving | undefined, view: ClusterView): PolicyEnd | undefined {
  try {
    const destinations = destinationsBehind(asked, view);
    return serving === undefined ? fromAnybody(destinations, view) : fromController(destinations, serving, view);
  } catch (cause) {
    if (cause instanceof NotKnown) return undefined;
    throw cause;
  }
}

function fromController(destinations: readonly Destination[], { pods }: Serving, view: ClusterView): PolicyEnd | undefined {
  const flows = destinations.flatMap((to) => pods.map((from) => flow(view, from, to)));
  const denied = flows.filter(({ answer }) => answer === 'denied');
  const [from] = pods;
  if (from === undefined || flows.length === 0 || (denied.length === 0 && flows.some(({ answer }) => answer === 'depends')))
    return undefined;
  const who = titleOf(from, '');
  if (denied.length === 0) return { link: { link: 'policy', state: 'holds', text: `policies let ${who} in` } };
  const areAll = denied.length === flows.length;
  const text = `by ${titlesOf(denied.flatMap(denying))}, ${who} does not reach ${areAll ? 'them' : 'all of them'}`;
  const link: ExplainedLink = { link: 'policy', state: areAll ? 'broken' : 'doubtful', text };
  return { link, repair: repairOf(denied, who, from.metadata.namespace) };
}

/** Each end is opened by a policy of its own namespace. */
function repairOf(denied: readonly Flow[], who: string, whose: string): string {
  const out = denied.some(({ egress }) => egress.answer === 'denied')
    ? [`let ${who} out to them with a rule of a NetworkPolicy in ${whose}`]
    : [];
  const within = denied.some(({ ingress }) => ingress.answer === 'denied') ? ['let them in with a rule of a NetworkPolicy'] : [];
  return `${[...out, ...within].join(', and ')}; "portcullis explain flow" tells what each policy says`;
}

const denying = ({ egress, ingress }: Flow): readonly NetworkPolicy[] =>
  [egress, ingress].flatMap(({ answer, isolatedBy }) => (answer === 'denied' ? isolatedBy : []));

const titlesOf = (policies: readonly NetworkPolicy[]): string => listed([...new Set(policies.map((policy) => formatRef(refOf(policy))))]);

/** Whoever asks: no rule is about the port. What comes from the node of a Pod gets through all the same (rules.md D.4, 39). */
function fromAnybody(destinations: readonly Destination[], view: ClusterView): PolicyEnd | undefined {
  const closing = destinations.map((to) => closedBy(to, view));
  const policies = closing.flatMap((some) => some ?? []);
  if (policies.length === 0 || closing.includes(undefined)) return undefined;
  const ports = [...new Set(destinations.map(({ port, protocol }) => `${port}/${protocol}`))];
  const text = `by ${titlesOf(policies)}, nobody is let in on ${listed(ports)}, but from the node itself`;
  return { link: { link: 'policy', state: 'doubtful', text } };
}

/** The policies that isolate the Pods, if none of their rules is about the port. */
function closedBy(to: Destination, view: ClusterView): readonly NetworkPolicy[] | undefined {
  if (!isBound(to.workload)) return undefined;
  const isolated = isolating(view, to.workload, 'Ingress');
  const isNamed = isolated.some(({ policy }) => rulesOf(policy, 'Ingress').some(({ ports }) => portMatches(ports, to.workload, to)));
  const isSure = isolated.some(({ selected }) => selected === true);
  return isSure && !isNamed ? isolated.map(({ policy }) => policy) : undefined;
}
