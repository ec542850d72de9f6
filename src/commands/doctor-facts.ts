/** Reads what `doctor` judges: everything that the operator may read of one installation, and nothing of a Secret but certificates. */
import type { KubeClient } from '../client/kube-client.ts';
import { entriesOf } from '../doctor/entries.ts';
import {
  type ApiServerFacts,
  argumentOf,
  type CounterFacts,
  containersOf,
  deploymentOf,
  type Facts,
  isReady,
  listOf,
  nameOf,
  podsOf,
  type Seen,
  seenIn,
} from '../doctor/facts.ts';
import { addressOf } from '../kube/address.ts';
import { numberAt, objectAt, objectsAt, stringAt, stringsAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { bundlesOf, servedCertificate } from './certificate-facts.ts';
import { clusterRoleOf, roleBindingsOf } from './doctor-bindings.ts';
import { rightsOf } from './doctor-rights.ts';
import { configurationIn } from './read-configuration.ts';
import { Eyes, map } from './seen.ts';

export interface Place {
  /** `kubectl`, with the flags that lead to the cluster. */
  readonly kubectl: string;
  readonly configuration: string;
  readonly namespace: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

const registrations = addressOf('admissionregistration.k8s.io/v1', 'validatingwebhookconfigurations');

/** Rejects with an OperatorError if the credentials cannot be used; whatever else fails is a fact. */
export async function readFacts(client: KubeClient, { kubectl, configuration, namespace: asked, now }: Place): Promise<Facts> {
  const eyes = new Eyes(client);
  const registration = await eyes.one(`${registrations}/${encodeURIComponent(configuration)}`);
  const service = entriesOf(seenIn(registration) ?? {}).find((entry) => entry.service !== undefined)?.service;
  const namespace = service?.namespace ?? asked;
  const serviceName = service?.name ?? configuration;
  const objects = await objectsOf(eyes, namespace, serviceName);
  const first = { now, kubectl, configuration, namespace, serviceName, registration, ...objects, ...nothingYet };
  const deployment = deploymentOf(first);
  const names = namesFrom(deployment, first.serviceAccount);
  const [certificate, lease, rest] = await Promise.all([
    certificateOf(eyes, namespace, names, first),
    names.leaseName === undefined ? absent : eyes.one(addressOf('coordination.k8s.io/v1', 'leases', namespace, names.leaseName)),
    surroundings(eyes, { ...first, ...names }),
  ]);
  return { ...first, ...names, bundles: bundlesOf(seenIn(registration) ?? {}), certificate, lease, ...rest };
}

const absent: Seen<never> = { state: 'absent' };

const nothingYet = {
  serviceAccount: 'portcullis',
  leaseName: undefined,
  secretName: undefined,
  keepsSecret: false,
  bundles: new Map(),
  readiness: new Map(),
  certificate: absent,
  lease: absent,
  rights: absent,
  clusterRole: absent,
  apiServer: absent,
  file: absent,
  counters: absent,
  trial: absent,
} as const;

/** What lies in our namespace, and what is the cluster's. */
async function objectsOf(eyes: Eyes, namespace: string, serviceName: string) {
  const here = (apiVersion: string, resource: string) => eyes.list(addressOf(apiVersion, resource, namespace));
  const [others, service, slices, deployments, pods, budgets, policies, namespaces, events] = await Promise.all([
    eyes.list(registrations),
    eyes.one(addressOf('v1', 'services', namespace, serviceName)),
    here('discovery.k8s.io/v1', 'endpointslices'),
    here('apps/v1', 'deployments'),
    here('v1', 'pods'),
    here('policy/v1', 'poddisruptionbudgets'),
    here('networking.k8s.io/v1', 'networkpolicies'),
    eyes.list(addressOf('v1', 'namespaces')),
    here('v1', 'events'),
  ]);
  const isOfService = (slice: RawObject): boolean =>
    objectAt(objectAt(slice, 'metadata'), 'labels')['kubernetes.io/service-name'] === serviceName;
  const endpointSlices = map(slices, (all) => all.filter(isOfService));
  return { otherRegistrations: others, service, endpointSlices, deployments, pods, budgets, policies, namespaces, events };
}

type Names = Pick<Facts, 'serviceAccount' | 'leaseName' | 'secretName' | 'keepsSecret'>;

/** What the Deployment's Pods are told: their flags are the only place where these names stand. */
function namesFrom(deployment: RawObject | undefined, serviceAccount: string): Names {
  const pod = objectAt(objectAt(objectAt(deployment ?? {}, 'spec'), 'template'), 'spec');
  const kept = argumentOf(deployment, '--tls-secret');
  return {
    serviceAccount: stringAt(pod, 'serviceAccountName') ?? serviceAccount,
    leaseName: argumentOf(deployment, '--lease'),
    keepsSecret: kept !== undefined,
    secretName: kept ?? mountedSecret(deployment, pod),
  };
}

/** The Secret of the volume that holds `--tls-cert`. */
function mountedSecret(deployment: RawObject | undefined, pod: RawObject): string | undefined {
  const file = argumentOf(deployment, '--tls-cert');
  const mounts = deployment === undefined ? [] : containersOf(deployment).flatMap((container) => objectsAt(container, 'volumeMounts'));
  const mount = mounts.find((one) => file?.startsWith(`${stringAt(one, 'mountPath') ?? '?'}/`));
  const volume = objectsAt(pod, 'volumes').find((one) => one['name'] === mount?.['name']);
  return stringAt(objectAt(volume ?? {}, 'secret'), 'secretName');
}

async function certificateOf(
  eyes: Eyes,
  namespace: string,
  { secretName, keepsSecret }: Names,
  { registration, now }: Pick<Facts, 'registration' | 'now'>,
): Promise<Facts['certificate']> {
  if (secretName === undefined) return { state: 'unseen', why: 'no Deployment says which Secret it stands in' };
  const secret = await eyes.one(addressOf('v1', 'secrets', namespace, secretName));
  return map(secret, (one) => servedCertificate({ secret: one, keepsAuthority: keepsSecret }, seenIn(registration) ?? {}, now));
}

type Surroundings = Pick<
  Facts,
  'otherRegistrations' | 'readiness' | 'rights' | 'clusterRole' | 'apiServer' | 'file' | 'counters' | 'trial'
>;

async function surroundings(eyes: Eyes, facts: Facts): Promise<Surroundings> {
  const { configuration, otherRegistrations } = facts;
  const [text, roleBindings] = await Promise.all([configurationText(eyes, facts), roleBindingsOf(eyes)]);
  const [readiness, rights, clusterRole, apiServer, counters, trial] = await Promise.all([
    readinessOf(eyes, facts),
    rightsOf(eyes, facts, { text, roleBindings }),
    clusterRoleOf(eyes, facts, roleBindings),
    apiServerOf(eyes),
    countersOf(eyes, facts),
    trialOf(eyes, facts),
  ]);
  const others = map(otherRegistrations, (all) => all.filter((one) => nameOf(one) !== configuration));
  return { otherRegistrations: others, readiness, rights, clusterRole, apiServer, file: fileOf(text), counters, trial };
}

/** The configuration file, from the ConfigMap that the Deployment mounts where `--config` leads. */
async function configurationText(eyes: Eyes, facts: Facts): Promise<Seen<string>> {
  const deployment = deploymentOf(facts);
  const file = argumentOf(deployment, '--config');
  if (deployment === undefined || file === undefined) return absent;
  const mounts = containersOf(deployment).flatMap((container) => objectsAt(container, 'volumeMounts'));
  const mount = mounts.find((one) => file.startsWith(`${stringAt(one, 'mountPath') ?? '?'}/`));
  const volumes = objectsAt(objectAt(objectAt(objectAt(deployment, 'spec'), 'template'), 'spec'), 'volumes');
  const name = stringAt(objectAt(volumes.find((one) => one['name'] === mount?.['name']) ?? {}, 'configMap'), 'name');
  if (name === undefined) return { state: 'unseen', why: `no ConfigMap is mounted where ${file} stands` };
  const configMap = await eyes.one(addressOf('v1', 'configmaps', facts.namespace, name));
  const key = file.slice(file.lastIndexOf('/') + 1);
  return map(configMap, (one) => stringAt(objectAt(one, 'data'), key) ?? '');
}

const fileOf = (text: Seen<string>): Facts['file'] =>
  map(text, (content) => {
    try {
      const { profile, namespaceProfiles } = configurationIn('the ConfigMap', content);
      return { profile, namespaceProfiles };
    } catch (error) {
      return { problem: (error as Error).message };
    }
  });

/** What Pods that are not ready say, by way of the API server, where that is allowed and the Pod can be reached. */
async function readinessOf(eyes: Eyes, facts: Facts): Promise<Facts['readiness']> {
  const waiting = podsOf(facts).filter((pod) => !isReady(pod) && objectAt(pod, 'status')['phase'] === 'Running');
  const answers = await Promise.all(
    waiting.slice(0, 3).map(async (pod) => {
      const answer = await eyes.one(`${addressOf('v1', 'pods', facts.namespace, `${nameOf(pod)}:8081`)}/proxy/readyz`);
      return answer.state === 'unseen' && answer.why.includes('not ready: ') ? ([[nameOf(pod), answer.why]] as const) : [];
    }),
  );
  return new Map(answers.flat());
}

const apiServerFlag = '--enable-aggregator-routing=true';

async function apiServerOf(eyes: Eyes): Promise<Seen<ApiServerFacts>> {
  const [slices, service, pods] = await Promise.all([
    eyes.one(addressOf('discovery.k8s.io/v1', 'endpointslices', 'default', 'kubernetes')),
    eyes.one(addressOf('v1', 'services', 'default', 'kubernetes')),
    eyes.list(addressOf('v1', 'pods', 'kube-system')),
  ]);
  const servers = listOf(pods).filter((pod) => objectAt(objectAt(pod, 'metadata'), 'labels')['component'] === 'kube-apiserver');
  const words = servers.flatMap((pod) => objectsAt(objectAt(pod, 'spec'), 'containers').flatMap((one) => stringsAt(one, 'command')));
  if (slices.state === 'absent') return { state: 'unseen', why: 'default/kubernetes has no EndpointSlice' };
  return map(slices, (slice) => ({
    addresses: objectsAt(slice, 'endpoints').flatMap((one) => stringsAt(one, 'addresses')),
    port: numberAt(objectsAt(slice, 'ports')[0] ?? {}, 'port') ?? 443,
    serviceAddresses: stringsAt(objectAt(seenIn(service) ?? {}, 'spec'), 'clusterIPs'),
    ...(words.length > 0 && { routesToPods: words.includes(apiServerFlag) }),
  }));
}

const metricNames = /^apiserver_admission_webhook_(fail_open_count|rejection_count)\{(.*)\} (\d+)/;

async function countersOf(eyes: Eyes, { registration }: Facts): Promise<Facts['counters']> {
  const names = entriesOf(seenIn(registration) ?? {}).map(({ name }) => name);
  const lines = await eyes.lines('/metrics', (line) => metricNames.test(line));
  return map(lines, (all): readonly CounterFacts[] => {
    const sum = (metric: string, entry: string, label: string): number =>
      all
        .flatMap((line) => [metricNames.exec(line) ?? []])
        .filter(([, name, labels]) => name === metric && labels?.includes(`name="${entry}"`) && labels.includes(label))
        .reduce((total, [, , , count]) => total + Number(count), 0);
    return names.map((entry) => ({
      entry,
      failedOpen: sum('fail_open_count', entry, ''),
      failedClosed: sum('rejection_count', entry, 'error_type="calling_webhook_error"'),
    }));
  });
}

/** Only where an entry is `Fail` does an answer tell: under `Ignore` a write passes either way. */
async function trialOf(eyes: Eyes, { registration }: Facts): Promise<Facts['trial']> {
  const entries = entriesOf(seenIn(registration) ?? {});
  if (!entries.some(({ failsClosed }) => failsClosed)) return absent;
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { generateName: 'portcullis-doctor-' }, spec: { ports: [{ port: 80 }] } };
  const answer = await eyes.post(`${addressOf('v1', 'services', 'default')}?dryRun=All`, service);
  if (answer.state !== 'unseen') return { state: 'seen', value: '' };
  // What else may refuse the write, such as the operator's rights or somebody else's webhook, says nothing of us.
  const isOurs = entries.some(({ name }) => answer.why.includes(`failed calling webhook "${name}"`));
  return isOurs ? { state: 'seen', value: answer.why } : answer;
}
