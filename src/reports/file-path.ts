/** Names of files as build servers know them: relative to where the command runs, with slashes. */

/**
 * `./a/../b.yaml` → `b.yaml`; what is not below `root` stays absolute, or begins with `..`. A backslash is part of a name,
 * except on Windows, where `root` has some.
 */
export function relativePath(file: string, root = ''): string {
  const slashed = (text: string): string => (root.includes('\\') ? text.replaceAll('\\', '/') : text);
  const base = slashed(root).replace(/\/$/, '');
  const path = slashed(file);
  const below = root !== '' && path.startsWith(`${base}/`) ? path.slice(base.length + 1) : path;
  const parts: string[] = [];
  for (const [index, part] of below.split('/').entries()) {
    const last = parts.at(-1);
    if (part === '.' || (part === '' && index > 0)) continue;
    if (part === '..' && last !== undefined && last !== '..' && last !== '') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

/** The path as part of an address; a name with halves of surrogate pairs cannot be told as it is. */
export const encodedPath = (path: string): string =>
  path
    .split('/')
    .map((part) => encodeURIComponent(part.toWellFormed()))
    .join('/');
