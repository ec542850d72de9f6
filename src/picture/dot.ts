/** The picture in the language of Graphviz. */
import { display, shorten } from '../kube/display.ts';
import { type EdgeState, fullTitle, type Picture, type PictureEdge, type PictureNode } from './picture.ts';

/** Graphviz reads entities in labels, and `\N` and its like. */
const quoted = (text: string): string => `"${text.replaceAll('&', '&amp;').replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** A label of several lines; each is made safe before the line breaks are put in. */
const label = (lines: readonly string[]): string => lines.map((line) => quoted(line).slice(1, -1)).join('\\n');

export function dotOf(picture: Picture): string {
  const names = namesOf(picture.nodes);
  const namespaces = Map.groupBy(picture.nodes, ({ namespace }) => namespace);
  const clusters = [...namespaces].map(([namespace, nodes], index) => {
    const lines = nodes.map((node) => `  ${names.get(node.id)} ${nodeAttributes(node)}`);
    if (namespace === '') return lines.join('\n');
    return `  subgraph cluster_${index} {\n  class=namespace margin=12 label=${quoted(shorten(namespace, 60))}\n${lines.join('\n')}\n  }`;
  });
  const edges = picture.edges.map((edge) => `  ${names.get(edge.from)} -> ${names.get(edge.to)} ${edgeAttributes(edge)}`);
  return `digraph portcullis {\n${defaults}\n${clusters.join('\n')}\n${edges.join('\n')}\n}\n`;
}

/** Names that a person can read, since browsers show them; after being made safe they may be equal. */
function namesOf(nodes: readonly PictureNode[]): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  return new Map(
    nodes.map((node, index) => {
      const name = display(fullTitle(node));
      const unique = taken.has(name) ? `${name} ${index}` : name;
      taken.add(unique);
      return [node.id, quoted(unique)];
    }),
  );
}

/** The letters are set larger than the page shows them: browsers' fonts are wider than the one that Graphviz knows. */
const defaults = `  rankdir=LR bgcolor=transparent pad=0.2 nodesep=0.18 ranksep=0.45 fontname=Helvetica fontsize=14 labeljust=l
  node [shape=box style=rounded fontname=Helvetica fontsize=14 height=0.4 margin="0.14,0.06" color="#5b6472"]
  edge [fontname=Helvetica fontsize=11.5 arrowsize=0.6 color="#5b6472" fontcolor="#3d4450"]
  graph [style=rounded color="#b8bfca" fontcolor="#3d4450"]`;

const shapes: Readonly<Record<PictureNode['kind'], string>> = {
  outside: 'shape=ellipse',
  ingress: 'shape=cds style="" margin="0.2,0.08"',
  service: 'shape=box style=rounded',
  workload: 'shape=box style="rounded,bold"',
  group: 'shape=box style="rounded,bold"',
  missing: 'shape=box style=dashed color="#b3261e" fontcolor="#b3261e"',
};

const closed: ReadonlyMap<string, string> = new Map([
  ['Ingress', 'only named sources'],
  ['Egress', 'only named targets'],
  ['Ingress,Egress', 'only named sources and targets'],
]);

function nodeAttributes({ kind, title, isolated }: PictureNode): string {
  const note = closed.get(isolated.join());
  const lines = [shorten(title, 44), ...(note === undefined ? [] : [note])];
  return `[class=${kind} ${shapes[kind]} label="${label(lines)}"]`;
}

/** Told by the line and by the words, not by the colour alone. */
const styles: Readonly<Record<EdgeState, string>> = {
  works: '',
  broken: 'style=dashed penwidth=2.2 color="#b3261e" fontcolor="#b3261e" arrowhead=tee',
  blocked: 'style=dashed color="#b3261e" arrowhead=tee',
  depends: 'style=dotted penwidth=1.6',
};

const prefixes: Readonly<Record<EdgeState, string>> = { works: '', broken: '✕ ', blocked: 'blocked: ', depends: 'depends: ' };

function edgeAttributes({ state, kind, label: text }: PictureEdge): string {
  const policy = kind === 'policy' && state === 'works' ? ' arrowhead=vee color="#2f6f8f"' : '';
  // The columns are the way in: what workloads say to each other runs beside it. Graphviz fails to route some such edges with a label in their way.
  const [aside, where] = kind === 'policy' ? [' constraint=false', 'xlabel'] : ['', 'label'];
  return `[class="${state} ${kind}" ${styles[state]}${policy}${aside} ${where}="${label(wrapped(`${prefixes[state]}${display(text)}`, 28, 3))}"]`;
}

/** At most `most` lines of about `width` characters, broken between words; what does not fit ends with `…`. */
function wrapped(text: string, width: number, most: number): readonly string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ').map((one) => shorten(one, width))) {
    const line = lines.at(-1) as string;
    if (line === '' || line.length + word.length < width) lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
    else lines.push(word);
  }
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), `${lines[most - 1]} …`];
}
