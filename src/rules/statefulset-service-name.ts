/**
 * The Pods of a StatefulSet have names of their own in DNS, such as `db-0.db`, below the Service that its `serviceName`
 * names. They exist only if that Service is headless and selects these Pods. The Service is what is judged here.
 */
import { z } from 'zod';
import { isHeadless, selectsPods } from '../cluster/backends.ts';
import { nearMiss } from '../cluster/near-miss.ts';
import { correctedSelector } from '../cluster/selection.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { shorten } from '../kube/display.ts';
import { formatLabels } from '../kube/labels.ts';
import { refOf, type Service, type Workload } from '../kube/resources.ts';

export const statefulsetServiceName = defineRule({
  id: 'statefulset-service-name',
  kinds: ['Service'],
  orderClass: 'backward',
  summary: 'A Service that a StatefulSet names is headless and selects its Pods',
  reads: ['Pod', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    doesNotSelect: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      isEvident: () => true, // the StatefulSet is there
      text: ({ service, set }: Named): Explanation => ({
        what: `StatefulSet ${set.metadata.name} names this Service, and ${formatLabels(service.spec.selector)} selects other Pods, not its own`,
        why: `Its Pods get no names in DNS: ${podName(service, set)} does not resolve.`,
        fixes: fixesOf(service, set),
      }),
    },
    /** Many have it so who use the Service's own name only: it works, and the Pods' names do not. */
    notHeadless: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      isEvident: () => true, // the StatefulSet is there
      defects: ({ set }: Named) => [set.metadata.name],
      text: ({ service, set }: Named): Explanation => ({
        what: `StatefulSet ${set.metadata.name} names this Service, which is not headless`,
        why: `Its Pods get no names in DNS: ${podName(service, set)} does not resolve.`,
        fixes: [
          {
            text: 'where clients or the Pods use such names, create a headless Service (clusterIP: None) and name that in the StatefulSet',
          },
        ],
      }),
    },
  },

  *check({ object: service, cluster, finding }) {
    const { namespace, name } = service.metadata;
    if (isOfApiServer(service)) return;
    const naming = cluster.list('Template', namespace).filter(({ serviceName }) => serviceName === name);
    if (naming.length === 0) return;
    const selected = selectsPods(service) ? cluster.workloadsSelectedBy(service.spec.selector, namespace) : [];
    for (const set of naming) {
      cluster.step();
      if (!isHeadless(service)) yield finding('notHeadless', ['spec', 'clusterIP'], { service, set }, [refOf(set)]);
      // Who selects nothing at all: service-selector-matches-no-pods says so. Without a selector, endpoints come from elsewhere.
      else if (selected.length > 0 && !selected.some((one) => isOf(one, set)))
        yield finding('doesNotSelect', ['spec', 'selector'], { service, set }, [refOf(set)]);
    }
  },
});

interface Named {
  readonly service: Service;
  readonly set: Workload;
}

/** The API server makes it for itself (pkg/controlplane/controller/kubernetesservice): no StatefulSet means it, whatever files hold. */
const isOfApiServer = (service: Service): boolean =>
  service.metadata.namespace === 'default' && service.metadata.name === 'kubernetes' && !selectsPods(service);

/** The StatefulSet itself, or Pods of it. */
const isOf = (one: Workload, { kind, metadata: { name } }: Workload): boolean =>
  one.kind === 'Pod' ? one.owner === `${kind}/${name}` : one.kind === kind && one.metadata.name === name;

const podName = ({ metadata }: Service, { metadata: { name } }: Workload): string => `${shorten(name)}-0.${shorten(metadata.name)}`;

function fixesOf({ spec: { selector } }: Service, set: Workload): readonly [...Fix[], Fix] {
  const last = { text: `select Pods that ${set.metadata.name} makes: ${formatLabels(set.pod.labels)}` };
  const miss = nearMiss(selector, [set]);
  if (miss === undefined) return [last];
  const { corrected, change } = correctedSelector(selector, miss.differences);
  return [{ text: `did you mean ${change}?`, guess: [{ op: 'replace', path: ['spec', 'selector'], value: corrected }] }, last];
}
