/**
 * `appProtocol` tells controllers and meshes which protocol a port speaks. Kubernetes defines three values of its own, and
 * takes any other without a word: a slip of the pen is no error, and the port is treated as if nothing were said.
 */
import { z } from 'zod';
import { differsByAtMost, isCertainTypo } from '../cluster/near-miss.ts';
import { type Explanation, editTowards, type Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { shorten } from '../kube/display.ts';

export const serviceAppProtocolTypo = defineRule({
  id: 'service-app-protocol-typo',
  kinds: ['Service'],
  orderClass: 'self-contained',
  summary: "An appProtocol that looks like one of Kubernetes' own is one of them",
  reads: [],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    almostDefined: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'self',
      text: ({ index, written, meant }: AlmostDefined): Explanation => ({
        what: `appProtocol ${shorten(written, 60)} is not defined; Kubernetes defines ${protocols.map((name) => prefix + name).join(', ')}`,
        why: 'Controllers that do not know the value treat the port as plain HTTP/1.1 or TCP.',
        fixes: fixesOf(index, written, meant),
      }),
    },
  },

  *check({ object: { spec }, finding }) {
    for (const [index, { appProtocol }] of spec.ports.entries()) {
      const meant = appProtocol === undefined ? undefined : meantBy(appProtocol);
      if (appProtocol === undefined || meant === undefined) continue;
      yield finding('almostDefined', ['spec', 'ports', index, 'appProtocol'], { index, written: appProtocol, meant });
    }
  },
});

interface AlmostDefined {
  readonly index: number;
  readonly written: string;
  /** The values that may be meant, nearest first. */
  readonly meant: readonly string[];
}

const prefix = 'kubernetes.io/';

/** KEP-3726, in ServicePort.appProtocol since 1.27: all that Kubernetes defines under its own prefix. */
const protocols = ['h2c', 'ws', 'wss'];

/** What people call these protocols elsewhere. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['http2', 'h2c'],
  ['http-2', 'h2c'],
  ['http2-clear-text', 'h2c'],
  ['websocket', 'ws'],
  ['websockets', 'ws'],
  ['secure-websocket', 'wss'],
]);

/** h2c is not; to some controllers these names mean that it is. */
const mayBeEncrypted: ReadonlySet<string> = new Set(['http2', 'http-2']);

/** What people write for Kubernetes' own prefix. */
const otherPrefixes: ReadonlySet<string> = new Set(['k8s.io', 'kubernetes']);

/** The values to which this one is near; undefined where it is one of them, or another word altogether. */
function meantBy(written: string): readonly string[] | undefined {
  const [domain = '', name, ...more] = written.toLowerCase().split('/');
  // Values without a prefix are names of IANA, and other prefixes belong to others.
  if (name === undefined || more.length > 0 || protocols.some((one) => written === prefix + one)) return undefined;
  if (!isNearlyOurs(domain)) return undefined;
  const exact = protocols.includes(name) ? name : otherNames.get(name);
  if (exact !== undefined) return [prefix + exact];
  const near = protocols.filter((one) => Math.max(name.length, one.length) > 2 && differsByAtMost(1, name, one));
  return near.length === 0 ? undefined : near.map((one) => prefix + one);
}

const isNearlyOurs = (domain: string): boolean => otherPrefixes.has(domain) || differsByAtMost(2, domain, 'kubernetes.io');

/** Kubernetes' own prefix in another guise or with a slip, and behind it a name that stands for one protocol only. */
function isCertain(written: string): boolean {
  const [domain = '', name = ''] = written.toLowerCase().split('/');
  const isOurs = otherPrefixes.has(domain) || isCertainTypo(domain, 'kubernetes.io', []);
  return isOurs && (protocols.includes(name) || (otherNames.has(name) && !mayBeEncrypted.has(name)));
}

function fixesOf(index: number, written: string, [meant = '', ...others]: readonly string[]): readonly [...Fix[], Fix] {
  const last = { text: 'use one of these, or a name of IANA, such as https, without a prefix' };
  if (others.length > 0) return [last];
  return [
    {
      text: `did you mean ${meant}?`,
      ...editTowards(isCertain(written), [{ op: 'replace', path: ['spec', 'ports', index, 'appProtocol'], value: meant }]),
    },
    last,
  ];
}
