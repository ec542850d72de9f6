/** A cluster as the commands that look at one have it, made of objects. */
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import type { Coverage } from '../../src/cluster/view.ts';
import type { ClusterState } from '../../src/commands/cluster-state.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import { normalize } from '../../src/kube/normalize.ts';
import { type Collection, formatRef, type RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';

/** What objects say of when they were changed is long ago: none is too new to be judged. */
const observedAt = Date.UTC(2026, 10, 21);

export function stateOf(
  objects: readonly RawObject[],
  file: RawObject = {},
  coverage: (collection: Collection, namespace: string) => Coverage = () => 'complete',
): ClusterState {
  const snapshot = ClusterSnapshot.empty({ observedAt, coverage }).with(objects.flatMap((raw) => normalize(raw) ?? []));
  return {
    name: 'example',
    snapshot,
    reaches: new Map(),
    readByName: async (refs) => new Map(refs.map((ref) => [formatRef(ref), snapshot.get('Secret', ref.namespace, ref.name) ?? 'absent'])),
    configuration: parseConfiguration({ apiVersion: 'portcullis.dev/v1', ...file }, rules),
    close: async () => {},
  };
}
