/** Why the API server refuses a field, and what its objects of every kind have in common. */
import { quoted } from '../kube/display.ts';
import { isDnsSubdomain } from '../kube/dns-name.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';

export interface Rejection {
  readonly path: FieldPath;
  /** Ends the sentence "the API server refuses this Service: …". */
  readonly message: string;
  readonly hint: string;
}

/** Whatever a field holds, in quotes: it may be as long as a file. */
export const cited = (text: string): string => quoted(text, 100);

export const rejection = (path: FieldPath, message: string, hint: string): Rejection => ({ path, message, hint });

/** 0 and "" are what an absent targetPort is; a string of digits is a name, and no valid one. */
export function portNumberOrName(path: FieldPath, value: unknown): readonly Rejection[] {
  if (value === undefined || value === null || value === 0 || value === '') return [];
  if (typeof value === 'number') return portNumber(path, value);
  return typeof value === 'string' ? portName(path, value) : [];
}

/** validation.IsValidPortName. */
export function portName(path: FieldPath, name: string): readonly Rejection[] {
  if (/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name) && /[a-z]/.test(name) && name.length <= 15) return [];
  const hint = /^\d+$/.test(name) ? `Remove the quotes: ${name}.` : 'Use at most 15 of a-z, 0-9 and -, with a letter among them.';
  return [rejection(path, `${cited(name)} is no name of a port`, hint)];
}

export const portNumber = (path: FieldPath, value: number | undefined): readonly Rejection[] =>
  value !== undefined && value >= 1 && value <= 65535
    ? []
    : [rejection(path, value === undefined ? 'a port has no number' : `${value} is no number of a port`, 'Use a number from 1 to 65535.')];

export const protocols = ['TCP', 'UDP', 'SCTP'];
export const protocolOf = (port: RawObject): string => stringAt(port, 'protocol') || 'TCP';

export const protocol = (path: FieldPath, port: RawObject): readonly Rejection[] =>
  protocols.includes(protocolOf(port))
    ? []
    : [rejection(path, `there is no protocol ${cited(protocolOf(port))}`, `Use ${oneOf(protocols)}.`)];

export const dnsName = (path: FieldPath, name: string): readonly Rejection[] =>
  isDnsSubdomain(name) ? [] : [rejection(path, `${cited(name)} is no name of an object`, 'Use a-z, 0-9, - and . between them.')];

export const oneOf = (words: readonly string[]): string => `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
