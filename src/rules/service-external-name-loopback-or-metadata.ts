/**
 * A Service of type ExternalName sends whoever looks it up to another name. One that says localhost sends each client to
 * itself; one that names the metadata service of a cloud hands out, under a harmless name, the credentials of the machine
 * that the client runs on: of an Ingress controller, for one.
 */
import { z } from 'zod';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { shorten } from '../kube/display.ts';
import { addressInC } from '../kube/inet-aton.ts';
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
        fixes,
      }),
    },
    /** Whether any client does so, nobody here knows: one that asks DNS does not. */
    leadsInsideInC: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'self',
      text: ({ externalName, what, address }: LeadsInside & { readonly address: string }): Explanation => ({
        what: `externalName ${shorten(externalName, 60)} is ${address} to the C library (inet_aton), which leads to ${what}`,
        why: 'A client that hands it to the C library connects to its own machine; to DNS it is a name that is not there.',
        fixes,
      }),
    },
  },

  *check({ object: { spec }, finding }) {
    const { type, externalName = '' } = spec;
    if (type !== 'ExternalName') return;
    const path = ['spec', 'externalName'];
    const host = hostNameOf(externalName);
    const address = addressInC(host);
    const what = leadsInside(address ?? host);
    if (what === undefined) return;
    if (address === undefined) yield finding('leadsInside', path, { externalName, what });
    else yield finding('leadsInsideInC', path, { externalName, what, address });
  },
});

const fixes: readonly [Fix] = [{ text: 'use the name of the host that is meant; for Pods a selector, for an address an EndpointSlice' }];

interface LeadsInside {
  readonly externalName: string;
  /** What is there, as the end of a sentence. */
  readonly what: string;
}
