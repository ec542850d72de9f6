/** A diagnosis for a person, and for a program. */
import type { Severity } from '../engine/finding.ts';
import { display, printableJson } from '../kube/display.ts';
import type { Diagnosis, Found } from './diagnose.ts';

export type Paint = (style: 'bold' | 'red' | 'yellow' | 'cyan' | 'dim', text: string) => string;

export function textOf({ emergency, problems, notes, unseen }: Diagnosis, subject: string, paint: Paint): string {
  const blocks = [
    emergency === undefined
      ? ''
      : [
          paint('red', 'Writes are refused while nobody answers. To let them through at once, without judging:'),
          `  $ ${display(emergency)}`,
        ].join('\n'),
    ...problems.map((one) => problemText(one, paint)),
    section(
      'To know',
      notes.map((one) => [`  ${display(one.what)}`, ...one.evidence.map((line) => `    ${display(line)}`)].join('\n')),
      paint,
    ),
    section(
      'Not looked at',
      unseen.map(({ what, why }) => `  ${what}: ${display(why)}`),
      paint,
    ),
    summary(problems, unseen.length, subject),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

const section = (title: string, lines: readonly string[], paint: Paint): string =>
  lines.length === 0 ? '' : [paint('bold', title), ...lines].join('\n');

const styles: Readonly<Record<Severity, 'red' | 'yellow' | 'cyan'>> = {
  critical: 'red',
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
  info: 'cyan',
};

const problemText = ({ check, severity, what, evidence, repair, commands }: Found, paint: Paint): string =>
  [
    `${paint(styles[severity], severity)}  ${display(what)} ${paint('dim', `[${check}]`)}`,
    ...evidence.map((line) => `    ${display(line)}`),
    `  repair: ${display(repair)}`,
    ...commands.map((command) => `  $ ${display(command)}`),
  ].join('\n');

function summary(problems: readonly Found[], unseen: number, subject: string): string {
  const left = unseen === 0 ? '' : `; ${unseen} things not looked at`;
  const count = problems.length === 0 ? 'Nothing is wrong' : problems.length === 1 ? 'One problem' : `${problems.length} problems`;
  return `${count} with ${display(subject)}${left}`;
}

export const jsonOf = (diagnosis: Diagnosis): string => `${printableJson(JSON.stringify({ version: 1, ...diagnosis }, null, 2))}\n`;
