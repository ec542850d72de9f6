/** An edit of an object as somebody runs it: a command for what a cluster holds, a JSON patch for what stands in a file. */
import type { PatchOperation } from '../engine/finding.ts';
import { jsonPointer } from '../engine/patch.ts';
import { blockYaml } from '../kube/block-yaml.ts';
import { display, printableJson } from '../kube/display.ts';
import { formatPath } from '../kube/field-path.ts';
import { flowYaml } from '../kube/flow-yaml.ts';
import type { ObjectRef } from '../kube/resources.ts';

const operationsOf = (patch: readonly PatchOperation[]) => patch.map((operation) => ({ ...operation, path: jsonPointer(operation.path) }));

/** `kubectl patch …`, on one line. */
export function patchCommand({ kind, namespace, name }: ObjectRef, patch: readonly PatchOperation[]): string {
  const command = ['kubectl', 'patch', kind.toLowerCase(), name, ...(namespace === '' ? [] : ['-n', namespace]), '--type=json', '-p'];
  return display([...command, printableJson(JSON.stringify(operationsOf(patch)))].map(shellWord).join(' '));
}

/** For a person who edits the file: `spec.selector.app: web`, or `remove spec.tls[0].secretName`. */
export const editLines = (patch: readonly PatchOperation[]): readonly string[] =>
  patch.map((operation) => {
    const place = formatPath(operation.path);
    return display(operation.op === 'remove' ? `remove ${place}` : `${place}: ${flowYaml(operation.value)}`);
  });

/** RFC 6902 as YAML, which kustomize takes. */
export const patchYaml = (patch: readonly PatchOperation[]): string => printable(blockYaml(operationsOf(patch)));

/** Line breaks stay. */
export const printable = (text: string): string =>
  text
    .split('\n')
    .map((line) => display(line))
    .join('\n');

/** As a POSIX shell reads it: nothing within single quotes means anything. */
const shellWord = (word: string): string => (/^[\w./=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`);
