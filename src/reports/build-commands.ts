/**
 * Build servers obey what a step prints: GitHub a line that begins with `::` after white space, and `##[` anywhere
 * (actions/runner src/Runner.Common/ActionCommand.cs), Azure Pipelines `##vso[`, TeamCity `##teamcity[`.
 */

/** What a comparison by the rules of a language passes over, and so may stand between the characters of a command. */
const passedOver = String.raw`[^\p{L}\p{N}\p{P}\p{S}\n]*`;
const lineCommand = new RegExp(`^(${passedOver}):(?=${passedOver}:)`, 'gmu');
const hashCommand = new RegExp(`#(?=${passedOver}#${passedOver}(?:\\[|vso|teamcity))`, 'giu');

/** The text with a space in each command, so that it is none. */
export const withoutCommands = (text: string): string => text.replaceAll(lineCommand, '$1: ').replaceAll(hashCommand, '# ');

/** The same for JSON, where nothing is lost and no line begins with a colon. */
export const withEscapedCommands = (json: string): string => json.replaceAll(hashCommand, String.raw`\u0023`);
