/** Whose address it is: the namespaces of running Pods by address, in step with a sequence of snapshots. */
import { ClusterSnapshot } from './snapshot.ts';

/** Stands for a node: Pods on the host network have its addresses. No namespace is called so. */
export const node = '';

const none: readonly string[] = [];

export class PodAddresses {
  /** One namespace for each Pod that claims the address, which is nearly always one: then a string, to keep 100,000 of them small. */
  private readonly claims = new Map<string, string | readonly string[]>();
  private followed = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'unsynced' });

  /** From now on this is the state. Costs what has changed since the one before. */
  follow(snapshot: ClusterSnapshot): void {
    const counting = (gone: boolean) => (namespace: string, ips: string, ofHost: boolean) => {
      for (const address of ips.includes(',') ? ips.split(',') : [ips]) this.count(address, ofHost ? node : namespace, gone);
    };
    snapshot.addressesSince(this.followed, counting(false), counting(true));
    this.followed = snapshot;
  }

  /**
   * The namespaces of all Pods with this address. More than one where an address is given to a new Pod while the old one,
   * which has lost it, is still there; `node` among them where it is a node's.
   */
  namespacesAt(address: string): readonly string[] {
    const claimed = this.claims.get(plainAddress(address)) ?? none;
    return typeof claimed === 'string' ? [claimed] : claimed;
  }

  get size(): number {
    return this.claims.size;
  }

  private count(address: string, namespace: string, gone: boolean): void {
    const claimed = this.claims.get(address);
    if (claimed === undefined) {
      this.claims.set(address, namespace);
      return;
    }
    const before = typeof claimed === 'string' ? [claimed] : claimed;
    const after = gone ? before.toSpliced(before.indexOf(namespace), 1) : [...before, namespace];
    if (after.length === 0) this.claims.delete(address);
    else this.claims.set(address, after.length === 1 ? (after[0] as string) : after);
  }
}

/** `::ffff:10.0.0.1` as `10.0.0.1`: so a socket that listens on both families calls the other end of IPv4. */
export const plainAddress = (address: string): string =>
  address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
