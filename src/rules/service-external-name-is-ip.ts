/**
 * A Service of type ExternalName is a CNAME record: it leads from one name to another. An address there is read as a name
 * made of digits, which no DNS knows, so nothing that looks the Service up gets an answer.
 */
import { z } from 'zod';
import { ingressTo } from '../cluster/referrers.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { isAddress } from '../kube/cidr.ts';
import { shorten } from '../kube/display.ts';
import { addressInC } from '../kube/inet-aton.ts';
import { hostNameOf, leadsInside } from '../kube/inside-hosts.ts';
import { formatRef, type Ingress, type RawObject, refOf, type Service, type ServicePort } from '../kube/resources.ts';

export const serviceExternalNameIsIp = defineRule({
  id: 'service-external-name-is-ip',
  kinds: ['Service'],
  orderClass: 'forward',
  summary: 'The externalName of a Service is a DNS name',
  reads: ['Ingress'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    /** A denial would come before the Ingress that makes use of it: ingress-nginx connects to the address (endpointslices.go). */
    isAddress: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'self',
      text: ({ service, address }: AnAddress): Explanation => ({
        what: `externalName ${address} is an address, and DNS takes it for a name`,
        why: 'The cluster DNS gives no answer for this Service, so every connection to it fails.',
        fixes: fixesOf(service, address),
      }),
    },
    /** Some controllers connect to what externalName says without asking DNS for the Service. */
    isAddressForIngress: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      text: ({ service, address, ingress }: AnAddress & { readonly ingress: Ingress }): Explanation => ({
        what: `externalName ${address} is an address; the controller of ${formatRef({ ...refOf(ingress), namespace: '' })} may take it as it is, DNS does not`,
        why: 'Pods that look this Service up get no answer.',
        fixes: fixesOf(service, address),
      }),
    },
    /** To the API server and to DNS a name like others. No top-level domain ends in a number (RFC 3696 2), but a private one may. */
    isAddressInC: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'self',
      text: ({ externalName, address }: { readonly externalName: string; readonly address: string }): Explanation => ({
        what: `externalName ${shorten(externalName, 60)} is the address ${address} to the C library (inet_aton), and a name to DNS`,
        why: 'No public domain ends in a number: where no DNS of yours has this name, the Service leads nowhere.',
        fixes: [lastFix(address)],
      }),
    },
  },

  *check({ object: service, cluster, known, finding }) {
    const { type, externalName = '' } = service.spec;
    const host = hostNameOf(externalName);
    const inC = addressInC(host);
    const address = inC ?? host;
    // What leads inside is the graver defect: service-external-name-loopback-or-metadata says so.
    if (type !== 'ExternalName' || !isAddress(address) || leadsInside(address) !== undefined) return;
    const path = ['spec', 'externalName'];
    if (inC !== undefined) {
      yield finding('isAddressInC', path, { externalName, address });
      return;
    }
    const ingress = ingressTo(service, cluster, known);
    if (ingress === undefined) yield finding('isAddress', path, { service, address });
    else yield finding('isAddressForIngress', path, { service, address, ingress }, [refOf(ingress)]);
  },
});

interface AnAddress {
  readonly service: Service;
  readonly address: string;
}

const lastFix = (address: string): Fix => ({
  text: `use the host's name, or type ClusterIP without selector and an EndpointSlice with ${address}`,
});

/** What ExternalName cannot do, a Service without selector can: its addresses stand in an EndpointSlice. */
function fixesOf(service: Service, address: string): readonly [...Fix[], Fix] {
  const last = lastFix(address);
  const { ports, selector } = service.spec;
  if (ports.length === 0 || ports.some(({ targetPort }) => typeof targetPort === 'string')) return [last];
  const patch: NonNullable<Fix['patch']> = [
    { op: 'replace', path: ['spec', 'type'], value: 'ClusterIP' },
    { op: 'remove', path: ['spec', 'externalName'] },
    ...(Object.keys(selector).length > 0 ? [{ op: 'remove', path: ['spec', 'selector'] } as const] : []),
  ];
  const text = `use type ClusterIP without externalName and selector, and an EndpointSlice with ${address}, or the host's name`;
  return [{ text, patch, manifest: endpointSliceOf(service, address) }, last];
}

/** Its ports are called as those of the Service are, or kube-proxy would not find them. */
const endpointSliceOf = ({ metadata: { namespace, name }, spec }: Service, address: string): RawObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace, name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
  addressType: address.includes(':') ? 'IPv6' : 'IPv4',
  ports: spec.ports.map(({ name: port = '', protocol, targetPort }: ServicePort) => ({ name: port, protocol, port: targetPort })),
  endpoints: [{ addresses: [address] }],
});
