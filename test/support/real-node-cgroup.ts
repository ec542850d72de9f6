/** The control groups of a node's containers: they and the directory are all that stays on the machine when a node is killed. */
import { existsSync, globSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { until } from './child-process.ts';

/** Makes a group of this name below the root of every hierarchy, where kubelet wants to find it; gives it in kubelet's words. */
export function newCgroup(name: string): string {
  for (const hierarchy of hierarchies()) {
    const group = join(hierarchy, name);
    mkdirSync(group, { recursive: true });
    for (const [file, weight] of weights) if (existsSync(join(group, file))) writeFileSync(join(group, file), weight);
  }
  return `/${name}`;
}

/** Twenty times the default: each process outside of all groups weighs as much as a whole group, and would starve the Pods. */
const weights = [
  ['cpu.shares', '20480'],
  ['cpu.weight', '2000'],
] as const;

/** Removes a group with all that is below, once its processes are gone; nothing happens if there is none. */
export async function removeCgroup(name: string): Promise<void> {
  await until(`the control group ${name} is empty`, () => globSync(hierarchies().map((root) => join(root, name))).every(isRemoved), {
    withinMs: 10_000,
  });
}

/** The groups whose names begin so. */
export const cgroups = (prefix: string): readonly string[] => [
  ...new Set(hierarchies().flatMap((root) => readdirSync(root).filter((name) => name.startsWith(prefix)))),
];

/** Version 1 has one for each controller, version 2 has one; with both, that one is a directory beside the others. */
const hierarchies = (): readonly string[] => {
  const root = '/sys/fs/cgroup';
  const files = globSync([join(root, 'cgroup.controllers'), join(root, '*', 'cgroup.procs')]);
  const isUnified = files.includes(join(root, 'cgroup.controllers'));
  return isUnified ? [root] : files.map((file) => dirname(file));
};

/** From the leaves up; whether all of it could be removed. */
function isRemoved(directory: string): boolean {
  const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const areRemoved = below.map(({ name }) => isRemoved(join(directory, name))).every(Boolean);
  try {
    if (areRemoved) rmdirSync(directory);
    return areRemoved;
  } catch {
    return false;
  }
}
