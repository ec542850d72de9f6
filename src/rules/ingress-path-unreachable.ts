/**
 * Of the paths of a host, the longest that matches wins, and Exact before Prefix, so that each has requests of its own, but
 * for one that stands there twice. Of two equal ones that lead to different backends, one never gets a request: mostly a
 * copy that somebody forgot to change.
 */
import { z } from 'zod';
import { ruleAnnotationPrefixes } from '../cluster/ingress-controllers.ts';
import { matchKeyOf, type UrlPath, urlPathsOf } from '../cluster/ingress-paths.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { quoted, shorten } from '../kube/display.ts';
import { formatPath } from '../kube/field-path.ts';
import type { Ingress, IngressBackend } from '../kube/resources.ts';

export const ingressPathUnreachable = defineRule({
  id: 'ingress-path-unreachable',
  kinds: ['Ingress'],
  orderClass: 'self-contained',
  summary: 'No path of an Ingress stands twice for one host with different backends',
  reads: [],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    standsTwice: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'self',
      defects: ({ key, backends }: Twice) => [JSON.stringify([key, backends])],
      text: ({ urlPath, first, backends: [winner, loser] }: Twice): Explanation => ({
        what: `${sampleOf(urlPath)} goes to ${winner} by ${formatPath(first.at)}, and to ${loser} here`,
        why: 'Only one of the two gets requests: with most controllers the one that stands first.',
        fixes: [{ text: 'remove one of the two, or give this one another path or host' }],
      }),
    },
  },

  annotationPrefixes: ruleAnnotationPrefixes,

  *check({ object: ingress, finding }) {
    const firsts = new Map<string, UrlPath>();
    for (const urlPath of urlPathsOf(ingress)) {
      const key = matchKeyOf(urlPath);
      const first = firsts.get(key);
      if (first === undefined && leavesSome(urlPath, ingress)) continue;
      if (first === undefined) firsts.set(key, urlPath);
      else if (JSON.stringify(first.backend) !== JSON.stringify(urlPath.backend)) {
        const backends = [titleOf(first.backend), titleOf(urlPath.backend)] as const;
        yield finding('standsTwice', [...urlPath.at, 'path'], { key, urlPath, first, backends });
      }
    }
  },
});

/** The requests of its path go on to the next where its conditions do not hold, or what is to be done does not apply, as a redirect from HTTPS to HTTPS. */
const leavesSome = ({ backend: { service } }: UrlPath, { metadata: { annotations } }: Ingress): boolean =>
  service !== undefined && ruleAnnotationPrefixes.some((prefix) => annotations[prefix + service.name] !== undefined);

interface Twice {
  /** Equal for what is the same to a controller. */
  readonly key: string;
  readonly urlPath: UrlPath;
  /** The one that wins. */
  readonly first: UrlPath;
  readonly backends: readonly [string, string];
}

/** A request that both are about. */
const sampleOf = ({ host, path, pathType }: UrlPath): string =>
  `${pathType} ${quoted(path, 40)} of ${host === undefined ? 'every host' : shorten(host, 50)}`;

const titleOf = ({ service, resource }: IngressBackend): string =>
  service === undefined
    ? `${resource?.kind} ${shorten(resource?.name ?? '')}`
    : `${shorten(service.name)}:${service.port.name ?? service.port.number}`;
