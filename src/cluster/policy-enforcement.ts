/** Who enforces NetworkPolicies in this cluster, as far as its DaemonSets tell: what `network-plugins.ts` knows, looked for. */
import { onceFor } from '../kube/once-for.ts';
import type { Workload } from '../kube/resources.ts';
import { type Bystander, bystanders, type Enforcer, enforcers, type Gap, type Version } from './network-plugins.ts';
import type { ClusterView } from './view.ts';

/** A DaemonSet that is one of those that the tables know. */
export interface Sighting<Plugin> {
  readonly plugin: Plugin;
  readonly daemonSet: Workload;
}

/** What a DaemonSet is; nothing of the kind for most. Kept by the DaemonSet, since every policy asks. */
interface Identity {
  readonly enforcers: readonly Enforcer[];
  readonly bystander: Bystander | undefined;
}

const identify = onceFor(({ metadata, pod, images = [] }: Workload): Identity => {
  const text = [metadata.name, ...Object.values(pod.labels), ...images].join(' ').toLowerCase();
  const names = images.map(lastPartOf);
  return {
    enforcers: enforcers.filter(({ words }) => words.some((word) => text.includes(word))),
    bystander: bystanders.find((one) => names.length > 0 && names.every((name) => one.images.some((end) => name.endsWith(end)))),
  };
});

/** `registry:5000/flannel-io/flannel:v0.28.0@sha256:…` → `flannel`. */
const lastPartOf = (image: string): string => (image.split('@')[0]?.split('/').at(-1)?.split(':')[0] ?? '').toLowerCase();

/** A snapshot lists the same templates as the same array. */
const daemonSetsAmong = onceFor((workloads: readonly Workload[]): readonly Workload[] =>
  workloads.filter(({ kind }) => kind === 'DaemonSet'),
);

/** Where nearly everybody runs it. */
const usualNamespace = 'kube-system';

/** Something that enforces, or may do so; the first that is found. */
export function findEnforcer(view: ClusterView): Sighting<Enforcer> | undefined {
  return firstIn(view.list('Template', usualNamespace)) ?? firstIn(view.listAll('Template'));
}

function firstIn(workloads: readonly Workload[]): Sighting<Enforcer> | undefined {
  for (const daemonSet of daemonSetsAmong(workloads)) {
    const plugin = identify(daemonSet).enforcers[0];
    if (plugin !== undefined) return { plugin, daemonSet };
  }
  return undefined;
}

/** A plugin that is known to enforce nothing; the first that is found. */
export function findBystander(view: ClusterView): Sighting<Bystander> | undefined {
  for (const daemonSet of daemonSetsAmong(view.listAll('Template'))) {
    const { bystander } = identify(daemonSet);
    if (bystander !== undefined) return { plugin: bystander, daemonSet };
  }
  return undefined;
}

/** The one that enforces here, by each of its DaemonSets; none where several might. */
export function onlyEnforcer(view: ClusterView): readonly Sighting<Enforcer>[] {
  const found = daemonSetsAmong(view.listAll('Template')).flatMap((daemonSet) =>
    identify(daemonSet).enforcers.map((plugin) => ({ plugin, daemonSet })),
  );
  return new Set(found.map(({ plugin }) => plugin)).size === 1 ? found : [];
}

/** What it certainly, or without a certain setting, leaves undone. */
export function gapsOf(sightings: readonly Sighting<Enforcer>[]): readonly Gap[] {
  const [first] = sightings;
  if (first === undefined) return [];
  const versions = sightings.flatMap(({ plugin, daemonSet }) => versionsOf(plugin, daemonSet));
  return (first.plugin.gaps ?? []).filter(({ until }) => until === undefined || isBefore(versions, until));
}

const versionTag = /:v?(\d+)\.(\d+)\.\d+(@|$)/;

/** Of the image that tells it, in each container that has one; undefined for a tag that is no plain version. */
const versionsOf = ({ image }: Enforcer, { images = [] }: Workload): readonly (Version | undefined)[] =>
  images
    .filter((one) => image !== undefined && (lastPartOf(one) === image || lastPartOf(one).endsWith(`-${image}`)))
    .map((one) => {
      const [, major, minor] = versionTag.exec(one) ?? [];
      return major === undefined ? undefined : { major: Number(major), minor: Number(minor) };
    });

const isBefore = (versions: readonly (Version | undefined)[], { major, minor }: Version): boolean =>
  versions.length > 0 &&
  versions.every((version) => version !== undefined && (version.major < major || (version.major === major && version.minor < minor)));
