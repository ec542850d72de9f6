/** What a stricter profile would deny, and what may be raised without that, for people and for programs. */
import { dayOf } from '../kube/day.ts';
import { display, printableJson } from '../kube/display.ts';
import { code, escaped } from './markdown-text.ts';
import type { Paint } from './report.ts';

/** One rule in one namespace in which not everything would pass. */
export interface SimulatedCell {
  readonly ruleId: string;
  readonly namespace: string;
  /** Objects that would be denied now, as `Service web`. */
  readonly denied: readonly string[];
  /** How many of them the present configuration denies as well. */
  readonly deniedAlready: number;
  /** Objects that only an exemption lets through. */
  readonly exempt: number;
  /** Why objects could not be judged, each reason once. */
  readonly unjudged: readonly string[];
  /** The audits in which something would have been denied, oldest first. */
  readonly audits: readonly string[];
  /** When the first of it was seen, in epoch milliseconds, as far as audits and reports tell. */
  readonly since?: number;
}

export interface Simulation {
  readonly cluster: string;
  /** Epoch milliseconds. */
  readonly observedAt: number;
  readonly profile: string;
  /** What holds now. */
  readonly profileNow: string;
  readonly objects: number;
  /** Those that were judged to the end, or would be denied whatever the rest says. */
  readonly judged: number;
  readonly namespaces: number;
  readonly audits: number;
  readonly cells: readonly SimulatedCell[];
  /** For the values of the chart; undefined if nothing of the configuration is to change. As YAML. */
  readonly values?: { readonly tree: object; readonly yaml: string };
  readonly labelled: readonly string[];
  /** Rules whose `mode: deny` denies removals too. */
  readonly denyRemovals: readonly string[];
  /** Objects that the present configuration denies already; the change adds none to them. */
  readonly deniedNow: number;
  readonly errors: readonly { readonly message: string; readonly hint: string }[];
  readonly notices: readonly string[];
}

type Write = (simulation: Simulation, options: { readonly paint: Paint }) => string;

export const simulationFormats: Readonly<Record<'text' | 'json' | 'markdown', Write>> = {
  text: (simulation, { paint }) => `${textOf(simulation, paint).join('\n')}\n`,
  json: (simulation) => `${printableJson(JSON.stringify(jsonOf(simulation), null, 2))}\n`,
  markdown: (simulation) => `${markdownOf(simulation).join('\n')}\n`,
};

const count = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;

/** A table of nothing looks like a cluster in which all is well. */
const emptyHead = ({ cluster, objects }: Simulation): string =>
  `NOTHING WAS JUDGED in ${display(cluster)}: ${objects === 0 ? 'no Service, Ingress or NetworkPolicy was found' : `none of ${count(objects, 'object')} could be judged to the end`}`;

const headOf = (simulation: Simulation): string => (simulation.judged === 0 ? emptyHead(simulation) : judgedHead(simulation));

const judgedHead = ({ cluster, profile, profileNow, objects, namespaces, audits }: Simulation): string =>
  `What ${profile} would deny in ${display(cluster)}: ${count(objects, 'object')} of ${count(namespaces, 'namespace')}${audits === 0 ? '' : `, and ${count(audits, 'earlier audit')}`}; the profile is ${profileNow} now`;

const summaryOf = ({ cells }: Simulation): string => {
  const denied = cells.reduce((sum, cell) => sum + cell.denied.length, 0);
  const earlier = cells.filter((cell) => cell.denied.length === 0 && cell.audits.length > 0).length;
  const unjudged = cells.filter((cell) => cell.unjudged.length > 0).length;
  return [
    `${count(denied, 'denial')} now`,
    ...(earlier === 0 ? [] : [`${earlier} more in earlier audits`]),
    ...(unjudged === 0 ? [] : [`${unjudged} not judged, so not proposed`]),
  ].join('; ');
};

/** As a sentence has it: `Service a, Service b and 3 more`. */
const someOf = (names: readonly string[]): string =>
  names.length <= 4 ? display(names.join(', ')) : `${display(names.slice(0, 3).join(', '))} and ${names.length - 3} more`;

function wordsOf({ denied, deniedAlready, exempt, unjudged, audits, since }: SimulatedCell, all: number): readonly string[] {
  return [
    ...(denied.length === 0 ? [] : [`would deny ${someOf(denied)}${deniedAlready === 0 ? '' : ` (${deniedAlready} as it is now)`}`]),
    ...(denied.length === 0 && audits.length > 0 ? ['would deny nothing now'] : []),
    ...(audits.length === 0 ? [] : [`would have denied in ${audits.length} of ${count(all, 'earlier audit')} (${someOf(audits)})`]),
    ...(since === undefined ? [] : [`since ${dayOf(since)}`]),
    ...(exempt === 0 ? [] : [`${count(exempt, 'object')} exempt`]),
    ...(unjudged.length === 0 ? [] : [`not judged: ${display(unjudged.join('; '))}`]),
  ];
}

function textOf(simulation: Simulation, paint: Paint): readonly string[] {
  const byRule = Map.groupBy(simulation.cells, ({ ruleId }) => ruleId);
  const width = Math.max(0, ...simulation.cells.map(({ namespace }) => namespace.length));
  const table = [...byRule].flatMap(([ruleId, cells]) => [
    paint('bold', ruleId),
    ...cells.map((cell) => `  ${display(cell.namespace).padEnd(width)}  ${wordsOf(cell, simulation.audits).join('; ')}`),
    '',
  ]);
  const notes = notesOf(simulation);
  return [
    paint('bold', headOf(simulation)),
    '',
    ...table,
    summaryOf(simulation),
    '',
    ...proposalOf(simulation, { title: (text) => paint('bold', text), block: (lines) => lines.map((line) => `  ${line}`) }),
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => paint('dim', `note: ${note}`))]),
  ];
}

interface Style {
  readonly title: (text: string) => string;
  readonly block: (lines: readonly string[], language: string) => readonly string[];
}

function proposalOf(simulation: Simulation, { title, block }: Style): readonly string[] {
  const { values, labelled, profile, deniedNow, objects, denyRemovals } = simulation;
  if (values === undefined && labelled.length === 0) return ['Nothing more can be raised without a denial.'];
  const commands = labelled.map((namespace) => `kubectl label namespace ${namespace} portcullis.dev/profile=${profile}`);
  return [
    title('What can be raised without a denial'),
    '',
    ...(values === undefined
      ? []
      : [
          'In the values of the chart (without Helm: what is below config, in the configuration file):',
          '',
          ...block(values.yaml.trimEnd().split('\n'), 'yaml'),
          '',
        ]),
    ...(commands.length === 0 ? [] : ['Namespaces in which all is clean:', '', ...block(commands, 'sh'), '']),
    ...(denyRemovals.length === 0
      ? []
      : [`A rule of mode deny denies removals as well that break what is left; that was not tried: ${denyRemovals.join(', ')}.`]),
    `Tried on what was judged, with the change made: ${deniedNow === 0 ? 'none' : 'no more'} of the ${count(objects, 'object')} would be denied${deniedNow === 0 ? '' : ` than the ${deniedNow} that are now`}.`,
  ];
}

const notesOf = ({ errors, notices }: Simulation): readonly string[] =>
  [...errors.map(({ message, hint }) => `${message}. ${hint}`), ...notices].map((note) => display(note));

/** A pipe ends the cell of a table, in code too. */
const inCell = (text: string): string => code(text).replaceAll('|', String.raw`\|`);

function markdownOf(simulation: Simulation): readonly string[] {
  const rows = simulation.cells.map((cell) => {
    const words = escaped(wordsOf(cell, simulation.audits).join('; '));
    return `| ${inCell(cell.ruleId)} | ${inCell(cell.namespace)} | ${cell.denied.length} | ${words} |`;
  });
  const notes = notesOf(simulation);
  return [
    `## ${escaped(headOf(simulation))}`,
    '',
    ...(rows.length === 0 ? [] : ['| rule | namespace | denials | |', '|---|---|--:|---|', ...rows, '']),
    `${summaryOf(simulation)}.`,
    '',
    ...proposalOf(simulation, { title: (text) => `### ${text}`, block: (lines, language) => [`\`\`\`${language}`, ...lines, '```'] }),
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => `- ${escaped(note)}`)]),
  ];
}

/** Version 1: keys are only added, never renamed. */
function jsonOf({ cells, values, labelled, observedAt, ...rest }: Simulation) {
  return {
    version: 1,
    ...rest,
    observedAt: new Date(observedAt).toISOString(),
    cells: cells.map(({ ruleId, since, ...cell }) => ({
      rule: ruleId,
      ...cell,
      ...(since !== undefined && { since: new Date(since).toISOString() }),
    })),
    proposal: { values: values?.tree ?? {}, labels: labelled.map((namespace) => ({ namespace, 'portcullis.dev/profile': rest.profile })) },
  };
}
