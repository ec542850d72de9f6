/** What nodes leave on the machine whose tests were killed; all of it is named after the process of the tests. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cables, unplug } from './real-node-cable.ts';
import { cgroups, removeCgroup } from './real-node-cgroup.ts';

const prefix = 'portcullis-node-';

/** The name for everything of this process. */
export const nodeName = `${prefix}${process.pid}`;

/** Removes what belongs to processes that are gone. */
export async function removeLeftovers(): Promise<void> {
  for (const [name, owner] of cables()) if (isGone(owner)) unplug(name);
  for (const name of cgroups(prefix).filter(isOrphan)) await removeCgroup(name);
  for (const name of readdirSync(tmpdir()).filter(isOrphan)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
}

function isOrphan(name: string): boolean {
  const owner = name.startsWith(prefix) ? /^\d+/.exec(name.slice(prefix.length))?.[0] : undefined;
  return owner !== undefined && isGone(owner);
}

const isGone = (owner: string): boolean => !existsSync(`/proc/${owner}`);
