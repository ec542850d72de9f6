/** The end of a namespace that is full of objects which we judge. */
import type { RawObject } from '../../src/kube/resources.ts';
import { until } from './child-process.ts';
import { type Cluster, pathOf } from './cluster.ts';
import { egressPolicy, ingress, service } from './shop.ts';
import { addressOf, create } from './stage.ts';

const finalizer = 'example.com/guard';

/** So many Services, each in use by an Ingress, and policies; a tenth of them guarded by a finalizer. */
export const gatedObjects = (each: number): readonly RawObject[] =>
  [() => service(), leadingTo, () => egressPolicy()].flatMap((make) =>
    Array.from({ length: each }, (_, index) => {
      const name = `object-${index}`;
      const finalizers = index % 10 === 0 ? [finalizer] : [];
      return { ...make(name), metadata: { name, finalizers } };
    }),
  );

const leadingTo = (name: string): RawObject => ({
  ...ingress('nowhere'),
  spec: { defaultBackend: { service: { name, port: { name: 'http' } } }, tls: [{ secretName: 'nowhere' }] },
});

/** Without our opinion, some at a time. One Service is being deleted in the foreground already, which the garbage collector ends. */
export async function fillNamespace(cluster: Cluster, namespace: string, objects: readonly RawObject[]): Promise<void> {
  const queue = objects.values();
  const work = async (): Promise<void> => {
    for (const object of queue) await create(cluster, namespace, object);
  };
  await Promise.all(Array.from({ length: 16 }, work));
  await cluster.request('DELETE', `${addressOf('Service', namespace, 'object-1')}?propagationPolicy=Foreground`, undefined, 'unjudged');
}

/** As controllers do it once an object is being deleted. Throws if one of them is refused. */
export async function finalizersTaken(cluster: Cluster, namespace: string): Promise<void> {
  for (const [apiVersion, resource] of [
    ['v1', 'services'],
    ['networking.k8s.io/v1', 'ingresses'],
    ['networking.k8s.io/v1', 'networkpolicies'],
  ] as const) {
    const path = pathOf(apiVersion, resource, namespace);
    const guarded = await until(
      `only guarded ${resource} are left`,
      async () => {
        const items = (await cluster.request('GET', path)).body.items as readonly Guarded[];
        return items.every(({ metadata }) => metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(finalizer)) && items;
      },
      { withinMs: 90_000, everyMs: 200 },
    );
    for (const { metadata } of guarded) {
      const { status, body } = await cluster.request('PATCH', `${path}/${metadata.name}`, { metadata: { finalizers: null } });
      if (status !== 200) throw new Error(`${resource} ${metadata.name} keeps its finalizer: ${body.message}`);
    }
  }
}

interface Guarded {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string; readonly finalizers?: readonly string[] };
}

export const deleted = (cluster: Cluster, namespace: string): Promise<unknown> =>
  until(`namespace ${namespace} is gone`, async () => (await cluster.request('GET', `/api/v1/namespaces/${namespace}`)).status === 404, {
    withinMs: 60_000,
  });
