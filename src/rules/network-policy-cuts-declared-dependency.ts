/**
 * A policy isolates the Pods that it selects, and whatever no policy allows is lost at once, without a word. Some connections
 * are written down in the cluster: an Ingress names its backends, containers are told of Services, Pods ask to be scraped.
 * Those that worked before a write of a policy and do not after it are named when it is applied.
 */
import { z } from 'zod';
import { type OpeningPolicy, openingsAsText, policyToAllow } from '../cluster/dependencies/allow-again.ts';
import { type Losses, lossesBy } from '../cluster/dependencies/lost.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule, type Operation } from '../engine/rule.ts';
import { shorten } from '../kube/display.ts';
import { selectsEverything } from '../kube/labels.ts';
import type { NetworkPolicy } from '../kube/resources.ts';
import { scrapeAnnotations } from '../kube/scraping.ts';

/** An update that cuts no other one is not denied. */
const defects = ({ losses }: Cut): readonly string[] => losses.lost.map(({ title }) => title);

export const networkPolicyCutsDeclaredDependency = defineRule({
  id: 'network-policy-cuts-declared-dependency',
  kinds: ['NetworkPolicy'],
  orderClass: 'exclusive',
  summary: 'Connections that the cluster declares still work after a NetworkPolicy is written or removed',
  reads: ['Ingress', 'IngressClass', 'Namespace', 'NetworkPolicy', 'Pod', 'Service', 'Template'],
  judgesDelete: true,
  since: '0.1.0',

  options: z.strictObject({}),
  annotations: () => scrapeAnnotations,

  messages: {
    connectionsLost: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      defects,
      text: ({ operation, losses, fixes }: Cut): Explanation => ({
        what: `${operation === 'DELETE' ? 'without' : 'with'} this policy ${counted(losses)}: ${named(losses)}`,
        why: 'A policy gives no error: such connections time out.',
        fixes,
      }),
    },
    /** Who shuts everything means it; what is to be opened again is what he has to know. */
    shutByDefaultDeny: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      defects,
      text: ({ losses, fixes }: Cut): Explanation => ({
        what: `until other policies allow them, ${counted(losses)}: ${named(losses)}`,
        why: 'This policy shuts all Pods of the namespace, and what is not opened times out.',
        fixes,
      }),
    },
  },

  *check({ object: policy, operation, before, cluster, known, elsewhere, finding }) {
    const losses = lossesBy({ policy, before, cluster }, elsewhere);
    if (losses.lost.length === 0) return;
    const fixes = fixesFor(losses, policy, operation, policyToAllow(losses.lost, policy.metadata, known, elsewhere));
    yield finding(messageFor(policy, operation), ['spec'], { operation, losses, fixes });
  },
});

interface Cut {
  readonly operation: Operation;
  readonly losses: Losses;
  readonly fixes: readonly [...Fix[], Fix];
}

function messageFor({ spec }: NetworkPolicy, operation: Operation) {
  const isDefaultDeny = selectsEverything(spec.podSelector) && spec.ingress.length + spec.egress.length === 0;
  return operation === 'WRITE' && isDefaultDeny ? 'shutByDefaultDeny' : 'connectionsLost';
}

/** `3 of 12 declared connections fail`. */
function counted({ lost, of, isCut }: Losses): string {
  const all = isCut ? `at least ${of}` : of;
  return `${lost.length} of ${all} declared connection${of === 1 ? ' fails' : 's fail'}`;
}

/** So many are named; of more the text gives a number. */
const mostNamed = 2;
const longestName = 60;

function named({ lost }: Losses): string {
  const names = lost.slice(0, mostNamed).map(({ title }) => shorten(title, longestName));
  return lost.length > mostNamed ? `${names.join('; ')}; and ${lost.length - mostNamed} more` : names.join('; ');
}

function fixesFor({ lost }: Losses, { metadata }: NetworkPolicy, operation: Operation, opening: OpeningPolicy | undefined): Cut['fixes'] {
  const openings = openingsAsText(lost, metadata.namespace);
  const texts = (what: string): string =>
    operation === 'DELETE' ? `keep it, or first allow ${what}` : `allow ${what} in a policy beside it`;
  const inWords: Fix = { text: texts(openings) };
  return opening === undefined ? [inWords] : [{ text: texts(`${openings} ${opening.peers}`), manifest: opening.manifest }, inWords];
}
