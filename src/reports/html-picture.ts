/** The picture in the HTML page, with a legend, and as a table for those who do not see it. */
import { html } from 'htm/preact';
import { display } from '../kube/display.ts';
import { type EdgeState, fullTitle, type PictureEdge } from '../picture/picture.ts';
import type { Section } from './html-sections.ts';
import type { DrawnPicture } from './report.ts';
import { counted } from './summary.ts';

export function pictureSection({ picture, drawings, omitted }: DrawnPicture): Section {
  const broken = picture.edges.filter(({ state }) => state === 'broken').length;
  const content = html`
    <p>${counted(picture.edges.length, 'connection')}, ${broken === 0 ? 'none of them broken' : html`<strong class="broken-word">${broken} broken</strong>`}. Between workloads, only what NetworkPolicies say is drawn.</p>
    ${legend}
    ${drawings.map(({ title, svg, omitted: left }, index) => {
      const name = title === '' ? 'Who may talk to whom' : `Namespace ${display(title)}`;
      const drawing = html`<div class="picture" tabindex="0" role="region" aria-label=${`${name}: picture, which scrolls`} dangerouslySetInnerHTML=${{ __html: named(svg, name) }}></div>
        ${left.map((sentence) => html`<p class="soft">${display(sentence)}</p>`)}`;
      return title === '' ? drawing : html`<details class="more" open=${index === 0}><summary>${name}</summary>${drawing}</details>`;
    })}
    ${omitted.length === 0 ? '' : html`<ul class="soft">${omitted.map((sentence) => html`<li>${display(sentence)}</li>`)}</ul>`}
    ${edgeTable(picture.edges, new Map(picture.nodes.map((node) => [node.id, fullTitle(node)])))}`;
  return { id: 'picture', title: 'Who may talk to whom', content };
}

/** Wider than this, it scrolls; else it is made to fit where there is room. In CSS pixels. */
const widest = 1_500;
const pixels = 1;

/** The drawing with a name, in a size for screens. Graphviz escapes what people wrote, so that its own marks are where they seem to be. */
function named(svg: string, name: string): string {
  const [, width = '0', height = '0'] = /viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"/.exec(svg) ?? [];
  const [across, down] = [Number(width) * pixels, Number(height) * pixels];
  const label = name.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  const open = `<svg class="${across <= widest ? 'fits' : 'scrolls'}" role="img" aria-label="${label}. The table below says the same." `;
  return svg
    .slice(svg.indexOf('<svg'))
    .replace(/<svg width="[\d.]+pt" height="[\d.]+pt"\s/, () => `${open}width="${Math.round(across)}" height="${Math.round(down)}" `)
    .replaceAll(/<g id="[^"]*" /g, '<g ');
}

const sample = (dash: string) =>
  html`<svg width="34" height="10" aria-hidden="true"><line x1="0" y1="5" x2="34" y2="5" stroke-dasharray=${dash}/></svg>`;
const legend = html`<ul class="plain legend">
    <li>${sample('')}leads there</li>
    <li class="policy">${sample('')}let through by a NetworkPolicy</li>
    <li class="broken-word">${sample('7 4')}✕ broken, or blocked</li>
    <li>${sample('2 4')}depends on the network plugin</li>
  </ul>`;

const words: Readonly<Record<EdgeState, string>> = { works: 'works', broken: '✕ broken', blocked: 'blocked', depends: 'depends' };
const kinds: Readonly<Record<PictureEdge['kind'], string>> = {
  entry: '',
  route: '',
  serve: '',
  tls: 'TLS',
  dns: '',
  policy: 'let through',
  flow: 'let through',
};

/** So many rows a browser shows without delay. */
const mostRows = 2_000;

function edgeTable(edges: readonly PictureEdge[], titles: ReadonlyMap<string, string>) {
  const isBroken = ({ state }: PictureEdge): number => Number(state !== 'broken');
  const sorted = edges.toSorted((a, b) => isBroken(a) - isBroken(b));
  const rows = sorted.slice(0, mostRows).map((edge) => {
    const word = edge.state === 'works' && kinds[edge.kind] !== '' ? kinds[edge.kind] : words[edge.state];
    const what = [display(edge.label), display(edge.why)].filter((part) => part !== '').join(' · ');
    return html`<tr><td>${display(titles.get(edge.from) ?? '')} → ${display(titles.get(edge.to) ?? '')}</td><td class=${edge.state === 'broken' ? 'state broken-word' : 'state'}>${word}</td><td>${what}</td></tr>`;
  });
  const left = edges.length > mostRows ? html`<p class="soft">${edges.length - mostRows} more connections are not in this table.</p>` : '';
  return html`<details class="more"><summary>The picture as a table</summary>
    <table><thead><tr><th scope="col">connection</th><th scope="col">state</th><th scope="col">how, and why</th></tr></thead><tbody>${rows}</tbody></table>${left}</details>`;
}
