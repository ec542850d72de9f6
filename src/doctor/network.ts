/** Do NetworkPolicies let the API server reach us, and us the API server? */
import { ClusterSnapshot } from '../cluster/snapshot.ts';
import { type Doubt, type Flow, flow, type Verdict } from '../cluster/traffic/flow.ts';
import { listed } from '../kube/listed.ts';
import { normalize } from '../kube/normalize.ts';
import { numberAt, objectsAt } from '../kube/read.ts';
import type { RawObject, Workload } from '../kube/resources.ts';
import { graveness } from './entries.ts';
import { type ApiServerFacts, containersOf, deploymentOf, type Facts, listOf, seenIn, templateLabels } from './facts.ts';
import { type Check, type Problem, word } from './problem.ts';

/** The API server as a Pod of its node, which is what a policy can know of it: no label, an address. */
const apiServerPod = ({ addresses, port }: ApiServerFacts): RawObject => ({
  metadata: { namespace: 'kube-system', name: 'kube-apiserver' },
  spec: { hostNetwork: true, nodeName: 'a', containers: [{ name: 'kube-apiserver', ports: [{ containerPort: port }] }] },
  status: { podIPs: addresses.map((ip) => ({ ip })) },
});

interface Ends {
  readonly view: ClusterSnapshot;
  readonly ours: Workload;
  readonly apiServer: Workload;
}

/** Undefined if something of it could not be looked at: a policy whose other end is unknown cuts nothing for certain. */
function endsOf(facts: Facts): Ends | undefined {
  const [deployment, apiServer] = [deploymentOf(facts), seenIn(facts.apiServer)];
  if (deployment === undefined || apiServer === undefined || facts.policies.state !== 'seen') return undefined;
  const view = ClusterSnapshot.empty({ observedAt: facts.now, coverage: () => 'complete' }).with([
    ...resourcesOf('apps/v1', 'Deployment', [deployment]),
    ...resourcesOf('v1', 'Pod', [apiServerPod(apiServer)]),
    ...resourcesOf('networking.k8s.io/v1', 'NetworkPolicy', listOf(facts.policies)),
    ...resourcesOf('v1', 'Namespace', listOf(facts.namespaces)),
  ]);
  const [ours] = view.workloads(facts.namespace);
  const [pod] = view.workloads('kube-system');
  return ours && pod && { view, ours, apiServer: pod };
}

/** Items of a list carry no kind. */
const resourcesOf = (apiVersion: string, kind: string, objects: readonly RawObject[]) =>
  objects.flatMap((object) => normalize({ ...object, apiVersion, kind }) ?? []);

/** What comes from the node of a Pod always gets through, but the API server is rarely on the node of each of our Pods. */
const isCut = ({ answer, doubts }: Pick<Verdict, 'answer' | 'doubts'>): boolean =>
  answer === 'denied' || (answer === 'depends' && doubts.every((doubt: Doubt) => doubt === 'sameNode'));

/** On which port reviews are answered. */
const webhookPort = (facts: Facts): number => {
  const ports = containersOf(deploymentOf(facts) ?? {}).flatMap((container) => objectsAt(container, 'ports'));
  return numberAt(ports.find((port) => port['name'] === 'webhook') ?? ports[0] ?? {}, 'containerPort') ?? 10250;
};

export const apiServerReachesUs: Check = {
  id: 'policy-to-webhook',
  holds: 'No NetworkPolicy keeps the API server from the port of the webhook',
  *look(facts) {
    const ends = endsOf(facts);
    if (ends === undefined) return;
    const port = webhookPort(facts);
    const { ingress } = flow(ends.view, ends.apiServer, { workload: ends.ours, protocol: 'TCP', port, serviceAddresses: [] });
    if (!isCut(ingress)) return;
    yield cutProblem(facts, {
      what: `NetworkPolicies keep the API server from port ${port} of our Pods`,
      by: ingress,
      name: 'allow-api-server-to-webhook',
      spec: { policyTypes: ['Ingress'], ingress: [{ ports: [{ protocol: 'TCP', port }] }] },
    });
  },
};

export const weReachApiServer: Check = {
  id: 'policy-to-api-server',
  holds: 'No NetworkPolicy keeps our Pods from the API server',
  *look(facts) {
    const [ends, apiServer] = [endsOf(facts), seenIn(facts.apiServer)];
    if (ends === undefined || apiServer === undefined) return;
    // Plugins judge the address and port before or after the Service's translation: cut is what both ways cut.
    const flows = [apiServer.port, 443].map(
      (port): Flow =>
        flow(ends.view, ends.ours, { workload: ends.apiServer, protocol: 'TCP', port, serviceAddresses: apiServer.serviceAddresses }),
    );
    if (!flows.every(({ egress }) => isCut(egress))) return;
    const ports = [...new Set([apiServer.port, 443])].map((port) => ({ protocol: 'TCP', port }));
    yield cutProblem(facts, {
      what: 'NetworkPolicies keep our Pods from the API server, so what they know of the cluster grows old',
      by: (flows[0] as Flow).egress,
      name: 'allow-webhook-to-api-server',
      spec: { policyTypes: ['Egress'], egress: [{ ports }] },
    });
  },
};

interface Cut {
  readonly what: string;
  readonly by: Verdict;
  readonly name: string;
  readonly spec: RawObject;
}

/** Policies add up: one more that allows is enough, and takes nothing from those that are there. */
function cutProblem(facts: Facts, { what, by, name, spec }: Cut): Problem {
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    // Found, and cleared away, with all that is ours.
    metadata: { name, namespace: facts.namespace, labels: { 'app.kubernetes.io/name': 'portcullis' } },
    spec: { podSelector: { matchLabels: templateLabels(deploymentOf(facts) as RawObject) }, ...spec },
  };
  return {
    severity: graveness(facts),
    what,
    evidence: [
      `isolated by ${listed(by.isolatedBy.map(({ metadata }) => `NetworkPolicy ${metadata.namespace}/${metadata.name}`))}, of which none allows it`,
      `addresses of the API server: ${seenIn(facts.apiServer)?.addresses.join(', ') || 'unknown'}`,
    ],
    repair: 'allow it by one more policy; policies add up',
    commands: [`echo ${word(JSON.stringify(policy))} | ${facts.kubectl} apply -f -`],
    stopsCalls: spec['ingress'] !== undefined,
  };
}
