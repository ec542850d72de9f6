/**
 * Paths of the types Exact and Prefix are taken letter by letter: a star or a regular expression in them stands for
 * itself, and matches no request that anybody sends. Prefix needs no star, and Exact means the slash at its end too.
 * Controllers that read regular expressions do so for their own type, or where an annotation says so.
 */
import { z } from 'zod';
import { classAnnotation, regexAnnotations } from '../cluster/ingress-controllers.ts';
import {
  beforeStar,
  type HostPaths,
  isLiteral,
  looksLikeRegex,
  pathsByHost,
  readsRegex,
  readsStars,
  regexHostsIn,
  type UrlPath,
  urlPathsOf,
} from '../cluster/ingress-paths.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { quoted } from '../kube/display.ts';

export const ingressPathLiteralTrap = defineRule({
  id: 'ingress-path-literal-trap',
  kinds: ['Ingress'],
  orderClass: 'self-contained',
  summary: 'Paths of the types Exact and Prefix hold nothing but the letters of a path',
  reads: ['Ingress'],
  since: '0.1.0',

  options: z.strictObject({
    regexAnnotations: z
      .array(z.string())
      .default([])
      .describe('Further annotations of an Ingress under which its controller reads paths as patterns'),
  }),

  messages: {
    star: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'self',
      text: (trap: Trap): Explanation => ({
        what: `in ${quoted(trap.path, 40)} of type ${trap.pathType} the star stands for itself`,
        why: 'No request has a star there, so this path matches none.',
        fixes: fixesForStar(trap),
      }),
    },
    regex: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'self',
      text: ({ path, pathType }: Trap): Explanation => ({
        what: `${quoted(path, 40)} of type ${pathType} is taken letter by letter, not as a pattern`,
        why: 'No request has these letters in its path, so this path matches none.',
        fixes: [
          {
            text: `use Prefix with the part before the pattern, or ImplementationSpecific and the controller's annotation for patterns`,
          },
        ],
      }),
    },
    /** Often meant so. */
    exactWithSlash: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'self',
      text: ({ path }: Trap): Explanation => ({
        what: `${quoted(path, 40)} of type Exact does not match ${quoted(path.slice(0, -1), 40)}`,
        why: 'Who leaves out the slash at the end gets 404.',
        fixes: [{ text: `add the path without the slash too, or use Prefix, which means both` }],
      }),
    },
  },

  annotations: (options) => [classAnnotation, ...regexAnnotations.map(([key]) => key), ...options.regexAnnotations],

  *check({ object: ingress, cluster, options, finding }) {
    const all = urlPathsOf(ingress);
    const byHost = pathsByHost(all);
    if (options.regexAnnotations.some((key) => ingress.metadata.annotations[key] !== undefined) || readsRegex(ingress)) return;
    const traps: (readonly [NonNullable<ReturnType<typeof trapIn>>, Trap])[] = [];
    for (const urlPath of all.filter(isLiteral)) {
      cluster.step();
      const those = byHost.get(urlPath.host) as HostPaths;
      const message = trapIn(urlPath, those);
      if (message === undefined || (message === 'star' && readsStars(ingress))) continue;
      // ingress-nginx reads all paths of a host as patterns if one Ingress of that host says so.
      if (message !== 'exactWithSlash' && readByRegex(urlPath, ingress.metadata.namespace, cluster)) break;
      traps.push([message, { ...urlPath, those }]);
    }
    // Told last: where the cluster is not known, the rule has ended before.
    for (const [message, trap] of traps) yield finding(message, [...trap.at, 'path'], trap);
  },
});

interface Trap extends UrlPath {
  /** All of its host. */
  readonly those: HostPaths;
}

function trapIn({ path, pathType }: UrlPath, { all, areExact }: HostPaths): 'star' | 'regex' | 'exactWithSlash' | undefined {
  if (looksLikeRegex(path)) return 'regex';
  if (path.includes('*')) return 'star';
  if (pathType !== 'Exact' || !path.endsWith('/') || path === '/') return undefined;
  return !areExact || all.has(path.slice(0, -1)) ? undefined : 'exactWithSlash';
}

const readByRegex = ({ host }: UrlPath, namespace: string, cluster: ClusterView): boolean => {
  const hosts = regexHostsIn(namespace, cluster);
  return host !== undefined && hosts.has(host);
};

/** What stands before a star at the end is what Prefix means, unless that is there already. */
function fixesForStar({ at, path, those }: Trap): readonly [...Fix[], Fix] {
  const prefix = beforeStar(path);
  if (prefix === undefined) return [{ text: `write the path without stars, or use ImplementationSpecific, if the controller knows stars` }];
  if (those.prefixes.has(prefix)) return [{ text: `remove it: Prefix ${prefix} is there, and means all below it` }];
  const patch = [
    { op: 'replace', path: [...at, 'path'], value: prefix },
    { op: 'replace', path: [...at, 'pathType'], value: 'Prefix' },
  ] as const;
  return [{ text: `use path ${prefix} of type Prefix, which means all below it`, patch }, { text: `use Prefix ${prefix}` }];
}
