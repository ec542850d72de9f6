/**
 * An update that opens more is seldom seen as such: a selector becomes broader, a rule is added, a type goes. What may connect
 * now and could not before is noted, for those who look after what is open.
 */
import { z } from 'zod';
import { asBackends, type Backend, tallyOf } from '../cluster/backends.ts';
import { type Gains, gainedBy } from '../cluster/dependencies/gained.ts';
import { selectedBy } from '../cluster/dns-rules.ts';
import { freed } from '../cluster/isolation.ts';
import type { Direction } from '../cluster/traffic/flow.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { listed } from '../kube/listed.ts';
import { formatRef } from '../kube/resources.ts';

interface Freed {
  readonly backends: readonly Backend[];
  /** How many workloads the policy selected before. */
  readonly of: number;
  readonly directions: readonly Direction[];
}

export const networkPolicyWidened = defineRule({
  id: 'network-policy-widened',
  kinds: ['NetworkPolicy'],
  orderClass: 'destructive',
  summary: 'An update of a NetworkPolicy opens nothing that was shut',
  reads: ['Namespace', 'NetworkPolicy', 'Pod', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    noLongerIsolated: {
      severity: 'medium',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'namespace',
      defects: ({ backends }: Freed) => backends.map(({ ref }) => formatRef(ref)),
      text: ({ backends, of, directions }: Freed): Explanation => ({
        what: `this update leaves ${tallyOf(backends, of)} isolated by no policy for ${directions.join(' and ').toLowerCase()}`,
        why: 'What no policy isolates may connect to everything, and everything to it.',
        fixes: [{ text: 'apply another policy that selects them, if they are to stay isolated' }],
      }),
    },
    opensMore: {
      severity: 'info',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'namespace',
      defects: ({ titles }: Gains) => titles,
      text: ({ titles, isCut }: Gains): Explanation => ({
        what: `this update opens ${isCut ? 'at least ' : ''}${titles.length} connection${titles.length === 1 ? '' : 's'}: ${listed(titles.map(briefly), 2)}`,
        why: 'They were shut before.',
        fixes: [{ text: 'narrow the new rule, if more is open than is meant' }],
      }),
    },
  },

  *check({ object: policy, operation, before, cluster, known, elsewhere, finding }) {
    const earlier = operation === 'WRITE' ? before?.() : undefined;
    const was = earlier?.get('NetworkPolicy', policy.metadata.namespace, policy.metadata.name);
    if (earlier === undefined || was === undefined) return;
    const directions = (['Ingress', 'Egress'] as const).filter((direction) => freed(cluster, was, direction).length > 0);
    if (directions.length > 0) {
      const open = new Set(directions.flatMap((direction) => freed(cluster, was, direction)));
      const of = asBackends(selectedBy(cluster, was), known).length;
      yield finding('noLongerIsolated', ['spec', 'podSelector'], { backends: asBackends([...open], known), of, directions });
    }
    const gained = gainedBy({ was, policy, before: earlier, cluster }, elsewhere);
    if (gained.titles.length > 0) yield finding('opensMore', ['spec'], gained);
  },
});

/** The kinds say little here, and `listed` cuts long names in their middle. */
const briefly = (title: string): string => title.replaceAll('Deployment ', '');
