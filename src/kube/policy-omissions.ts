/**
 * What a NetworkPolicy leaves to the API server, which fills in `protocol: TCP` and drops empty lists: once it is stored,
 * nobody can tell any more what its writer meant. Files show it, and what kubectl last applied (last-applied.ts).
 */

import type { PolicyOmissions } from './policy-parts.ts';
import { objectsAt, stringAt } from './read.ts';
import type { RawObject } from './resources.ts';

const lists = [
  ['ingress', 'from'],
  ['egress', 'to'],
] as const;

/** Undefined where there are none, as in everything that an API server has seen. */
export function omissionsOf(spec: RawObject): PolicyOmissions | undefined {
  const protocols: string[] = [];
  const emptyPeers: string[] = [];
  for (const [list, peers] of lists)
    for (const [index, rule] of objectsAt(spec, list).entries()) {
      const { [peers]: given } = rule;
      if (Array.isArray(given) && given.length === 0) emptyPeers.push(`spec.${list}[${index}]`);
      for (const [at, port] of objectsAt(rule, 'ports').entries())
        if (stringAt(port, 'protocol') === undefined) protocols.push(`spec.${list}[${index}].ports[${at}]`);
    }
  return protocols.length + emptyPeers.length === 0 ? undefined : { protocols, emptyPeers };
}
