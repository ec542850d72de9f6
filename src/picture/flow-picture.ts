/** The picture of who may talk to whom: a box for each set of alike workloads, in its namespace, and an arrow where something is let through. */
import { listed } from '../kube/listed.ts';
import { type FlowReport, outsideName, type ToldFlow, type ToldSet, type ToldSide } from './flow-report.ts';
import { type Picture, type PictureEdge, type PictureNode, Sketch } from './picture.ts';

/** So many sets of one side are drawn one by one; more become a box of their own. */
const mostBoxes = 3;
/** More than these nobody can follow. What is open to everybody is told last, and left out first. */
const mostEdges = 400;

export function flowPicture({ sets, flows }: FlowReport): Picture {
  const sketch = new Sketch();
  for (const id of sets.keys()) boxOf(sketch, sets, id);
  const drawn = flows.filter(({ answer }) => answer !== 'denied');
  const shown = drawn.toSorted((a, b) => rankOf(a) - rankOf(b)).slice(0, mostEdges);
  for (const one of shown) drawFlow(sketch, sets, one);
  for (const [id, { isolatedBy }] of sets.entries()) {
    const ingress = isolatedBy.ingress.length > 0 ? (['Ingress'] as const) : [];
    sketch.close(idOfSet(id), [...ingress, ...(isolatedBy.egress.length > 0 ? (['Egress'] as const) : [])]);
  }
  if (drawn.length > shown.length)
    sketch.omitted.push(`${drawn.length - shown.length} of ${drawn.length} lines are not drawn: narrow it down with -n, or see -o json.`);
  const { nodes, edges, omitted } = sketch.done();
  return { nodes: boxesWith(nodes, edges), edges, omitted };
}

const rankOf = ({ section, to }: ToldFlow): number => (section === 'open' ? 3 : to.sets === undefined ? 2 : section === 'depends' ? 1 : 0);

/** Boxes for many sets stand beside those; a set with no arrow is a box all the same. */
const boxesWith = (nodes: readonly PictureNode[], edges: readonly PictureEdge[]): readonly PictureNode[] => {
  const ends = new Set(edges.flatMap(({ from, to }) => [from, to]));
  return nodes.filter(({ id, kind }) => kind !== 'group' || id.startsWith('set:') || ends.has(id));
};

function boxOf(sketch: Sketch, sets: readonly ToldSet[], id: number): string {
  const { namespace, workloads } = sets[id] as ToldSet;
  const own = workloads.map(({ name }) => name.slice(namespace.length + 1));
  const title = own.length <= 2 ? own.join(', ') : `${own.length} workloads: ${listed(own, 2)}`;
  return sketch.node(idOfSet(id), own.length === 1 ? 'workload' : 'group', namespace, title);
}

const idOfSet = (id: number): string => `set:${id}`;

/** The boxes of one side. */
function boxesOf(sketch: Sketch, all: readonly ToldSet[], { name, sets }: ToldSide): readonly string[] {
  if (sets === undefined) return [sketch.node(outsideName, 'outside', '', 'Outside the cluster')];
  if (sets.length <= mostBoxes) return sets.map((id) => boxOf(sketch, all, id));
  const namespaces = new Set(sets.map((id) => (all[id] as ToldSet).namespace));
  const namespace = namespaces.size === 1 ? (all[sets[0] as number] as ToldSet).namespace : '';
  return [sketch.node(`many:${sets.join()}`, 'group', namespace, name)];
}

function drawFlow(sketch: Sketch, sets: readonly ToldSet[], { from, to, answer, ports, why }: ToldFlow): void {
  const state = answer === 'depends' ? 'depends' : 'works';
  const addresses = [from, to].flatMap(({ name, sets: inside }) =>
    inside === undefined && name !== outsideName ? [name.slice(outsideName.length + 1)] : [],
  );
  const label = [ports, ...addresses].join(' ');
  for (const source of boxesOf(sketch, sets, from))
    for (const target of boxesOf(sketch, sets, to))
      if (source !== target || !isSingle(sets, source)) sketch.edge({ from: source, to: target, kind: 'flow', state, label, why });
}

/** What Pods of one workload say to each other is not drawn. */
const isSingle = (sets: readonly ToldSet[], box: string): boolean =>
  sets.some(({ workloads: { length } }, id) => length === 1 && box === idOfSet(id));
