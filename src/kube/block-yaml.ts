/** YAML as people write it, a line for each value; text is quoted as in flow-yaml.ts, since kubectl reads YAML 1.1. */
import { flowYaml } from './flow-yaml.ts';

/** Without a line break at its end. */
export const blockYaml = (value: unknown): string => linesOf(value).join('\n');

function linesOf(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.length > 0) return value.flatMap((item) => indented(linesOf(item), '- '));
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return [flowYaml(value)];
  return Object.entries(value).flatMap(([key, content]) => {
    const lines = linesOf(content);
    const isNested = typeof content === 'object' && content !== null && Object.keys(content).length > 0;
    return isNested
      ? [`${flowYaml(key)}:`, ...lines.map((line) => (Array.isArray(content) ? line : `  ${line}`))]
      : [`${flowYaml(key)}: ${lines[0]}`];
  });
}

/** The first line after a mark, the others below it. */
const indented = (lines: readonly string[], mark: string): readonly string[] =>
  lines.map((line, index) => `${index === 0 ? mark : ' '.repeat(mark.length)}${line}`);
