/** The one connection between the machine and a node: a pair of interfaces, one of them within the node. */
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { type RunningProcess, until } from './child-process.ts';

export interface Cable {
  /** Of the interface on the machine. */
  readonly name: string;
  readonly hostAddress: string;
  readonly nodeAddress: string;
}

const prefix = 'pcnode-';

/** Of the range for benchmarks of networks (RFC 2544), which nobody routes: a link-local address cannot be an endpoint's. */
export function freeCable(): Cable {
  const taken = new Set(Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address)));
  for (;;) {
    const number = randomInt(256);
    const hostAddress = `198.19.${number}.1`;
    if (!taken.has(hostAddress)) return { name: `${prefix}${process.pid}`, hostAddress, nodeAddress: `198.19.${number}.2` };
  }
}

/** Puts the other end into the network of the process, once it has one of its own; start.sh waits for it there, as `eth0`. */
export async function plugIn({ name, hostAddress }: Cable, node: RunningProcess): Promise<void> {
  const ours = readlinkSync('/proc/self/ns/net');
  await until('the node has a network of its own', () => node.hasEnded() || readlinkSync(`/proc/${node.pid}/ns/net`) !== ours);
  ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(node.pid));
  ip('address', 'add', `${hostAddress}/30`, 'dev', name);
  ip('link', 'set', name, 'up');
}

/** The kernel does so too after the end of the node, but may take minutes. */
export function unplug(name: string): void {
  if (interfaces().includes(name)) ip('link', 'delete', name);
}

/** The cables on the machine, whoever's, with the process ids of their owners. */
export const cables = (): readonly (readonly [name: string, owner: string])[] =>
  interfaces()
    .filter((name) => name.startsWith(prefix))
    .map((name) => [name, name.slice(prefix.length)]);

const interfaces = (): readonly string[] => readdirSync('/sys/class/net');

const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });
