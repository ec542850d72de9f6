import { listed } from '../kube/listed.ts';
import { numberAt, objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { restart } from './ca-bundle.ts';
import { type Facts, isReady, nameOf, podsOf } from './facts.ts';
import { type Check, kubectlHere } from './problem.ts';
import { deploymentName, severityHere, undo } from './workload.ts';

/** A container of a Pod that is not ready, and what its kubelet says of it. */
interface Ailing {
  readonly pod: string;
  readonly container: string;
  readonly image: string;
  readonly reason: string;
  readonly message: string;
  readonly restarts: number;
}

const ailing = (facts: Facts): readonly Ailing[] =>
  podsOf(facts)
    .filter((pod) => !isReady(pod))
    .flatMap((pod) => {
      const status = objectAt(pod, 'status');
      return [...objectsAt(status, 'initContainerStatuses'), ...objectsAt(status, 'containerStatuses')].map((container) => {
        const [state, last] = [objectAt(container, 'state'), objectAt(objectAt(container, 'lastState'), 'terminated')];
        const now = [objectAt(state, 'waiting'), objectAt(state, 'terminated')].find((one) => stringAt(one, 'reason') !== undefined);
        // A crash loop is told by how it ended last: OOMKilled, Error.
        const isLoop = now !== undefined && now['reason'] === 'CrashLoopBackOff';
        return {
          pod: nameOf(pod),
          container: stringAt(container, 'name') ?? '',
          image: stringAt(container, 'image') ?? '',
          reason: (isLoop ? stringAt(last, 'reason') : undefined) ?? stringAt(now ?? {}, 'reason') ?? '',
          message: stringAt(isLoop ? last : (now ?? {}), 'message') ?? stringAt(now ?? {}, 'message') ?? '',
          restarts: numberAt(container, 'restartCount') ?? 0,
        };
      });
    });

const told = ({ pod, container, reason, message, restarts }: Ailing): string =>
  `Pod ${pod}, container ${container}: ${reason}${message === '' ? '' : `: ${message}`}${restarts === 0 ? '' : ` (${restarts} restarts)`}`;

const pullErrors: ReadonlySet<string> = new Set([
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
]);

export const imageIsPulled: Check = {
  id: 'image',
  holds: 'The nodes get the image',
  *look(facts) {
    const found = ailing(facts).filter(({ reason }) => pullErrors.has(reason));
    const [first] = found;
    if (first === undefined) return;
    const back = undo(facts);
    yield {
      ...severityHere(facts),
      what: `the image ${first.image} cannot be pulled`,
      evidence: found.slice(0, 3).map(told),
      repair:
        back.length > 0
          ? 'go back to the revision before'
          : `push the image to where the nodes find it, or name another one (kubectl set image); then have it tried again at once`,
      commands: back.length > 0 ? back : [restart(facts)],
    };
  },
};

export const podsKeepRunning: Check = {
  id: 'crashes',
  holds: 'The containers keep running',
  *look(facts) {
    const found = ailing(facts).filter(({ reason }) =>
      [
        'Error',
        'OOMKilled',
        'CrashLoopBackOff',
        'ContainerCannotRun',
        'StartError',
        'RunContainerError',
        'CreateContainerConfigError',
        'CreateContainerError',
      ].includes(reason),
    );
    const [first] = found;
    if (first === undefined) return;
    const deployment = `deployment/${deploymentName(facts)}`;
    const outOfMemory = found.some(({ reason }) => reason === 'OOMKilled');
    const logs = kubectlHere(facts, 'logs', first.pod, '-c', first.container, '--previous', '--tail=20');
    const back = undo(facts);
    yield {
      ...severityHere(facts),
      what: outOfMemory ? 'the Pods are killed since they need more memory than their limit' : `the Pods end: ${first.reason}`,
      evidence: found.slice(0, 3).map(told),
      repair: outOfMemory
        ? 'give them more'
        : back.length > 0
          ? 'read why; go back to the revision before'
          : 'read why; its last line names an error of docs/errors.md',
      commands: outOfMemory
        ? [kubectlHere(facts, 'set', 'resources', deployment, '-c', first.container, '--limits=memory=1Gi')]
        : back.length > 0
          ? [logs, back[0] as string]
          : [logs],
    };
  },
};

export const podsAreScheduled: Check = {
  id: 'scheduling',
  holds: 'Each Pod has a node',
  *look(facts) {
    const waiting = podsOf(facts).flatMap((pod) => {
      const condition = objectsAt(objectAt(pod, 'status'), 'conditions').find((one) => one['type'] === 'PodScheduled');
      return condition?.['status'] === 'False' ? [{ name: nameOf(pod), message: stringAt(condition, 'message') ?? '' }] : [];
    });
    const [first] = waiting;
    if (first === undefined) return;
    yield {
      ...severityHere(facts),
      what: `no node takes ${listed(waiting.map(({ name }) => `Pod ${name}`))}`,
      evidence: waiting.slice(0, 3).map(({ name, message }) => `Pod ${name}: ${message}`),
      repair: 'make room, or let the Pods onto other nodes; the Events say what is lacking',
      commands: [kubectlHere(facts, 'describe', 'pod', first.name)],
    };
  },
};

export const podsAreReady: Check = {
  id: 'readiness',
  holds: 'Pods that run are ready',
  *look(facts) {
    const found = ailing(facts);
    const explained = new Set(
      found.filter(({ reason }) => reason !== '' && reason !== 'ContainerCreating' && reason !== 'PodInitializing').map(({ pod }) => pod),
    );
    const running = podsOf(facts).filter(
      (pod) => !isReady(pod) && objectAt(pod, 'status')['phase'] === 'Running' && !explained.has(nameOf(pod)),
    );
    if (running.length === 0) return;
    const names = running.map(nameOf);
    yield {
      ...severityHere(facts),
      what: `${listed(names.map((name) => `Pod ${name}`))} ${names.length === 1 ? 'runs and is' : 'run and are'} not ready`,
      evidence: running.slice(0, 3).map((pod) => `Pod ${nameOf(pod)}: ${facts.readiness.get(nameOf(pod)) ?? conditionOf(pod)}`),
      repair: 'see what the logs say, and start them anew',
      commands: [kubectlHere(facts, 'logs', names[0] as string, '--tail=20'), restart(facts)],
    };
  },
};

function conditionOf(pod: RawObject): string {
  const condition = objectsAt(objectAt(pod, 'status'), 'conditions').find((one) => one['type'] === 'Ready') ?? {};
  return [stringAt(condition, 'reason'), stringAt(condition, 'message')].filter((text) => text !== undefined).join(': ') || 'not ready';
}

const manyRestarts = 5;

export const podsAreSteady: Check = {
  id: 'restarts',
  holds: 'No container restarts again and again',
  *look(facts) {
    for (const pod of podsOf(facts).filter(isReady)) {
      const restarts = objectsAt(objectAt(pod, 'status'), 'containerStatuses').map((one) => numberAt(one, 'restartCount') ?? 0);
      const most = Math.max(0, ...restarts);
      if (most < manyRestarts) continue;
      const last = objectsAt(objectAt(pod, 'status'), 'containerStatuses').map((one) => objectAt(objectAt(one, 'lastState'), 'terminated'));
      yield {
        severity: 'low',
        what: `Pod ${nameOf(pod)} has restarted ${most} times`,
        evidence: last.flatMap((one) =>
          stringAt(one, 'reason') === undefined
            ? []
            : [`the last time: ${stringAt(one, 'reason')}, at ${stringAt(one, 'finishedAt') ?? '?'}`],
        ),
        repair: 'read why; a new Pod counts from nothing',
        commands: [kubectlHere(facts, 'logs', nameOf(pod), '--previous', '--tail=20'), kubectlHere(facts, 'delete', 'pod', nameOf(pod))],
      };
    }
  },
};
