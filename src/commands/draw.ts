/** The picture of a cluster, drawn: Graphviz, compiled to WebAssembly, lays it out. It is 0.8 MB and is loaded when it is needed. */
import type { ResolverName } from '../cluster/resolver.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import { dotOf } from '../picture/dot.ts';
import { partsOf } from '../picture/parts.ts';
import { pictureOf } from '../picture/picture-of.ts';
import type { DrawnPicture, Report } from '../reports/report.ts';

/** The formats that show who may talk to whom; only the page needs it laid out. */
export type DrawnFormat = 'html' | 'dot' | 'mermaid';

interface DrawOptions {
  readonly format: DrawnFormat;
  readonly resolver?: ResolverName | undefined;
}

/** With the broken edges marked; what is exempt is broken all the same. */
export async function draw(
  snapshot: ClusterSnapshot,
  { findings, exempted }: Report,
  { format, resolver }: DrawOptions,
): Promise<DrawnPicture> {
  const all = [...findings, ...exempted].map(({ finding }) => finding);
  const picture = pictureOf(snapshot, all, resolver === undefined ? {} : { resolver });
  if (format !== 'html') return { picture, drawings: [], omitted: [] };
  const { parts, omitted } = partsOf(picture);
  const drawn = await svgOf(parts.map(dotOf));
  const drawings = parts.map((part, at) => ({ title: part.namespace, svg: drawn[at] as string, omitted: part.omitted }));
  return { picture, drawings, omitted };
}

/** Texts in the language of Graphviz, laid out. */
export async function svgOf(texts: readonly string[]): Promise<readonly string[]> {
  const { Graphviz } = await import('@hpcc-js/wasm-graphviz');
  const graphviz = await Graphviz.load();
  return texts.map((text) => graphviz.dot(text));
}
