/** The way from the entry over the Service to a ready Pod. */
import { formatLabels, labelsOf, matchesPairs } from '../kube/labels.ts';
import { listed } from '../kube/listed.ts';
import { numberAt, objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { Labels, RawObject } from '../kube/resources.ts';
import { graveness, ourEntries } from './entries.ts';
import { containersOf, deploymentOf, type Facts, isReady, labelsIn, listOf, nameOf, podsOf, seenIn, templateLabels } from './facts.ts';
import { type Check, kubectlHere, type Problem, patch } from './problem.ts';
import { reinstall } from './reinstall.ts';

const breaks = (facts: Facts) => ({ severity: graveness(facts), stopsCalls: true }) as const;

const specOf = (service: RawObject): RawObject => objectAt(service, 'spec');
const selectorOf = (service: RawObject): Labels => labelsOf(specOf(service)['selector']);

export const serviceIsThere: Check = {
  id: 'service',
  holds: 'The Service that the entries name exists',
  *look(facts) {
    if (facts.service.state !== 'absent') return;
    yield {
      ...breaks(facts),
      what: `there is no Service ${facts.namespace}/${facts.serviceName}, to which the API server sends its calls`,
      evidence: [],
      repair: 'create it again',
      commands: [reinstall(facts, 'deploy/')],
    };
  },
};

export const serviceHasPort: Check = {
  id: 'service-port',
  holds: 'The Service has the port that the entries name',
  *look(facts) {
    const service = seenIn(facts.service);
    if (service === undefined || specOf(service)['type'] === 'ExternalName') return;
    const ports = objectsAt(specOf(service), 'ports').map((port) => numberAt(port, 'port'));
    const wrong = ourEntries(facts).filter((entry) => entry.service && !ports.includes(entry.service.port));
    const [first] = wrong;
    if (first?.service === undefined) return;
    const { port } = first.service;
    const set = (content: unknown): string =>
      kubectlHere(facts, 'patch', 'service', facts.serviceName, '--type=json', '-p', JSON.stringify([content]));
    yield {
      ...breaks(facts),
      what: `Service ${facts.serviceName} has no port ${port}, which ${listed(wrong.map(({ name }) => name))} ${wrong.length === 1 ? 'names' : 'name'}`,
      evidence: [`its ports: ${ports.join(', ')}`],
      repair: 'give it that port',
      commands: [
        ports.length === 1
          ? set({ op: 'replace', path: '/spec/ports/0/port', value: port })
          : set({ op: 'add', path: '/spec/ports/-', value: { name: 'webhook', port, targetPort: 'webhook' } }),
      ],
    };
  },
};

export const serviceSelectsPods: Check = {
  id: 'service-selector',
  holds: 'The selector of the Service matches the Pods of the Deployment',
  *look(facts) {
    const [service, deployment] = [seenIn(facts.service), deploymentOf(facts)];
    if (service === undefined || deployment === undefined || specOf(service)['type'] === 'ExternalName') return;
    const [selector, labels] = [selectorOf(service), templateLabels(deployment)];
    if (Object.keys(selector).length > 0 && matchesPairs(selector, labels)) return;
    const wrong = Object.keys(selector).filter((key) => selector[key] !== labels[key]);
    const right = objectAt(objectAt(objectAt(deployment, 'spec'), 'selector'), 'matchLabels');
    yield {
      ...breaks(facts),
      what: `Service ${facts.serviceName} selects no Pod of Deployment ${nameOf(deployment)}`,
      evidence: [`selector: ${formatLabels(selector) || 'none'}`, `labels of the Pods: ${formatLabels(labels)}`],
      repair: 'select them by the labels by which the Deployment does',
      commands: [
        kubectlHere(
          facts,
          'patch',
          'service',
          facts.serviceName,
          '-p',
          patch({ spec: { selector: { ...Object.fromEntries(wrong.map((key) => [key, null])), ...right } } }),
        ),
      ],
    };
  },
};

interface Target {
  readonly port: number;
  readonly targetPort: number | string;
}

/** Where the port that the entries name leads. */
function targetOf(facts: Facts, service: RawObject): Target | undefined {
  const wanted = ourEntries(facts).flatMap((entry) => entry.service?.port ?? [])[0] ?? 443;
  const port = objectsAt(specOf(service), 'ports').find((one) => numberAt(one, 'port') === wanted);
  return port && { port: wanted, targetPort: stringAt(port, 'targetPort') ?? numberAt(port, 'targetPort') ?? wanted };
}

const declaredPorts = (deployment: RawObject): readonly RawObject[] =>
  containersOf(deployment).flatMap((container) => objectsAt(container, 'ports'));

export const serviceLeadsToPort: Check = {
  id: 'target-port',
  holds: 'That port leads to the port on which the Pods answer',
  *look(facts) {
    const [service, deployment] = [seenIn(facts.service), deploymentOf(facts)];
    const target = service && targetOf(facts, service);
    if (service === undefined || deployment === undefined || target === undefined || specOf(service)['type'] === 'ExternalName') return;
    const ports = declaredPorts(deployment);
    const webhook = ports.find((port) => port['name'] === 'webhook') ?? ports[0];
    const led = ports.find((port) => port['name'] === target.targetPort || port['containerPort'] === target.targetPort);
    if (webhook === undefined || led === webhook) return;
    const right = stringAt(webhook, 'name') ?? numberAt(webhook, 'containerPort');
    yield {
      ...breaks(facts),
      what: `port ${target.port} of Service ${facts.serviceName} leads to ${target.targetPort}, where no review is answered`,
      evidence: [
        `ports of the Pods: ${ports.map((port) => `${stringAt(port, 'name') ?? 'unnamed'} ${String(port['containerPort'])}`).join(', ')}`,
      ],
      repair: `lead it to ${right}`,
      commands: [
        kubectlHere(
          facts,
          'patch',
          'service',
          facts.serviceName,
          '-p',
          patch({ spec: { ports: [{ port: target.port, targetPort: right }] } }),
        ),
      ],
    };
  },
};

export const endpointsFollow: Check = {
  id: 'endpoints',
  holds: 'The EndpointSlices of the Service hold its ready Pods',
  *look(facts) {
    const service = seenIn(facts.service);
    if (service === undefined || facts.endpointSlices.state !== 'seen') return;
    const selector = selectorOf(service);
    const ready = podsOf(facts).filter((pod) => isReady(pod) && Object.keys(selector).length > 0 && matchesPairs(selector, labelsIn(pod)));
    const endpoints = listOf(facts.endpointSlices).flatMap((slice) => objectsAt(slice, 'endpoints'));
    if (ready.length === 0 || endpoints.some((one) => objectAt(one, 'conditions')['ready'] !== false)) return;
    yield notFollowing(facts, ready.map(nameOf), endpoints.length);
  },
};

const notFollowing = (facts: Facts, ready: readonly string[], endpoints: number): Problem => ({
  ...breaks(facts),
  what: `Service ${facts.serviceName} has no ready endpoint, though ${listed(ready)} ${ready.length === 1 ? 'is' : 'are'} ready`,
  evidence: [`${endpoints} endpoints in its EndpointSlices: does the controller manager run?`],
  repair: 'look at what writes them; deleting the slices has them written anew',
  commands: [kubectlHere(facts, 'delete', 'endpointslices', '-l', `kubernetes.io/service-name=${facts.serviceName}`)],
});
