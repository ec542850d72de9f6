/** The way of requests, for a person at a terminal and for programs. */
import { jsonPointer } from '../engine/patch.ts';
import { display } from '../kube/display.ts';
import { flowYaml } from '../kube/flow-yaml.ts';
import { formatRef } from '../kube/resources.ts';
import type { Explained, ExplainedLink, ExplainedRoute, LinkState, Repair } from '../picture/explained.ts';
import { writtenJson } from './json.ts';
import type { Paint } from './report.ts';

export interface ExplainedOptions {
  /** As people call where it was read: a context, the files. */
  readonly source: string;
  readonly paint: Paint;
}

const signs: Readonly<Record<LinkState, readonly [sign: string, style: Parameters<Paint>[0]]>> = {
  holds: ['✓', 'cyan'],
  broken: ['✗', 'red'],
  doubtful: ['!', 'yellow'],
  open: ['→', 'dim'],
  unknown: ['?', 'yellow'],
};

export function explainedText(explained: Explained, { source, paint }: ExplainedOptions): string {
  const { object, routes } = explained;
  const heading = `${paint('bold', display(formatRef(object)))} in ${display(source)}`;
  const blocks = routes.map((route) => [paint('bold', display(route.title)), ...linesOf(route, paint)].join('\n'));
  return `${[heading, ...blocks, summaryOf(explained)].join('\n\n')}\n`;
}

const linesOf = ({ links, repair }: ExplainedRoute, paint: Paint): readonly string[] => [
  ...links.map((link) => lineOf(link, paint)),
  ...(repair === undefined ? [] : repairLines(repair, paint)),
];

function lineOf({ state, text }: ExplainedLink, paint: Paint): string {
  const [sign, style] = signs[state];
  return `  ${paint(style, sign)} ${display(text)}`;
}

const repairLines = ({ object, fix, ruleId }: Repair, paint: Paint): readonly string[] => [
  `    repair of ${display(formatRef(object))}: ${display(fix.text)}`,
  ...(fix.manifest === undefined ? [] : [`    apply: ${display(flowYaml(fix.manifest))}`]),
  ...(ruleId === undefined ? [] : [`    ${paint('dim', ruleId)}`]),
];

function summaryOf({ object, routes }: Explained): string {
  if (routes.length === 0) return `It has no ${object.kind === 'Service' ? 'port' : 'route'}: requests lead nowhere.`;
  const count = (state: LinkState): number => routes.filter(({ links }) => links.at(-1)?.state === state).length;
  const noun = object.kind === 'Service' ? 'port' : 'route';
  const parts = [
    `${count('holds') + count('open')} of ${routes.length} ${noun}${routes.length === 1 ? '' : 's'} without a break`,
    ...(['broken', 'doubtful', 'unknown'] as const).flatMap((state) => (count(state) === 0 ? [] : [`${count(state)} ${state}`])),
  ];
  return `${parts.join(', ')}.`;
}

/** Version 1: keys are only added, never renamed. */
export const explainedJson = ({ object, routes }: Explained, { source }: ExplainedOptions): string =>
  writtenJson({
    version: 1,
    source,
    object,
    routes: routes.map(({ repair, ...route }) => ({ ...route, ...(repair && { repair: repairOf(repair) }) })),
  });

const repairOf = ({ ruleId, object, fix: { text, patch, manifest } }: Repair) => ({
  ...(ruleId !== undefined && { rule: ruleId }),
  object,
  text,
  ...(patch && { patch: patch.map(({ path, ...operation }) => ({ ...operation, path: jsonPointer(path) })) }),
  ...(manifest && { manifest }),
});
