/** What may follow on a command line: what a shell offers after `kubectl portcullis`. */
import type { Command, Option } from 'commander';

/**
 * What an answer ends with (spf13/cobra completions.go, ShellCompDirective): without it kubectl adds what it knows itself.
 * After `files` the shell offers file names where we have nothing to say.
 */
const directives = { files: ':0', nothingElse: ':4' } as const;

/** The lines for kubectl: one for each word that fits, and the directive. `typed` ends with the word that is begun, perhaps ''. */
export function completions(program: Command, typed: readonly string[], ruleIds: readonly string[]): readonly string[] {
  const begun = typed.at(-1) ?? '';
  const top = program.commands.find((one) => one.name() === typed[0] && typed.length > 1);
  if (top === undefined) return fitting(begun, begun.startsWith('-') ? flagsOf(program) : namesOf(program));
  const command = top.commands.find((one) => one.name() === typed[1] && typed.length > 2) ?? top;
  const previous = command.options.find(({ long, short }) => [long, short].includes(typed.at(-2) ?? ''));
  if (previous !== undefined && (previous.required || previous.optional)) return values(previous, begun);
  if (begun.startsWith('-')) return fitting(begun, flagsOf(command));
  if (command.name() === 'explain' && typed.length === 2) return fitting(begun, ['flow', ...ruleIds].map(onlyWord));
  const below = typed.length === 2 ? belowOf(command, begun) : [];
  if (below.length > 0) return below;
  return command.registeredArguments.length > 0 ? [directives.files] : [directives.nothingElse];
}

/** The words of a command that has commands of its own; files may follow it as well, so that the shell offers both. */
function belowOf(command: Command, begun: string): readonly string[] {
  const words = begun === '' ? [] : namesOf(command).filter(([word]) => word.startsWith(begun));
  return words.length === 0 ? [] : [...fitting(begun, words).slice(0, -1), directives.files];
}

/** Of an option without choices the shell has to think itself: most take a file. */
const values = ({ argChoices }: Option, begun: string): readonly string[] =>
  argChoices === undefined ? [directives.files] : fitting(begun, argChoices.map(onlyWord));

type Word = readonly [word: string, description: string];

const onlyWord = (word: string): Word => [word, ''];

const namesOf = (program: Command): readonly Word[] => program.commands.map((command) => [command.name(), command.description()]);

const flagsOf = (command: Command): readonly Word[] => [
  ...command.options.map(({ long, short, description }): Word => [long ?? short ?? '', description]),
  ['--help', 'display help for command'],
];

/** A tab before the description: bash and zsh show it beside the word. */
const fitting = (begun: string, words: readonly Word[]): readonly string[] => [
  ...words.filter(([word]) => word.startsWith(begun)).map(([word, description]) => (description === '' ? word : `${word}\t${description}`)),
  directives.nothingElse,
];
