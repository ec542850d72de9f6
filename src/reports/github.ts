/** Annotations of GitHub Actions: workflow commands, which put a message beside the line of the file. */
import { display } from '../kube/display.ts';
import { formatPath } from '../kube/field-path.ts';
import { withoutCommands } from './build-commands.ts';
import { relativePath } from './file-path.ts';
import { faultText, type Report, type ReportedFinding, type ReportOptions } from './report.ts';
import { counted, errorsTitle, gravestFirst, isKnown, nameOf, summaryLine } from './summary.ts';

const levels = ['error', 'warning', 'notice'] as const;

interface Annotation {
  readonly level: (typeof levels)[number];
  readonly title: string;
  readonly message: string;
  readonly file?: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** GitHub shows ten of each level for a step, and drops the others without a word (actions/toolkit docs/problem-matchers.md). */
const shown = 10;

/**
 * These lines are commands and must reach the log as they are; so nothing in them may be one more. All of an annotation
 * stands on one line, which begins with a command of ours, and a runner reads one command from a line.
 */
export function githubReport(report: Report, { root }: ReportOptions): string {
  const all = annotationsOf(report);
  const kept = levels.flatMap((level) => all.filter((one) => one.level === level).slice(0, shown));
  const more = all.length - kept.length;
  const rest = more === 0 ? [] : [`${counted(more, 'more annotation')} left out: GitHub shows ${shown} of each level. -o text lists all.`];
  return `${[...kept.map((one) => command(one, root)), ...rest, withoutCommands(summaryLine(report))].join('\n')}\n`;
}

/** Worst first. What the baseline knows is not shown beside the lines of a change. */
function annotationsOf({ errors, faults, findings }: Report): readonly Annotation[] {
  return [
    ...errors.map(
      ({ message, hint, gap, ...place }) =>
        ({ level: 'error', title: errorsTitle([{ gap }]), message: `${message}. ${hint}`, ...place }) as const,
    ),
    ...faults.map(
      ({ fault, object }) =>
        ({ level: 'error', title: `${fault.ruleId} failed`, message: `${nameOf(object)}: ${faultText(fault)}` }) as const,
    ),
    ...gravestFirst(findings)
      .filter((one) => !isKnown(one))
      .map(annotationOf),
  ];
}

function annotationOf({ finding, mode, place }: ReportedFinding): Annotation {
  const { what, why, fix, subject, path, ruleId, severity } = finding;
  return {
    level: mode === 'deny' ? 'error' : mode === 'warn' ? 'warning' : 'notice',
    title: `${severity}: ${ruleId}`,
    message: `${nameOf(subject)} ${formatPath(path)}: ${what}. ${why} Fix: ${fix.text}`,
    ...place,
  };
}

function command({ level, title, message, file, line, column }: Annotation, root?: string): string {
  const properties = [
    ...(file === undefined ? [] : [`file=${property(relativePath(file, root))}`]),
    ...(line === undefined ? [] : [`line=${line}`]),
    ...(column === undefined ? [] : [`col=${column}`]),
    `title=${property(title)}`,
  ];
  return `::${level} ${properties.join(',')}::${data(message)}`;
}

/** As actions/toolkit packages/core/src/command.ts escapes them; line breaks are no more. */
const data = (text: string): string => withoutCommands(display(text)).replaceAll('%', '%25');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
