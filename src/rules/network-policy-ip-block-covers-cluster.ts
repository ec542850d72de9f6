/**
 * An ipBlock is meant for addresses outside the cluster. Those of Pods change with each restart, and that of a Service is
 * translated before or after the policy is applied, as the network plugin has it: Calico matches Pods by their address,
 * Cilium does not. A block that holds every address also holds that of the cloud's metadata service.
 */
import { z } from 'zod';
import { selectsPods } from '../cluster/backends.ts';
import { type PodInside, singleAddressOf, standingIn } from '../cluster/cluster-addresses.ts';
import { type PlacedRule, rulesInForce } from '../cluster/policy-peers.ts';
import { findResolver, mayEndOnNode, type Resolver } from '../cluster/resolver.ts';
import { portMatches } from '../cluster/traffic/ports.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { type IpBlock, ipBlockHolds, isEveryAddress } from '../kube/cidr.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { metadataAddress } from '../kube/inside-hosts.ts';
import { formatLabels } from '../kube/labels.ts';
import { formatRef, refOf, type Service } from '../kube/resources.ts';

export const networkPolicyIpBlockCoversCluster = defineRule({
  id: 'network-policy-ip-block-covers-cluster',
  kinds: ['NetworkPolicy'],
  orderClass: 'backward',
  summary: 'An ipBlock is about addresses outside the cluster',
  reads: ['Pod', 'Service', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    isService: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      isEvident: () => true, // the Service is there
      text: explainService,
    },
    isServiceElsewhere: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'foreign',
      isEvident: () => true, // the Service is there
      text: explainService,
    },
    isPod: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      isEvident: () => true, // the Pod is there
      text: ({ cidr, inside }: Covered): Explanation => ({
        what: `${cidr} is the address of Pod ${inside.name}`,
        why: 'The Pod has another address after each restart, and some network plugins (Cilium) match no Pod by its address.',
        fixes: [{ text: 'select the Pod by its labels, with a podSelector' }],
      }),
    },
    /** Where Pods have addresses of the network around the cluster, such a block may well be for what is there. */
    coversPods: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      isEvident: () => true, // the Pod is there
      text: ({ cidr, inside }: Covered): Explanation => ({
        what: `${cidr} covers Pods of this namespace, such as ${inside.name} (${inside.address})`,
        why: 'Whether a block counts for Pods is up to the network plugin: with Calico it does, with Cilium it does not.',
        fixes: [{ text: 'select Pods by podSelector and namespaceSelector, and leave their addresses out of the block by except' }],
      }),
    },
    /** So do the charts of cert-manager and of others who must reach any address, and many clouds shut it to Pods themselves. */
    opensMetadata: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'self',
      text: ({ block }: { readonly block: IpBlock }): Explanation => ({
        what: `${block.cidr} also holds ${metadataAddress}, the metadata service of most clouds`,
        why: 'Pods that may reach it can often get the credentials of their node.',
        // Some get their credentials there and nowhere else: no edit shuts it by itself.
        fixes: [{ text: `add ${metadataAddress}/32 to except, unless they need it` }],
      }),
    },
  },

  *check({ object: policy, cluster, known, elsewhere, shared, finding }) {
    const own = policy.metadata.namespace;
    const all = rulesInForce(policy, cluster)
      .flatMap((rule) => blocksOf(rule, cluster))
      .toArray();
    const blocks = all.filter(({ block }) => {
      cluster.step();
      return !isEveryAddress(block);
    });
    const resolver = findResolver(known, shared.resolver, shared.dnsNodeAddresses);
    const found = standingIn(
      blocks.map(({ block }) => block),
      own,
      cluster,
      elsewhere,
    );
    for (const [index, { block, path, rule }] of blocks.entries()) {
      const { service, inside } = found[index] ?? {};
      const [at, { cidr }] = [[...path, 'cidr'], block];
      const message = service?.metadata.namespace === own ? 'isService' : 'isServiceElsewhere';
      if (service !== undefined && canBeSelected(service, rule, resolver, cluster))
        yield finding(message, at, { cidr, service }, [refOf(service)]);
      if (inside !== undefined) yield finding(singleAddressOf(block) === undefined ? 'coversPods' : 'isPod', at, { cidr, inside });
    }
    // Said by the object alone, so it comes last: where the cluster is not known, nothing is said of the policy.
    for (const placed of all) {
      cluster.step();
      if (opensMetadata(placed)) yield finding('opensMetadata', placed.path, { block: placed.block });
    }
  },
});

/** What stands behind the API server's Service is no Pod that a selector could name. Beside a selector, the resolver's address does no harm. */
const canBeSelected = (service: Service, { peers }: PlacedRule, resolver: Resolver | undefined, cluster: ClusterView): boolean =>
  selectsPods(service) &&
  !(service === resolver?.service && (mayEndOnNode(resolver, cluster) || peers?.some(({ ipBlock }) => ipBlock === undefined)));

interface PlacedBlock {
  readonly block: IpBlock;
  readonly path: FieldPath;
  readonly rule: PlacedRule;
}

const blocksOf = (rule: PlacedRule, cluster: ClusterView): readonly PlacedBlock[] =>
  (rule.peers ?? []).flatMap(({ ipBlock: block }, index) => {
    cluster.step();
    return block === undefined ? [] : [{ block, path: [...rule.path, rule.peersKey, index, 'ipBlock'], rule }];
  });

interface Covered {
  readonly cidr: string;
  readonly inside: PodInside;
}

function explainService({ cidr, service }: { readonly cidr: string; readonly service: Service }): Explanation {
  return {
    what: `${cidr} is the address of ${formatRef(refOf(service))}, which no packet has any more once it is translated to a Pod's`,
    why: 'Whether a policy is applied before or after that is up to the network plugin, so this opens the way in one cluster and not in another.',
    fixes: [{ text: `select its Pods, ${formatLabels(service.spec.selector)}, in namespace ${service.metadata.namespace}` }],
  };
}

const opensMetadata = ({ block, rule: { direction, ports } }: PlacedBlock): boolean =>
  isEveryAddress(block) &&
  direction === 'Egress' &&
  ipBlockHolds(block, metadataAddress) === true &&
  portMatches(ports, { address: metadataAddress }, { protocol: 'TCP', port: 80 });
