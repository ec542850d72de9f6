/** Why a connection between two sets of workloads is allowed, denied or not certain. */
import { type Answer, type Flow, flow, type PortOfPod, type Verdict } from '../cluster/traffic/flow.ts';
import { type Ports, stretchesOf } from '../cluster/traffic/ports.ts';
import type { ClusterView } from '../cluster/view.ts';
import { formatRef, type NetworkPolicy, refOf, type Workload } from '../kube/resources.ts';
import type { FlowLine } from './flow-map.ts';
import { inFull } from './flow-names.ts';
import type { FlowSet } from './flow-sets.ts';
import { doubts } from './policies.ts';

/** So many sets of each side are asked; where there are more, other policies may stand behind the rest. */
const mostAsked = 4;
const mostPolicies = 3;

/** A phrase: `by NetworkPolicy shop/web`; `isolated by NetworkPolicy shop/deny`; `no policy isolates either`. */
export function reasonOf(view: ClusterView, { from, to, answer, ports }: FlowLine): string {
  const flows = from.slice(0, mostAsked).flatMap((source) =>
    to.slice(0, mostAsked).flatMap((target) => {
      const ends = endsOf(source, target);
      if (ends === undefined) return [];
      return flow(view, ends[0], { ...portOf(ports, ends[1]), workload: ends[1], serviceAddresses: [] });
    }),
  );
  const others = from.length > mostAsked || to.length > mostAsked ? ', and others' : '';
  return phraseOf(answer, flows, others);
}

/** Of one set, two different workloads. */
function endsOf(from: FlowSet, to: FlowSet): readonly [Workload, Workload] | undefined {
  const [one, other] = [from.members[0], from === to ? to.members[1] : to.members[0]];
  return other && [one.workloads[0], other.workloads[0]];
}

const someport: PortOfPod = { port: 80, protocol: 'TCP' };

function portOf(ports: Ports, { pod }: Workload): PortOfPod {
  const [stretch] = stretchesOf(ports);
  if (stretch !== undefined) return { port: stretch.from, protocol: stretch.protocol };
  const [declared] = pod.ports;
  return declared === undefined ? someport : { port: declared.containerPort, protocol: declared.protocol };
}

function phraseOf(answer: Answer, flows: readonly Flow[], others: string): string {
  if (answer === 'allowed') {
    const allowing = flows.flatMap(({ egress, ingress }) => [...allowingOf(egress), ...allowingOf(ingress)]);
    return allowing.length === 0 ? 'no policy isolates either' : `by ${titlesOf(allowing)}${others}`;
  }
  if (answer === 'depends') {
    const why = [...new Set(flows.flatMap((one) => one.doubts))].map((doubt) => doubts[doubt]);
    const isolating = flows.flatMap(({ egress, ingress }) => [...egress.isolatedBy, ...ingress.isolatedBy]);
    const policies = isolating.length === 0 ? '' : `, by ${titlesOf(isolating)}${others}`;
    return `${why.length === 0 ? 'its Pods differ' : why.join('; ')}${policies}`;
  }
  const receiving = deniedBy(flows.map(({ ingress }) => ingress));
  const sending = deniedBy(flows.map(({ egress }) => egress));
  return [
    ...(receiving.length === 0 ? [] : [`isolated by ${titlesOf(receiving)}${others}`]),
    ...(sending.length === 0 ? [] : [`sending limited by ${titlesOf(sending)}${others}`]),
  ].join('; ');
}

const deniedBy = (verdicts: readonly Verdict[]): readonly NetworkPolicy[] =>
  verdicts.flatMap(({ answer, isolatedBy }) => (answer === 'denied' ? isolatedBy : []));

/** The rule that certainly allows it; where only all together do, all that isolate. */
const allowingOf = ({ allowedBy, isolatedBy }: Verdict): readonly NetworkPolicy[] =>
  allowedBy === undefined ? isolatedBy : [allowedBy.policy];

const titlesOf = (policies: readonly NetworkPolicy[]): string => titled(policies.map((policy) => formatRef(refOf(policy))));

/** `NetworkPolicy shop/web and shop/deny`, each once. */
export function titled(policies: readonly string[]): string {
  const names = [...new Set(policies)].map((title) => title.slice(title.indexOf(' ') + 1));
  return names.length === 0 ? '' : `NetworkPolicy ${inFull(names, mostPolicies)}`;
}
