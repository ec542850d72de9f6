/** Who may talk to whom, drawn; Graphviz is loaded for the one format that needs it. */
import { dotOf } from '../picture/dot.ts';
import { flowPicture } from '../picture/flow-picture.ts';
import type { FlowReport } from '../picture/flow-report.ts';
import { mermaidOf } from '../picture/mermaid.ts';
import { svgOf } from './draw.ts';

export interface DrawnFlows {
  readonly text: string;
  /** What was left out, in sentences. */
  readonly omitted: readonly string[];
}

export async function drawFlows(report: FlowReport, format: 'dot' | 'mermaid' | 'svg'): Promise<DrawnFlows> {
  const picture = flowPicture(report);
  const { omitted } = picture;
  if (format === 'mermaid') return { text: mermaidOf(picture), omitted };
  const dot = dotOf(picture);
  if (format === 'dot') return { text: dot, omitted };
  const [svg = ''] = await svgOf([dot]);
  return { text: svg.replace(/<svg [^>]*>/, (tag) => `${tag}\n${style}`), omitted };
}

/** Letters smaller than Graphviz counts with: the fonts of browsers are wider than the one that it knows. On white, wherever it is shown. */
const style = '<style>svg{background:#fff}text{font-family:Helvetica,Arial,sans-serif;font-size:12px}.edge text{font-size:10px}</style>';
