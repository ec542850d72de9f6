/** Selectors that name a namespace by a label which it does not have, as people did before it had one by itself. */
import { nameLabel } from '../kube/labels.ts';
import type { LabelSelector, Namespace } from '../kube/resources.ts';

/** A part of a selector that must say `kubernetes.io/metadata.name`. */
export interface LegacyName {
  readonly key: string;
  /** Of namespaces that exist. */
  readonly names: readonly string[];
  /** The selector with the key in its place. */
  readonly corrected: LabelSelector;
}

/** What people have called the label: with a prefix of their own, or without. */
const usualKeys: ReadonlySet<string> = new Set(['name', 'namespace', 'ns', 'project', 'kubernetes.io/metadata.namespace']);

const isUsual = (key: string): boolean => key !== nameLabel && (usualKeys.has(key) || usualKeys.has(key.split('/').at(-1) ?? ''));

/** Whether the selector has such a key, so that it matters which namespaces there are. */
export const usesLegacyKey = ({ matchLabels, matchExpressions }: LabelSelector): boolean =>
  Object.keys(matchLabels).some(isUsual) || matchExpressions.some(({ key, operator }) => operator === 'In' && isUsual(key));

/** The first such part: no namespace carries what it asks for, but a namespace of that name is there. */
export function legacyNameIn(selector: LabelSelector, namespaces: readonly Namespace[]): LegacyName | undefined {
  const { matchLabels, matchExpressions } = selector;
  const isMeant = (key: string, values: readonly string[]): boolean =>
    isUsual(key) &&
    values.length > 0 &&
    values.every((value) => namespaces.some(({ metadata }) => metadata.name === value)) &&
    !namespaces.some(({ metadata }) => values.includes(metadata.labels[key] ?? ''));
  const pair = Object.entries(matchLabels).find(([key, value]) => isMeant(key, [value]));
  if (pair !== undefined) {
    const [key, name] = pair;
    const { [key]: _, ...rest } = matchLabels;
    return { key, names: [name], corrected: { ...selector, matchLabels: { ...rest, [nameLabel]: name } } };
  }
  const index = matchExpressions.findIndex(({ key, operator, values }) => operator === 'In' && isMeant(key, values));
  const expression = matchExpressions[index];
  if (expression === undefined) return undefined;
  const { key, values } = expression;
  return {
    key,
    names: values,
    corrected: { ...selector, matchExpressions: matchExpressions.with(index, { ...expression, key: nameLabel }) },
  };
}
