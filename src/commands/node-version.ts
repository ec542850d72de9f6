/** An older Node runs much of the bundle before it lacks something, which would look like a defect of ours. */
const oldestMajor = 24;

/** What to tell somebody whose Node is too old, or undefined. Takes `process.versions.node`. */
export function unfitNode(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= oldestMajor) return undefined;
  return `portcullis: this is Node ${version}, and Node ${oldestMajor} is the oldest that will do. In a checkout "npm ci" has brought one: put "npx" before "node".\n`;
}
