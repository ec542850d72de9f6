/** Which addresses of the cluster, those of Services and of Pods, stand in the address blocks of a policy. */
import { type Address, type IpBlock, ipBlockHolds, isOneAddress, parseAddress } from '../kube/cidr.ts';
import type { Service } from '../kube/resources.ts';
import type { Elsewhere } from './elsewhere.ts';
import type { ClusterView } from './view.ts';

/** The one address of a `/32` or `/128`, in one form whatever the spelling; undefined for a larger block. */
export function singleAddressOf(block: IpBlock): string | undefined {
  return isOneAddress(block) ? keyOf(block.cidr.split('/')[0] ?? '') : undefined;
}

function keyOf(address: string): string | undefined {
  const parsed = parseAddress(address);
  return parsed && `${parsed.family}/${parsed.bits}`;
}

/** Services by their clusterIPs, of those addresses that are asked for: all of the own namespace, and what the reader may list elsewhere. */
function servicesAt(
  wanted: ReadonlySet<string>,
  own: string,
  cluster: ClusterView,
  elsewhere: Elsewhere | undefined,
): ReadonlyMap<string, Service> {
  const keysOf = ({ spec }: Service): readonly string[] => spec.clusterIPs.flatMap((address) => keyOf(address) ?? []);
  const isWanted = (service: Service): boolean => {
    cluster.step();
    return keysOf(service).some((key) => wanted.has(key));
  };
  const others = elsewhere?.those('Service', (one) => one.metadata.namespace !== own && isWanted(one)) ?? [];
  const found = [...others, ...cluster.list('Service', own).filter(isWanted)];
  return new Map(found.flatMap((service) => keysOf(service).map((key) => [key, service] as const)));
}

/** A Pod of the namespace with an address of its own inside the block. */
export interface PodInside {
  readonly name: string;
  readonly address: string;
  /** Undefined where it is none that can be read. */
  readonly parsed: Address | undefined;
}

/** Addresses of Pods of the namespace, looked up once. Those on the host's network have their node's, which blocks are for. */
function podsWithAddresses(namespace: string, cluster: ClusterView): readonly PodInside[] {
  const found: PodInside[] = [];
  for (const workload of cluster.workloads(namespace)) {
    if (workload.pod.hostNetwork) continue;
    for (const [name, { ips }] of cluster.pods(workload).records()) {
      cluster.step();
      for (const address of ips === '' ? [] : ips.split(',')) found.push({ name, address, parsed: parseAddress(address) });
    }
  }
  return found;
}

/** Those inside the block; one is enough to speak of it. */
const firstInside = (block: IpBlock, pods: readonly PodInside[], cluster: ClusterView): PodInside | undefined =>
  pods.find(({ parsed }) => {
    cluster.step();
    return parsed !== undefined && ipBlockHolds(block, parsed) === true;
  });

/** For each block the Service at its one address, or a Pod inside it. */
export function standingIn(
  blocks: readonly IpBlock[],
  own: string,
  cluster: ClusterView,
  elsewhere: Elsewhere | undefined,
): readonly { readonly service?: Service; readonly inside?: PodInside | undefined }[] {
  if (blocks.length === 0) return [];
  const single = blocks.map((block) => {
    cluster.step();
    return singleAddressOf(block);
  });
  const services = servicesAt(new Set(single.filter((address) => address !== undefined)), own, cluster, elsewhere);
  const pods = podsWithAddresses(own, cluster);
  return blocks.map((block, index) => {
    const service = services.get(single[index] ?? '');
    return service === undefined ? { inside: firstInside(block, pods, cluster) } : { service };
  });
}
