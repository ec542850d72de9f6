/** The picture alone, for tools that draw it. */
import { dotOf } from '../picture/dot.ts';
import { mermaidOf } from '../picture/mermaid.ts';
import type { Picture } from '../picture/picture.ts';
import type { Report, ReportOptions } from './report.ts';

const nothing: Picture = { nodes: [], edges: [], omitted: [] };

export const dotReport = (_: Report, { picture }: ReportOptions): string => dotOf(picture?.picture ?? nothing);
export const mermaidReport = (_: Report, { picture }: ReportOptions): string => mermaidOf(picture?.picture ?? nothing);
