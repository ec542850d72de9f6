/**
 * A namespaceSelector goes by the labels of namespaces, not by their names. Before Kubernetes 1.21 people labelled them by
 * hand with `name`, and many policies still ask for it; where no namespace carries it, the peer allows nobody. The label
 * that every namespace has by itself is `kubernetes.io/metadata.name`.
 */
import { z } from 'zod';
import { type LegacyName, legacyNameIn, usesLegacyKey } from '../cluster/legacy-namespace-label.ts';
import { peersInForce } from '../cluster/policy-peers.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { nameLabel } from '../kube/labels.ts';
import { listed } from '../kube/listed.ts';

export const networkPolicyLegacyNamespaceLabel = defineRule({
  id: 'network-policy-legacy-namespace-label',
  kinds: ['NetworkPolicy'],
  orderClass: 'backward',
  summary: 'A namespace is selected by a label that it carries',
  reads: ['Namespace'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    notCarried: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'foreign',
      text: ({ legacy: { key, names, corrected }, path }: NotCarried): Explanation => ({
        what: `no namespace carries ${key}=${names.length === 1 ? names[0] : `(${listed(names)})`}, but there ${names.length === 1 ? 'is a namespace' : 'are namespaces'} of that name`,
        why: 'A namespaceSelector goes by labels, so this peer allows nobody.',
        fixes: [
          { text: `use ${nameLabel} in the place of ${key}`, patch: [{ op: 'replace', path, value: corrected }] },
          { text: `use ${nameLabel}, which each namespace has by itself` },
        ],
      }),
    },
  },

  *check({ object: policy, cluster, elsewhere, finding }) {
    const selecting = [...peersInForce(policy, cluster)].filter(
      ({ peer: { namespaceSelector } }) => namespaceSelector !== undefined && usesLegacyKey(namespaceSelector),
    );
    if (selecting.length === 0) return;
    cluster.list('Namespace', '');
    // Who may list one namespace may list them all, so that absence is a fact for him too; another one is told nothing.
    const namespaces = elsewhere?.list('Namespace', '') ?? [];
    for (const { peer, path: at } of selecting) {
      cluster.step();
      const legacy = peer.namespaceSelector && legacyNameIn(peer.namespaceSelector, namespaces);
      const path = [...at, 'namespaceSelector'];
      if (legacy !== undefined) yield finding('notCarried', path, { legacy, path });
    }
  },
});

interface NotCarried {
  readonly legacy: LegacyName;
  readonly path: FieldPath;
}
