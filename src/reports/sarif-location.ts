/** Where something stands, in the words of SARIF: in a file, and in which object. */
import { display } from '../kube/display.ts';
import type { ObjectRef } from '../kube/resources.ts';
import { encodedPath, relativePath } from './file-path.ts';
import type { ReportPlace } from './report.ts';

export const placeLocation = ({ file, line, column }: ReportPlace, root?: string) => ({
  physicalLocation: { artifactLocation: artifact(file, root), region: { startLine: line, startColumn: column } },
});

export const fileLocation = (file: string, root?: string) => ({ physicalLocation: { artifactLocation: artifact(file, root) } });

/** Relative to where the sources are; a file elsewhere by its whole address. */
function artifact(file: string, root?: string) {
  const path = relativePath(file, root);
  if (path.startsWith('/')) return { uri: `file://${encodedPath(path)}` };
  return { uri: encodedPath(path), uriBaseId: '%SRCROOT%' };
}

/** `shop/Service/web`, and the field of it. */
export const ofObject = ({ kind, namespace, name }: ObjectRef, field?: string) => ({
  name: display(name),
  fullyQualifiedName: display([...(namespace === '' ? [] : [namespace]), kind, name, ...(field ? [field] : [])].join('/')),
  kind: 'resource',
});

/** A message of SARIF can hold links (`[text](1)`) and places for arguments (`{0}`): ours has neither. */
export const plainText = (text: string): string =>
  display(text)
    .replaceAll(/\{(?=\d+\})/g, '{ ')
    .replaceAll(/\](?=\()/g, '] ');
