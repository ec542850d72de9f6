/**
 * Browsers refuse a certificate after its last day, and before its first. One that is about to end is usually one whose
 * renewal has stopped: what renews certificates does so when a third of their time is left.
 */
import { z } from 'zod';
import { providerAnnotations } from '../cluster/provider-annotations.ts';
import { contentOf, contentsOf, writerOf } from '../cluster/tls-content.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { dayOf } from '../kube/day.ts';
import type { CertificateFacts } from '../kube/tls-facts.ts';

const dayMs = 86_400_000;
/** Clocks of those who issue certificates may be ahead of ours. */
const clockSkewMs = 300_000;
/** cert-manager renews at a third: half of that later, something has gone wrong, however short-lived a certificate is. */
const shareLeft = 1 / 6;

export const tlsExpiry = defineRule({
  id: 'tls-expiry',
  kinds: ['Ingress'],
  orderClass: 'backward',
  summary: 'A certificate that an Ingress names is valid today, and for some time to come',
  reads: ['Certificate', 'ExternalSecret', 'SealedSecret', 'Secret'],
  // The Secret itself was read by name for this very evaluation.
  confirms: ['Certificate', 'ExternalSecret', 'SealedSecret'],
  since: '0.1.0',

  options: z.strictObject({
    warnDays: z
      .int()
      .min(0)
      .max(3_650)
      .default(14)
      .describe(
        'So many days before the end it warns; of a certificate that lives less than six times as long, in the last sixth of its time',
      ),
  }),

  messages: {
    expired: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'secret',
      text: (dated: Dated): Explanation => ({
        what: `the certificate of Secret ${dated.name} ended on ${dated.day}, ${daysIn(dated.days)} ago`,
        why: 'Browsers refuse it.',
        fixes: [{ text: renew(dated) }],
      }),
    },
    /** Whoever writes it may write it anew once the Ingress is there, or has failed to. */
    expiredAndManaged: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'secret',
      text: (dated: Dated & { readonly writer: string }): Explanation => ({
        what: `the certificate of Secret ${dated.name} ended on ${dated.day}, ${daysIn(dated.days)} ago; ${dated.writer} writes it`,
        why: 'Browsers refuse it.',
        fixes: [{ text: 'wait for it to be written anew, or see what keeps it from being renewed' }],
      }),
    },
    endsSoon: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'secret',
      text: (dated: Dated): Explanation => ({
        what: `the certificate of Secret ${dated.name} ends on ${dated.day}, in ${daysIn(dated.days)}`,
        why: 'Browsers refuse it from then on.',
        fixes: [{ text: renew(dated) }],
      }),
    },
    notYetValid: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'secret',
      text: (dated: Dated): Explanation => ({
        what: `the certificate of Secret ${dated.name} begins on ${dated.day}, in ${daysIn(dated.days)}`,
        why: 'Browsers refuse it until then.',
        fixes: [{ text: 'use the one before it until then, and check the clock of whoever issued it' }],
      }),
    },
  },

  fetches: contentOf,
  annotations: () => providerAnnotations,

  *check({ object: ingress, cluster, known, shared, options, finding }) {
    for (const { secret, content, paths } of contentsOf(ingress, cluster, known)) {
      if (content.leaf === undefined) continue;
      const { name, namespace } = secret.metadata;
      const [path = []] = paths;
      const state = stateOf(content.leaf, cluster.observedAt, options.warnDays);
      if (state === undefined) continue;
      const dated = { name, namespace, day: dayOf(state.atMs), days: daysBetween(state.atMs, cluster.observedAt) };
      const writer = state.is === 'expired' ? writerOf(ingress, name, { cluster, known, shared }) : undefined;
      yield writer === undefined ? finding(state.is, path, dated) : finding('expiredAndManaged', path, { ...dated, writer });
    }
  },
});

interface Dated {
  readonly name: string;
  readonly namespace: string;
  /** `2026-12-01`. */
  readonly day: string;
  /** Whole days between now and then. */
  readonly days: number;
}

function stateOf({ notBeforeMs, notAfterMs }: CertificateFacts, now: number, warnDays: number) {
  if (now > notAfterMs) return { is: 'expired', atMs: notAfterMs } as const;
  if (now < notBeforeMs - clockSkewMs) return { is: 'notYetValid', atMs: notBeforeMs } as const;
  const soonMs = Math.min(warnDays * dayMs, (notAfterMs - notBeforeMs) * shareLeft);
  return notAfterMs - now < soonMs ? ({ is: 'endsSoon', atMs: notAfterMs } as const) : undefined;
}

const daysBetween = (a: number, b: number): number => Math.floor(Math.abs(a - b) / dayMs);
const daysIn = (days: number): string => (days === 0 ? 'less than a day' : days === 1 ? '1 day' : `${days} days`);

const renew = ({ name, namespace }: Dated): string =>
  `renew it: kubectl create secret tls ${name} -n ${namespace} --cert=FILE --key=FILE --dry-run=client -o yaml | kubectl apply -f -`;
