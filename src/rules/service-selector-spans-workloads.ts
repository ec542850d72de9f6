/**
 * A Service treats all Pods that its selector matches alike. Where a label is missing from the selector, these are Pods of
 * several applications, or of two releases of one: a share of the connections then reaches the wrong one, now and then.
 */
import { z } from 'zod';
import { type Backend, backendsOf, isHeadless } from '../cluster/backends.ts';
import { servedPorts } from '../cluster/served-ports.ts';
import { applicationsOf, carries, isForClients, type Label, saysWhatItServes, separating } from '../cluster/telling-label.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { labelsOf } from '../kube/labels.ts';
import { listed } from '../kube/listed.ts';
import type { Labels, Service, ServicePort } from '../kube/resources.ts';

export const serviceSelectorSpansWorkloads = defineRule({
  id: 'service-selector-spans-workloads',
  kinds: ['Service'],
  orderClass: 'exclusive',
  summary: 'A Service selector matches the Pods of one application',
  reads: ['Pod', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    otherRelease: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      defects: ({ others }: Spans) => others.map(({ ref }) => `${ref.kind}/${ref.name}`),
      text: (spans: Spans & { readonly release: string; readonly other: string }): Explanation => ({
        what: `this Service of release ${spans.release} also selects ${titles(spans.others)} of release ${spans.other}, beside ${titles(spans.own)}`,
        why: 'Connections are spread over both, so that a share of them reaches the other release.',
        fixes: fixesOf(spans),
      }),
    },
    differentPorts: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      defects: ({ others, port }: Spans & { readonly port: ServicePort }) =>
        others.map(({ ref }) => `${ref.kind}/${ref.name} ${port.targetPort}/${port.protocol}`),
      text: (spans: Spans & { readonly port: ServicePort }): Explanation => ({
        what: `${titles(spans.own)} ${declares(spans.own)} targetPort ${spans.port.targetPort}; the selector also matches ${titles(spans.others)}, which ${declares(spans.others)} other ports`,
        why: 'Connections are spread over all of them, and those that reach a Pod which does not listen there are refused.',
        fixes: fixesOf(spans),
      }),
    },
    severalApplications: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      defects: ({ labels }: Applications) => labels.map(({ value }) => value),
      text: ({ labels, backends }: Applications): Explanation => ({
        what: `it selects ${titles(backends)}, whose Pods are of ${labels.length} applications, ${listed(pairsOf(labels), 2)}`,
        why: 'Connections are spread over all of them, so that a share reaches another application than the one that is meant.',
        fixes: [{ text: `add ${pairsOf(labels)[0]} or the like to the selector, or make a Service for each` }],
      }),
    },
  },

  *check({ object: service, cluster, finding }) {
    // Behind a headless Service clients choose their Pods: peers of several kinds find each other so.
    if (isHeadless(service)) return;
    const backends = backendsOf(service, cluster).filter(({ scaledToZero }) => !scaledToZero);
    const { selector } = service.spec;
    const path = ['spec', 'selector'];
    const releases = releasesIn(service, backends);
    if (releases !== undefined) yield finding('otherRelease', path, { selector, ...releases }, releases.others.map(refOf));
    if (releases !== undefined) return;
    const served = servedPorts(backends);
    const speaking = backends.filter(saysWhatItServes);
    for (const port of service.spec.ports) {
      cluster.step();
      // A name that Pods lack is service-named-target-port-partial's.
      const serves = served.by(port);
      if (typeof port.targetPort === 'string' || serves.size === 0) continue;
      const others = speaking.filter((backend) => {
        cluster.step();
        return !serves.has(backend);
      });
      if (others.length === 0) continue;
      const own = [...serves];
      const apart = new Set(others);
      const serveMore = service.spec.ports.some((one) => typeof one.targetPort === 'number' && !served.by(one).isDisjointFrom(apart));
      const label = serveMore ? undefined : separating(own, others, cluster);
      return yield finding('differentPorts', path, { selector, own, others, label, serveMore, port }, others.map(refOf));
    }
    // An operator knows what it puts behind its Service; and of many ports, one tells.
    const [port] = service.metadata.owner === undefined ? service.spec.ports : [];
    const alike = port === undefined ? [] : speaking.filter((one) => served.by(port).has(one) && isForClients(one, port));
    const labels = applicationsOf(alike, cluster);
    if (labels.length > 0) yield finding('severalApplications', path, { labels, backends: alike }, alike.map(refOf));
  },
});

interface Spans {
  readonly selector: Labels;
  readonly own: readonly Backend[];
  /** Those that are probably not meant. */
  readonly others: readonly Backend[];
  /** By which the own ones can be told from the others. */
  readonly label: Label | undefined;
  /** The others serve another port of the Service. */
  readonly serveMore: boolean;
}

interface Applications {
  readonly labels: readonly Label[];
  readonly backends: readonly Backend[];
}

const pairsOf = (labels: readonly Label[]): readonly string[] => labels.map(({ key, value }) => `${key}: ${value}`);

const refOf = ({ ref }: Backend) => ref;
const titles = (backends: readonly Backend[]): string =>
  listed(
    backends.map(({ title }) => title),
    2,
  );
const declares = (backends: readonly Backend[]): string => (backends.length > 1 ? 'declare' : 'declares');

/** Helm's label, and the one that it had before (helm.sh/docs/chart_best_practices/labels). */
const releaseKeys = ['app.kubernetes.io/instance', 'release'];

/** Those of the release that the Service itself is of, and those of another one. */
function releasesIn({ metadata }: Service, backends: readonly Backend[]) {
  for (const key of releaseKeys) {
    const release = metadata.labels[key];
    if (release === undefined) continue;
    const label = { key, value: release };
    const own = backends.filter((backend) => carries(backend, label));
    const others = backends.filter(({ shapes }) => shapes.every(({ labels }) => labels[key] !== undefined && labels[key] !== release));
    const other = others[0]?.shapes[0]?.labels[key];
    if (own.length > 0 && other !== undefined) return { release, own, other, others, label, serveMore: false };
  }
  return undefined;
}

function fixesOf({ selector, label, others, serveMore }: Spans): readonly [...Fix[], Fix] {
  if (serveMore) return [{ text: 'make a Service for each of them, with the ports that its Pods serve' }];
  const last = { text: `add a label to the selector that ${titles(others)} ${others.length > 1 ? 'lack' : 'lacks'}` };
  if (label === undefined) return [last];
  const { key, value } = label;
  const corrected = labelsOf({ ...selector, [key]: value });
  return [{ text: `add ${key}: ${value} to the selector`, patch: [{ op: 'replace', path: ['spec', 'selector'], value: corrected }] }, last];
}
