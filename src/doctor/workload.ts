/** The Deployment: does it ask for Pods, does it get them, and may nodes be drained beside it? */
import { matchesSelector } from '../kube/labels.ts';
import { selectorOf } from '../kube/normalize-networking.ts';
import { numberAt, objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { restart } from './ca-bundle.ts';
import { graveness } from './entries.ts';
import {
  annotationsIn,
  containersOf,
  deploymentOf,
  type Facts,
  isReady,
  listOf,
  nameOf,
  nobodyIsReady,
  podsOf,
  templateLabels,
} from './facts.ts';
import { type Check, type Commands, kubectlHere, type Problem, patch } from './problem.ts';
import { reinstall } from './reinstall.ts';

/** A Pod that does not answer is a nuisance while others do. */
export const severityHere = (facts: Facts) =>
  nobodyIsReady(facts) ? ({ severity: graveness(facts), stopsCalls: true } as const) : ({ severity: 'medium' } as const);

export const deploymentName = (facts: Facts): string => {
  const deployment = deploymentOf(facts);
  return deployment === undefined ? facts.serviceName : nameOf(deployment);
};

/** Back to the revision before, where there is one (the annotation is the Deployment controller's). */
export function undo(facts: Facts): Commands {
  const revision = Number(annotationsIn(deploymentOf(facts) ?? {})['deployment.kubernetes.io/revision'] ?? 0);
  return revision > 1 ? [kubectlHere(facts, 'rollout', 'undo', `deployment/${deploymentName(facts)}`)] : [];
}

const replicasOf = (deployment: RawObject): number => numberAt(objectAt(deployment, 'spec'), 'replicas') ?? 1;

export const deploymentIsThere: Check = {
  id: 'deployment',
  holds: 'The Deployment exists and asks for Pods',
  *look(facts) {
    if (facts.deployments.state !== 'seen') return;
    const deployment = deploymentOf(facts);
    if (deployment === undefined && podsOf(facts).some(isReady)) return;
    if (deployment === undefined)
      yield {
        ...severityHere(facts),
        what: `there is no Deployment of ours in namespace ${facts.namespace}`,
        evidence: [`Deployments there: ${listOf(facts.deployments).map(nameOf).join(', ') || 'none'}`],
        repair: 'create it again',
        commands: [reinstall(facts, 'deploy/')],
      };
    else if (replicasOf(deployment) === 0)
      yield {
        ...severityHere(facts),
        what: `Deployment ${nameOf(deployment)} is scaled to nothing`,
        evidence: ['spec.replicas: 0'],
        repair: 'scale it up',
        commands: [kubectlHere(facts, 'scale', `deployment/${nameOf(deployment)}`, '--replicas=2')],
      };
  },
};

export const podsExist: Check = {
  id: 'pods',
  holds: 'The Deployment has its Pods',
  *look(facts) {
    const deployment = deploymentOf(facts);
    if (facts.pods.state !== 'seen' || deployment === undefined) return;
    const wanted = replicasOf(deployment);
    const there = podsOf(facts).length;
    if (wanted === 0 || there > 0) return;
    const conditions = objectsAt(objectAt(deployment, 'status'), 'conditions').filter((one) => one['type'] === 'ReplicaFailure');
    yield {
      ...severityHere(facts),
      what: `Deployment ${nameOf(deployment)} asks for ${wanted} Pods and there is none`,
      evidence:
        conditions.length > 0
          ? conditions.map((one) => stringAt(one, 'message') ?? '')
          : ['does the controller manager run, and does a quota or another webhook refuse them?'],
      repair: 'see why they are not made',
      commands: [kubectlHere(facts, 'get', 'events', '--field-selector=type=Warning'), restart(facts)],
    };
  },
};

export const budgetLetsNodesGo: Check = {
  id: 'disruption-budget',
  holds: 'A PodDisruptionBudget keeps one Pod, and lets the others go',
  *look(facts) {
    const deployment = deploymentOf(facts);
    if (deployment === undefined || facts.budgets.state !== 'seen' || replicasOf(deployment) < 2) return;
    const ours = listOf(facts.budgets).filter((budget) =>
      matchesSelector(selectorOf(objectAt(objectAt(budget, 'spec'), 'selector')), templateLabels(deployment)),
    );
    if (ours.length === 0) yield withoutBudget(facts);
    for (const budget of ours) yield* tooTight(facts, budget, replicasOf(deployment));
  },
};

const withoutBudget = (facts: Facts): Problem => ({
  severity: 'low',
  what: 'no PodDisruptionBudget keeps a Pod while nodes are drained',
  evidence: ['all Pods may be evicted at once'],
  repair: 'create it again',
  commands: [reinstall(facts, 'deploy/')],
});

function* tooTight(facts: Facts, budget: RawObject, replicas: number): Generator<Problem> {
  const { minAvailable, maxUnavailable } = objectAt(budget, 'spec');
  const isTight =
    maxUnavailable === 0 ||
    maxUnavailable === '0%' ||
    minAvailable === '100%' ||
    (typeof minAvailable === 'number' && minAvailable >= replicas);
  if (!isTight) return;
  yield {
    severity: 'medium',
    what: `PodDisruptionBudget ${nameOf(budget)} lets no Pod go, so no node with one of them can be drained`,
    evidence: [
      minAvailable === undefined
        ? `maxUnavailable: ${JSON.stringify(maxUnavailable)}`
        : `minAvailable: ${JSON.stringify(minAvailable)} of ${replicas}`,
    ],
    repair: 'keep one',
    commands: [
      kubectlHere(
        facts,
        'patch',
        'poddisruptionbudget',
        nameOf(budget),
        '--type=merge',
        '-p',
        patch({ spec: { minAvailable: 1, maxUnavailable: null } }),
      ),
    ],
  };
}

export const runsBesideItself: Check = {
  id: 'replicas',
  holds: 'Where an entry is `Fail`, more than one Pod answers',
  *look(facts) {
    const deployment = deploymentOf(facts);
    if (deployment === undefined || graveness(facts) !== 'critical' || replicasOf(deployment) !== 1) return;
    yield {
      severity: 'medium',
      what: 'one Pod answers for the whole cluster: each restart refuses writes',
      evidence: ['spec.replicas: 1, and an entry is Fail'],
      repair: 'scale it up',
      commands: [kubectlHere(facts, 'scale', `deployment/${nameOf(deployment)}`, '--replicas=3')],
    };
  },
};

export const hasOneImage: Check = {
  id: 'rollout',
  holds: 'The rollout is finished',
  *look(facts) {
    const deployment = deploymentOf(facts);
    const progressing = objectsAt(objectAt(deployment ?? {}, 'status'), 'conditions').find((one) => one['type'] === 'Progressing');
    if (deployment === undefined || progressing?.['reason'] !== 'ProgressDeadlineExceeded') return;
    const back = undo(facts);
    yield {
      severity: 'medium',
      what: `the rollout of Deployment ${nameOf(deployment)} does not get on`,
      evidence: [
        stringAt(progressing, 'message') ?? '',
        `image: ${containersOf(deployment)
          .map((one) => stringAt(one, 'image') ?? '')
          .join(', ')}`,
      ],
      repair: back.length > 0 ? 'go back to the revision before' : 'see what holds it up',
      commands: back.length > 0 ? back : [kubectlHere(facts, 'rollout', 'status', `deployment/${nameOf(deployment)}`, '--timeout=5s')],
    };
  },
};
