/** Reads a line as a runner of GitHub does (actions/runner src/Runner.Common/ActionCommand.cs, TryParseV2). */

export interface WorkflowCommand {
  readonly command: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

const names = [
  'error',
  'warning',
  'notice',
  'debug',
  'group',
  'endgroup',
  'add-mask',
  'stop-commands',
  'set-output',
  'save-state',
  'set-env',
  'add-path',
  'echo',
  'add-matcher',
];

export function workflowCommand(line: string): WorkflowCommand | undefined {
  const trimmed = line.trimStart();
  if (!trimmed.startsWith('::')) return undefined;
  const end = trimmed.indexOf('::', 2);
  if (end < 0) return undefined;
  const info = trimmed.slice(2, end);
  const space = info.indexOf(' ');
  const command = space < 0 ? info : info.slice(0, space);
  if (!names.includes(command.toLowerCase())) return undefined;
  const given =
    space < 0
      ? []
      : info
          .slice(space + 1)
          .trim()
          .split(',')
          .filter((one) => one !== '');
  const pairs = given.map((one) => one.split(/=(.*)/s)).filter(([, value]) => value !== undefined);
  const properties = Object.fromEntries(
    pairs.map(([name = '', value = '']) => [name, value.replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%25', '%')]),
  );
  return { command, properties, data: trimmed.slice(end + 2).replaceAll('%25', '%') };
}
