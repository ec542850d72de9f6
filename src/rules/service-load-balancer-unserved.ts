/**
 * A Service of type LoadBalancer asks somebody outside of Kubernetes for an address. Where nobody answers, because the cluster has
 * no cloud behind it, the class is misspelt or the cloud refuses, the Service stays pending, and nothing but its events says so.
 */
import { z } from 'zod';
import type { Elsewhere } from '../cluster/elsewhere.ts';
import { loadBalancerClasses } from '../cluster/load-balancer-classes.ts';
import { differsByAtMost, isCertainTypo, nearestWord } from '../cluster/near-miss.ts';
import { type Explanation, editTowards, type Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { quoted, shorten } from '../kube/display.ts';
import { matchesAnyGlob } from '../kube/glob.ts';
import type { Service } from '../kube/resources.ts';

const classPath = ['spec', 'loadBalancerClass'] as const;
const minuteMs = 60_000;

export const serviceLoadBalancerUnserved = defineRule({
  id: 'service-load-balancer-unserved',
  kinds: ['Service'],
  orderClass: 'backward',
  summary: 'Somebody gives a Service of type LoadBalancer its address',
  reads: ['Service'],
  since: '0.1.0',

  options: z.strictObject({
    pendingMinutes: z
      .int()
      .min(1)
      .max(1_440)
      .default(15)
      .describe('For so many minutes after it was made or changed, a Service may be without an address'),
    classes: z
      .array(z.string())
      .default([])
      .describe(
        'Classes, with `*` for any characters, whose Services get no address in their status, or whose names are right as they are',
      ),
  }),

  messages: {
    noAddress: {
      severity: 'medium',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'self',
      text: ({ since, className, isAlone }: Pending): Explanation => ({
        what: `nobody has given it an address since ${since}, when it was made or last changed${isAlone ? `, nor any other Service of type LoadBalancer ${withClass(className)}` : ''}`,
        why: 'Nobody outside of the cluster reaches it, unless by its nodePorts.',
        fixes: [{ text: fixFor(className) }],
      }),
    },
    /** While it is being written the class can still be put right: later the API server refuses to change it. */
    misspeltClass: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'self',
      text: ({ className, meant, title }: Misspelt): Explanation => ({
        what: `nobody is known to serve class ${quoted(className, 60)}, and ${title} serves ${meant}`,
        why: 'Without anybody who serves its class the Service gets no address, and the class cannot be changed later.',
        fixes: fixesForClass(className, meant),
      }),
    },
  },

  *check({ object: service, cluster, elsewhere, options, finding }) {
    const { type, loadBalancerClass: className, externalIPs } = service.spec;
    if (type !== 'LoadBalancer' || hasAddress(service) || matchesAnyGlob(options.classes, className ?? '')) return;
    const meant = className === undefined ? undefined : meantBy(className);
    const isServedBeside = cluster.list('Service', service.metadata.namespace).some((other) => isServedAlike(other, service));
    if (className !== undefined && meant !== undefined && !isServedBeside)
      yield finding('misspeltClass', classPath, { className, meant: meant.name, title: meant.title });
    else if (externalIPs === undefined && isOverdue(service, cluster.observedAt, options.pendingMinutes)) {
      const since = timeOf(service.metadata.changedMs ?? 0);
      yield finding('noAddress', ['spec', 'type'], { since, className, isAlone: !isServedBeside && isServedNowhere(service, elsewhere) });
    }
  },
});

interface Pending {
  /** `2026-11-01 10:00 UTC`. */
  readonly since: string;
  readonly className: string | undefined;
  /** It is known that no Service of its class has an address. */
  readonly isAlone: boolean;
}

interface Misspelt {
  readonly className: string;
  readonly meant: string;
  /** Who serves the one that is meant. */
  readonly title: string;
}

const hasAddress = ({ status }: Service): boolean => status !== undefined;

const isServedAlike = (other: Service, { spec }: Service): boolean =>
  other.spec.type === 'LoadBalancer' && other.spec.loadBalancerClass === spec.loadBalancerClass && hasAddress(other);

/** Only who may read all Services is told that none has an address. */
const isServedNowhere = (service: Service, elsewhere: Elsewhere | undefined): boolean =>
  elsewhere?.isWhole === true &&
  elsewhere.coverage('Service', '*') === 'complete' &&
  elsewhere.those('Service', (other) => isServedAlike(other, service)).length === 0;

/** A class that only continues a known one may be called so on purpose. */
function meantBy(className: string) {
  if (loadBalancerClasses.some(({ name }) => className.startsWith(name))) return undefined;
  const near = loadBalancerClasses.filter(({ name }) => differsByAtMost(2, className, name));
  const name = nearestWord(
    className,
    near.map((one) => one.name),
  );
  return near.find((one) => one.name === name);
}

/** Only of what an API server keeps, which has given it an address inside the cluster, is it known when it was changed. */
const isOverdue = ({ metadata: { changedMs, deletionTimestamp }, spec }: Service, now: number, minutes: number): boolean =>
  spec.clusterIPs.length > 0 && changedMs !== undefined && deletionTimestamp === undefined && now - changedMs > minutes * minuteMs;

const timeOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const withClass = (className: string | undefined): string =>
  className === undefined ? 'without a class' : `of class ${shorten(className, 60)}`;

function fixFor(className: string | undefined): string {
  const known = loadBalancerClasses.find(({ name }) => name === className);
  if (known !== undefined) return `see its events, and whether ${known.title}, which serves this class, is installed`;
  return className === undefined
    ? 'see its events; where the cluster has no cloud behind it, install MetalLB, kube-vip or the like, or use an Ingress or type NodePort'
    : 'see its events, and whether whoever serves this class is installed';
}

const names = loadBalancerClasses.map(({ name }) => name);

const fixesForClass = (className: string, meant: string): readonly [...Fix[], Fix] => [
  {
    text: `did you mean ${meant}?`,
    ...editTowards(isCertainTypo(className, meant, names), [{ op: 'replace', path: classPath, value: meant }]),
  },
  { text: `create it with class ${meant}` },
];
