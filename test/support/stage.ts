/** A file's own webhook before the real API server: its configuration, its namespaces, and kubectl to try them with. */
import { afterAll, beforeAll } from 'vitest';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { readAlways } from '../../src/sources/watched.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { until } from './child-process.ts';
import { type Cluster, connectCluster, type KubectlResult, pathOf } from './cluster.ts';
import { type ControlPlane, freePort, type User } from './control-plane.ts';
import { newControlPlane } from './control-plane-provider.ts';
import { installWebhook, type Replica, type Webhook } from './webhook.ts';

export interface StageOptions {
  readonly purpose: string;
  readonly configuration?: RawObject;
  /** As whom our server reads the cluster. */
  readonly user?: User;
  /** How many replicas are started; with 0 the file starts them itself. */
  readonly replicas?: 0 | 1;
  /** The port that the API server is sent to, if it is not that of the only replica. */
  readonly port?: number;
  /** How much later than the API server our view knows of everything. */
  readonly lagMs?: number;
  /** A control plane of its own, where namespaces have fixed names and nothing of other files may be in the view. */
  readonly ownControlPlane?: boolean;
}

export interface Stage {
  readonly cluster: Cluster;
  readonly webhook: Webhook;
  readonly replica: Replica;
  /** A namespace whose writes are judged, by this profile; our view has it when this resolves. */
  namespace(profile?: 'observe' | 'guided' | 'strict'): Promise<string>;
  /** Creates objects without asking us; our view has them when this resolves. */
  given(namespace: string, objects: readonly RawObject[]): Promise<void>;
  /** CoreDNS stands in kube-system as kubeadm installs it. */
  dns(): Promise<void>;
  /** Deletes an object; our view is without it when this resolves. */
  gone(namespace: string, kind: string, name: string): Promise<void>;
  /** `kubectl apply` of one object as a person does it. */
  apply(namespace: string, object: RawObject, flags?: readonly string[]): Promise<KubectlResult>;
}

export const configurationOf = (settings: RawObject = {}): RawObject => ({
  apiVersion: 'portcullis.dev/v1',
  namespaceProfiles: 'any',
  ...settings,
});

/**
 * For files that count what is found in the whole cluster: the API server reaches us by a Service with `externalName`
 * `localhost` (webhook.ts), of which a rule would speak.
 */
export const withoutOurWay: RawObject = {
  'service-external-name-loopback-or-metadata': { overrides: [{ namespaces: ['portcullis'], mode: 'off' }] },
};

/** To be called within `describe`: sets up before its tests and ends everything after them. */
export function useStage(options: StageOptions): Stage {
  const { purpose, configuration = configurationOf(), user = 'portcullis', replicas = 1, port, lagMs, ownControlPlane = false } = options;
  let between: Balancer | undefined;
  let plane: ControlPlane | undefined;
  let cluster: Cluster | undefined;
  let webhook: Webhook | undefined;
  let replica: Replica | undefined;

  beforeAll(async () => {
    if (ownControlPlane) plane = await newControlPlane(console.error);
    cluster = connectCluster(plane?.address);
    webhook = await installWebhook(cluster, { purpose, configuration, ...(port !== undefined && { port }) });
    if (replicas === 0) return;
    if (lagMs !== undefined) {
      between = await startBalancer(await freePort(), { answerDelayMs: lagMs });
      between.setReady([Number(new URL(cluster.address.url).port)]);
    }
    replica = await webhook.startReplica({ user, ...(between && { apiServerPort: between.port }) });
    await untilCalled(stage);
  });
  afterAll(async () => {
    await webhook?.remove();
    await between?.close();
    await cluster?.close();
    await plane?.stop();
  });

  const stage: Stage = {
    get cluster() {
      return present(cluster);
    },
    get webhook() {
      return present(webhook);
    },
    get replica() {
      return present(replica);
    },
    namespace: (profile) =>
      seeing(present(replica), ['Namespace'], () =>
        present(cluster).newNamespace(purpose, { e2e: purpose, ...(profile && { 'portcullis.dev/profile': profile }) }),
      ),
    given: (namespace, objects) =>
      seeing(
        present(replica),
        objects.map(({ kind }) => collectionOfKind(String(kind))),
        async () => {
          for (const object of objects) await create(present(cluster), namespace, object);
        },
      ),
    async dns() {
      const { code, stderr } = await present(cluster).kubectl(['apply', '-f', 'test/e2e/fixtures/dns.yaml']);
      if (code !== 0) throw new Error(stderr);
      await untilViewIsTrue(present(cluster), present(replica));
    },
    async gone(namespace, kind, name) {
      const held = async (): Promise<number> => (await cacheCounts(present(replica))).get(collectionOfKind(kind)) ?? 0;
      const before = await held();
      const { status, body } = await present(cluster).request('DELETE', addressOf(kind, namespace, name));
      if (status !== 200) throw new Error(`${kind} ${name} stays: ${body.message}`);
      await until(`our view is without ${kind} ${name}`, async () => (await held()) < before);
    },
    apply: (namespace, object, flags = []) => present(cluster).kubectl(['apply', '-n', namespace, ...flags, '-f', '-'], { input: object }),
  };
  return stage;
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the stage is set up before the tests, not before that');
  return value;
}

const templates: ReadonlySet<string> = new Set([
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
  'Job',
  'CronJob',
]);
const collectionOfKind = (kind: string): string => (templates.has(kind) ? 'Template' : kind);

/** The role grants what the rules read, so that nothing else is ever in the view. Secrets are in no list. */
const read: ReadonlySet<string> = new Set([...readAlways, ...rules.flatMap(({ meta }) => meta.reads)]);
const isListed = (collection: string): boolean => collection !== 'Secret' && read.has(collection);

/** Does something that adds objects of these collections, and waits until our view has that many more. Nobody else adds any. */
async function seeing<T>(replica: Replica, collections: readonly string[], act: () => Promise<T>): Promise<T> {
  const watched = collections.filter(isListed);
  const before = await cacheCounts(replica);
  const result = await act();
  await until(`our view has ${watched.length} more objects: ${watched.join(', ')}`, async () => {
    const now = await cacheCounts(replica);
    return [...Map.groupBy(watched, (one) => one)].every(([one, all]) => (now.get(one) ?? 0) >= (before.get(one) ?? 0) + all.length);
  });
  return result;
}

/** How many objects the view holds, by collection. */
async function cacheCounts({ healthPort }: Replica): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text();
  const lines = text.matchAll(/^portcullis_cache_objects\{resource="(\w+)"\} (\d+)/gm);
  return new Map([...lines].map(([, resource, count]) => [resource as string, Number(count)]));
}

const listed = [
  'Namespace',
  'Service',
  'Ingress',
  'IngressClass',
  'NetworkPolicy',
  'Certificate',
  'ExternalSecret',
  'SealedSecret',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'APIService',
  'Pod',
  ...templates,
];

/** Waits until our view holds as many objects of each collection as the API server does. */
export async function untilViewIsTrue(cluster: Cluster, replica: Replica): Promise<void> {
  const truth = new Map<string, number>();
  const kinds = listed.filter((one) => isListed(collectionOfKind(one)));
  const lists = await Promise.all(kinds.map(async (kind) => [kind, await itemsOf(cluster, kind)] as const));
  for (const [kind, items] of lists) {
    const collection = collectionOfKind(kind);
    const [apiVersion] = resources[kind] ?? [];
    // What has ended, or stands for nothing of its own, is in no view.
    const inView = items.filter((item) => normalize({ ...item, apiVersion, kind }) !== undefined);
    truth.set(collection, (truth.get(collection) ?? 0) + inView.length);
  }
  const isTrue = async (): Promise<boolean> => {
    const counts = await cacheCounts(replica);
    return [...truth].every(([collection, count]) => counts.get(collection) === count);
  };
  await until(`our view has ${JSON.stringify([...truth])}`, isTrue, { everyMs: 10 });
}

const itemsOf = async (cluster: Cluster, kind: string): Promise<readonly RawObject[]> =>
  (await cluster.request('GET', addressOf(kind, ''))).body.items ?? [];

const resources: Readonly<Record<string, readonly [apiVersion: string, resource: string]>> = {
  Namespace: ['v1', 'namespaces'],
  Pod: ['v1', 'pods'],
  Service: ['v1', 'services'],
  Secret: ['v1', 'secrets'],
  ReplicationController: ['v1', 'replicationcontrollers'],
  Deployment: ['apps/v1', 'deployments'],
  StatefulSet: ['apps/v1', 'statefulsets'],
  DaemonSet: ['apps/v1', 'daemonsets'],
  ReplicaSet: ['apps/v1', 'replicasets'],
  Job: ['batch/v1', 'jobs'],
  CronJob: ['batch/v1', 'cronjobs'],
  Ingress: ['networking.k8s.io/v1', 'ingresses'],
  IngressClass: ['networking.k8s.io/v1', 'ingressclasses'],
  NetworkPolicy: ['networking.k8s.io/v1', 'networkpolicies'],
  Certificate: ['cert-manager.io/v1', 'certificates'],
  ExternalSecret: ['external-secrets.io/v1', 'externalsecrets'],
  SealedSecret: ['bitnami.com/v1alpha1', 'sealedsecrets'],
  ValidatingWebhookConfiguration: ['admissionregistration.k8s.io/v1', 'validatingwebhookconfigurations'],
  MutatingWebhookConfiguration: ['admissionregistration.k8s.io/v1', 'mutatingwebhookconfigurations'],
  APIService: ['apiregistration.k8s.io/v1', 'apiservices'],
};

/** The address of an object's kind within a namespace. */
export function addressOf(kind: string, namespace: string, name = ''): string {
  const [apiVersion, resource] = resources[kind] ?? [];
  if (apiVersion === undefined || resource === undefined) throw new Error(`no address for ${kind}`);
  return pathOf(apiVersion, resource, namespace, name);
}

/** By the API itself, without kubectl and without our opinion; throws if it is refused. */
export async function create(cluster: Cluster, namespace: string, object: RawObject): Promise<void> {
  const { status, body } = await cluster.request('POST', addressOf(String(object['kind']), namespace), object, 'unjudged');
  if (status !== 201) throw new Error(`${object['kind']} was refused: ${body.message ?? body}`);
}

/** A new registration takes some milliseconds to reach the API server's admission. */
async function untilCalled(stage: Stage): Promise<void> {
  const namespace = await stage.namespace('strict');
  const path = `${addressOf('Service', namespace)}?dryRun=All`;
  const probe = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'probe' },
    spec: { selector: { app: 'nobody' }, ports: [{ port: 80 }] },
  };
  await until('the API server calls our webhook', async () => {
    const { warnings } = await stage.cluster.request('POST', path, probe);
    return warnings.some((warning) => warning.includes('[service-selector-matches-no-pods]'));
  });
}
