/** One line of YAML that a person can paste: flow style, quotes only where they are needed. */

const plain = /^[A-Za-z][\w./-]*$/;
/** Words that YAML 1.1, which kubectl reads, takes for something else than text. */
const reserved = /^(y|n|yes|no|on|off|true|false|null)$/i;

export function flowYaml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowYaml).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, content]) => `${flowYaml(key)}: ${flowYaml(content)}`)
      .join(', ')}}`;
  if (typeof value === 'string' && plain.test(value) && !reserved.test(value)) return value;
  return JSON.stringify(value);
}
