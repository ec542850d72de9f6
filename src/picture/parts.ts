/** A large picture in parts that can be read: one for each namespace, with what its edges lead to. */
import { listed } from '../kube/listed.ts';
import type { Picture, PictureEdge, PictureNode } from './picture.ts';

export interface Part extends Picture {
  /** The namespace, or '' where one part holds everything. */
  readonly namespace: string;
}

/** What can be taken in at one look, more or less. Beyond it, each namespace is drawn by itself. */
const atOneLook = { nodes: 40, edges: 60 };
/** More boxes than these, and nobody finds anything. */
const mostNodes = 150;
const mostEdges = 300;
const mostParts = 40;

/** What has an edge, in one part if that is small enough; nothing where there is nothing to draw. */
export function partsOf({ nodes, edges, omitted }: Picture): { readonly parts: readonly Part[]; readonly omitted: readonly string[] } {
  const drawn = withEnds(nodes, edges);
  const left = nodes.length - drawn.length;
  const idle =
    left === 0 ? [] : [`${left} ${left === 1 ? 'object is' : 'objects are'} not drawn: nothing leads there, and no policy speaks of them.`];
  if (drawn.length === 0) return { parts: [], omitted: [...omitted, ...idle] };
  if (drawn.length <= atOneLook.nodes && edges.length <= atOneLook.edges)
    return { parts: [{ namespace: '', nodes: drawn, edges, omitted: [] }], omitted: [...omitted, ...idle] };
  const namespaces = [...new Set(drawn.map(({ namespace }) => namespace).filter((namespace) => namespace !== ''))].sort();
  const parts = namespaces.map((namespace) => partOf(namespace, nodes, edges)).filter(({ edges: { length } }) => length > 0);
  const ranked = parts.toSorted((a, b) => brokenIn(b) - brokenIn(a));
  const tooMany = ranked.slice(mostParts).map(({ namespace }) => namespace);
  const cut =
    tooMany.length === 0 ? [] : [`Namespaces whose picture is left out: ${listed(tooMany, 20)}. The table below has their connections.`];
  return { parts: ranked.slice(0, mostParts), omitted: [...omitted, ...idle, ...cut] };
}

const brokenIn = ({ edges }: Picture): number => edges.filter(({ state }) => state === 'broken').length;

const withEnds = (nodes: readonly PictureNode[], edges: readonly PictureEdge[]): readonly PictureNode[] => {
  const ends = new Set(edges.flatMap(({ from, to }) => [from, to]));
  return nodes.filter(({ id }) => ends.has(id));
};

function partOf(namespace: string, nodes: readonly PictureNode[], edges: readonly PictureEdge[]): Part {
  const own = new Set(nodes.filter((node) => node.namespace === namespace).map(({ id }) => id));
  const touching = edges.filter(({ from, to }) => own.has(from) || own.has(to));
  const kept = fitting(touching);
  const omitted =
    kept.length === touching.length
      ? []
      : [`${touching.length - kept.length} of ${touching.length} connections are left out here; the table below has all.`];
  return { namespace, nodes: withEnds(nodes, kept), edges: kept, omitted };
}

/** What is broken first, then what leads to Pods, then what policies say, until the boxes are enough. */
function fitting(edges: readonly PictureEdge[]): readonly PictureEdge[] {
  const rank = ({ state, kind }: PictureEdge): number => (state === 'broken' ? 0 : kind === 'policy' ? 2 : 1);
  const ends = new Set<string>();
  const kept = new Set<PictureEdge>();
  for (const edge of edges.toSorted((a, b) => rank(a) - rank(b))) {
    const grown = ends.union(new Set([edge.from, edge.to]));
    if (grown.size > mostNodes || kept.size >= mostEdges) continue;
    for (const id of [edge.from, edge.to]) ends.add(id);
    kept.add(edge);
  }
  return edges.filter((edge) => kept.has(edge));
}
