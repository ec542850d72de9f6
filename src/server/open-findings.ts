/** Which series tell of open findings: few, however many namespaces there are. */

/** What the audit finds wrong now; nothing of who does not lead. */
export type OpenFindings = () => Iterable<OpenFinding>;
export type OpenFinding = readonly [ruleId: string, severity: string, count: number, namespace: string];

export interface FindingSeries {
  readonly labels: { readonly rule: string; readonly severity: string; readonly namespace?: string };
  readonly count: number;
}

/** In place of all namespaces that have no series of their own. No namespace can be called so. */
export const otherNamespaces = '(other)';

/** With 80 rules, all series of a process together stay below 2,000 (docs/monitoring.md). */
export const namespaceLimits = { namespaces: 200, series: 220 } as const;

export const byRule = (open: Iterable<OpenFinding>): readonly FindingSeries[] =>
  summed([...open].map(([rule, severity, count]) => ({ labels: { rule, severity }, count })));

/**
 * Namespaces with the most findings have series of their own, all that they need or none; of two with as many, the first
 * by name. The others are one. What counts as `other` may take a series for each rule and severity.
 */
export function byNamespace(
  open: Iterable<OpenFinding>,
  limits: { readonly namespaces: number; readonly series: number } = namespaceLimits,
) {
  const all = [...open];
  const named = new Set<string>();
  let left = limits.series - byRule(all).length;
  for (const [namespace, cells] of ranked(all)) {
    if (named.size === limits.namespaces || cells > left) break;
    named.add(namespace);
    left -= cells;
  }
  return summed(
    all.map(([rule, severity, count, namespace]) => ({
      labels: { rule, severity, namespace: named.has(namespace) ? namespace : otherNamespaces },
      count,
    })),
  );
}

/** Namespaces, those with the most findings first, and how many series each would take. */
function ranked(all: readonly OpenFinding[]): readonly (readonly [namespace: string, cells: number])[] {
  const total = (some: readonly OpenFinding[]): number => some.reduce((sum, [, , count]) => sum + count, 0);
  return [...Map.groupBy(all, ([, , , namespace]) => namespace)]
    .map(([namespace, some]) => ({ namespace, count: total(some), cells: byRule(some).length }))
    .sort((a, b) => b.count - a.count || (a.namespace < b.namespace ? -1 : 1))
    .map(({ namespace, cells }) => [namespace, cells]);
}

const summed = (series: readonly FindingSeries[]): readonly FindingSeries[] =>
  [...Map.groupBy(series, ({ labels }) => JSON.stringify(labels)).values()].map((same) => ({
    labels: (same[0] as FindingSeries).labels,
    count: same.reduce((sum, { count }) => sum + count, 0),
  }));
