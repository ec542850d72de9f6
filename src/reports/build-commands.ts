/**
 * Build servers obey what a step prints: GitHub a line that begins with `::` after white space, and `##[` anywhere
 * (actions/runner src/Runner.Common/ActionCommand.cs), Azure Pipelines `##vso[`, TeamCity `##teamcity[`.
 */

/** What a comparison by the rules of a language passes over, and so may stand between the characters of a command. */
const ignored = String.raw`[^\p{L}\p{N}\p{P}\p{S}\n]`;
const passedOver = `${ignored}*`;
/** Begins where such a run does: from each of its line breaks on, a long one would be gone through to its end. */
const colons = new RegExp(`(?<!${ignored})(${passedOver}):(?=${passedOver}:)`, 'gu');
const otherBreaks = /[\r\u2028\u2029]/;
const hashCommand = new RegExp(`#(?=${passedOver}#${passedOver}(?:\\[|vso|teamcity))`, 'giu');

/** The text with a space in each command, so that it is none. */
export const withoutCommands = (text: string): string =>
  text
    .replaceAll(colons, (found, run: string, at: number) => {
      const beginsLine = at === 0 || text[at - 1] === '\n' || otherBreaks.test(run);
      return beginsLine ? `${run}: ` : found;
    })
    .replaceAll(hashCommand, '# ');

/** The same for JSON, where nothing is lost and no line begins with a colon. */
export const withEscapedCommands = (json: string): string => json.replaceAll(hashCommand, String.raw`\u0023`);
