/**
 * A Service of type ExternalName sends whoever looks it up to another name. One that says localhost sends each client to
 * itself; one that names the metadata service of a cloud hands out, under a harmless name, the credentials of the machine
 * that the client runs on: of an Ingress controller, for one.
 */
import { z } from 'zod';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { shorten } from '../kube/display.ts';
import { hostNameOf, leadsInside } from '../kube/inside-hosts.ts';

export const serviceExternalNameLoopbackOrMetadata = defineRule({
  id: 'service-external-name-loopback-or-metadata',
  kinds: ['Service'],
  orderClass: 'self-contained',
  summary: 'The externalName of a Service leads neither back to the client nor to the metadata service of a cloud',
  reads: [],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    leadsInside: {
      severity: 'high',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'self',
      text: ({ externalName, what }: LeadsInside): Explanation => ({
        what: `externalName ${shorten(externalName, 60)} leads to ${what}`,
        why: 'A client that follows it, such as an Ingress controller, connects to its own machine, with its rights.',
        fixes: [{ text: 'use the name of the host that is meant; for Pods a selector, for an address an EndpointSlice' }],
      }),
    },
  },

  *check({ object: { spec }, finding }) {
    const { type, externalName = '' } = spec;
    const what = type === 'ExternalName' ? leadsInside(hostNameOf(externalName)) : undefined;
    if (what !== undefined) yield finding('leadsInside', ['spec', 'externalName'], { externalName, what });
  },
});

interface LeadsInside {
  readonly externalName: string;
  /** What is there, as the end of a sentence. */
  readonly what: string;
}
