/** `portcullis explain flow FROM TO:PORT`: whether policies let a connection through, and which of them says so. */
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import { OperatorError } from '../errors.ts';
import { formatRef } from '../kube/resources.ts';
import { type ExplainedFlow, explainedFlow } from '../picture/explained-flow.ts';
import { explainedFlowJson, explainedFlowText } from '../reports/explained-flow-text.ts';
import type { ExplainOptions } from './explain-object.ts';
import { endAtAddress, type KnownEnd } from './flow-address.ts';
import { memberOf, type NamedEnd, namedEnd, portIn } from './flow-ends.ts';
import { flowWorld } from './flow-world.ts';
import { interruptible } from './interrupt.ts';
import type { Terminal } from './terminal.ts';

/**
 * `words`: both ends, then paths. Prints, and returns the exit code: 0 allowed, 1 denied, 2 not certain, or something may not
 * be listed; 130 after Ctrl-C. Rejects with an OperatorError where an end is not known, or nothing can be read.
 */
export const explainFlow = (
  words: readonly string[],
  { output, namespace, ...options }: ExplainOptions,
  terminal: Terminal,
): Promise<number> =>
  interruptible(async (signal) => {
    const [from, to, ...paths] = words;
    if (from === undefined || to === undefined)
      throw new OperatorError('PC0001', 'two ends are needed', 'For example: portcullis explain flow shop/web shop/db:5432');
    const ends = [namedEnd(from, namespace), namedEnd(to, namespace)] as const;
    const namespaces = [...new Set(ends.flatMap((end) => (end.address === undefined ? [end.namespace] : [])))];
    const world = await flowWorld(paths, { ...options, namespace: namespaces, defaultNamespace: namespace, signal }, terminal);
    const explained = explain(world.snapshot, ...ends);
    const print = output === 'json' ? explainedFlowJson : explainedFlowText;
    const { source, notices, isBlind } = world;
    terminal.out(print(explained, { source, notices, paint: terminal.paint }));
    if (isBlind || explained.answer === 'depends') return 2;
    return explained.answer === 'denied' ? 1 : 0;
  });

function explain(snapshot: ClusterSnapshot, from: NamedEnd, to: NamedEnd): ExplainedFlow {
  const [source, target] = [endIn(snapshot, from, 'from'), endIn(snapshot, to, 'to')];
  const port = portIn(
    to,
    target.shapes.filter((shape) => 'pod' in shape),
  );
  const titles = { from: source.title, to: target.title };
  // Two Pods that are alike stand as one workload, which does not send to itself here.
  const sources = mayBeOne(source, target) ? source.shapes : source.shapes.map((one) => (target.shapes.includes(one) ? { ...one } : one));
  const all = sources.flatMap((one) =>
    target.shapes.map((workload) => explainedFlow(snapshot, one, { ...port, workload, serviceAddresses: [] }, titles)),
  );
  return together(all);
}

function endIn(snapshot: ClusterSnapshot, end: NamedEnd, role: 'from' | 'to'): KnownEnd {
  if (end.address !== undefined) return endAtAddress(snapshot, { ...end, address: end.address }, role);
  const { ref, workloads } = memberOf(snapshot, end);
  const title = formatRef(ref);
  return { title, shapes: workloads, workload: title };
}

/** Both are of one workload, and not two Pods of it. */
const mayBeOne = (one: KnownEnd, other: KnownEnd): boolean =>
  one.workload !== undefined && one.workload === other.workload && (one.pod ?? other.pod) === (other.pod ?? one.pod);

/** Where the Pods of one workload get several answers, it is not certain; the gravest one is told. */
function together(all: readonly ExplainedFlow[]): ExplainedFlow {
  const worst =
    all.find(({ answer }) => answer === 'denied') ?? all.find(({ answer }) => answer === 'depends') ?? (all[0] as ExplainedFlow);
  if (all.every(({ answer }) => answer === worst.answer)) return worst;
  return {
    ...worst,
    answer: 'depends',
    doubts: ['policies tell Pods of this workload apart, and what is below is true of some', ...worst.doubts],
  };
}
