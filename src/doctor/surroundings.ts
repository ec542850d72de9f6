/** The Lease, the configuration file, namespaces' labels, and what there is to know beside. */

import { nearestWord } from '../cluster/near-miss.ts';
import { profileOf } from '../config/modes.ts';
import { profiles } from '../engine/mode.ts';
import { numberAt, objectAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { restart } from './ca-bundle.ts';
import { matchesNamespace, ourEntries } from './entries.ts';
import { deploymentOf, type Facts, isReady, labelsIn, listOf, nameOf, podsOf, seenIn } from './facts.ts';
import { type Check, kubectl, kubectlHere, type Problem } from './problem.ts';

/** Twice what a Lease is good for: another replica has had its turn by then. */
const staleAfter = 2;

export const leaseIsHeld: Check = {
  id: 'lease',
  holds: 'The Lease is renewed by its holder',
  *look(facts) {
    const lease = seenIn(facts.lease);
    if (lease === undefined || facts.leaseName === undefined || facts.pods.state !== 'seen') return;
    const spec = objectAt(lease, 'spec');
    const holder = stringAt(spec, 'holderIdentity') ?? '';
    const ageS = (facts.now - Date.parse(stringAt(spec, 'renewTime') ?? '')) / 1000;
    const isStale = !(ageS <= (numberAt(spec, 'leaseDurationSeconds') ?? 15) * staleAfter);
    // With nobody ready nobody can hold it, which is said elsewhere. A Lease that nobody holds is new, or just given up.
    if (!isStale || !podsOf(facts).some(isReady) || holder === '') return;
    const isOfLiving = podsOf(facts).some((pod) => holder === nameOf(pod) || holder.startsWith(`${nameOf(pod)}_`));
    yield {
      severity: 'medium',
      what: `Lease ${facts.leaseName} has not been renewed: no replica leads`,
      evidence: [
        `holder: ${holder}, ${isOfLiving ? 'which is there' : 'which is no Pod that is there'}`,
        `renewed ${Number.isFinite(ageS) ? `${Math.round(ageS)} s ago` : 'never'}`,
      ],
      repair: 'take it from its holder, and have the Pods compete for it anew',
      commands: [
        kubectlHere(facts, 'patch', 'lease', facts.leaseName, '--type=merge', '-p', '{"spec":{"holderIdentity":null}}'),
        restart(facts),
      ],
    };
  },
};

export const leaseIsThere: Check = {
  id: 'lease-exists',
  holds: 'The Lease that the Pods are told to use exists',
  *look(facts) {
    const { leaseName } = facts;
    if (facts.lease.state !== 'absent' || leaseName === undefined) return;
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: leaseName, namespace: facts.namespace } };
    yield {
      severity: 'medium',
      what: `there is no Lease ${leaseName}, so no replica can lead: they may not create it`,
      evidence: [],
      repair: 'create it empty',
      commands: [`echo '${JSON.stringify(lease)}' | ${facts.kubectl} apply -f -`],
    };
  },
};

export const fileIsValid: Check = {
  id: 'configuration-file',
  holds: 'The configuration file in the ConfigMap is valid',
  *look(facts) {
    const file = seenIn(facts.file);
    if (file?.problem === undefined) return;
    yield {
      severity: 'medium',
      what: 'the configuration file cannot be used: the last good one stays in effect, and a new Pod does not start',
      evidence: file.problem.split('\n'),
      repair: 'correct it; docs/configuration.md lists every key',
      commands: [kubectlHere(facts, 'edit', 'configmap', facts.serviceName)],
    };
  },
};

const profileLabel = 'portcullis.dev/profile';

export const profileLabelsWork: Check = {
  id: 'profile-labels',
  holds: 'Each profile label of a namespace has effect',
  *look(facts) {
    const file = seenIn(facts.file);
    for (const namespace of listOf(facts.namespaces)) {
      const [name, labels] = [nameOf(namespace), labelsIn(namespace)];
      const label = labels[profileLabel];
      const why =
        label === undefined
          ? undefined
          : withoutEffect(facts, name, label, file?.problem === undefined && file ? { ...file, labels } : undefined);
      if (label !== undefined && why !== undefined) yield labelProblem(facts, name, label, why);
    }
  },
};

type Profiles = Parameters<typeof profileOf>[0] & { readonly labels: ReturnType<typeof labelsIn> };

function withoutEffect(facts: Facts, name: string, label: string, known: Profiles | undefined): string | undefined {
  const judging = ourEntries(facts).find((entry) => entry.name.startsWith('validate.'));
  if (judging !== undefined && !matchesNamespace(judging, facts, name)) return 'writes there are not sent to us';
  if (!profiles.some((one) => one === label)) return `it is not one of ${profiles.join(', ')}`;
  if (known?.namespaceProfiles === 'ignore') return 'the configuration ignores such labels';
  return known && profileOf(known, { name, labels: known.labels }).notice;
}

function labelProblem(facts: Facts, name: string, label: string, why: string): Problem {
  const meant = profiles.some((one) => one === label) ? undefined : nearestWord(label, profiles);
  return {
    severity: 'low',
    what: `the label ${profileLabel}=${label} of namespace ${name} has no effect`,
    evidence: [why],
    repair: meant === undefined ? 'take it away' : `did you mean ${meant}?`,
    commands: [
      meant === undefined
        ? kubectl(facts, 'label', 'namespace', name, `${profileLabel}-`)
        : kubectl(facts, 'label', 'namespace', name, `${profileLabel}=${meant}`, '--overwrite'),
    ],
  };
}

const note = (what: string, evidence: readonly string[], repair = ''): Problem => ({
  severity: 'info',
  what,
  evidence,
  repair,
  commands: [],
});

export const nothingPassedUnjudged: Check = {
  id: 'fail-open',
  holds: 'The API server has let no write pass for want of an answer (a note: counted since it started)',
  *look(facts) {
    for (const { entry, failedOpen, failedClosed } of listOf(facts.counters)) {
      if (failedOpen + failedClosed === 0) continue;
      yield note(
        `since the API server started, ${failedOpen} writes passed ${entry} unjudged and ${failedClosed} were refused, for want of an answer`,
        ['apiserver_admission_webhook_fail_open_count, apiserver_admission_webhook_rejection_count; each API server counts its own'],
      );
    }
  },
};

export const routingIsKnown: Check = {
  id: 'routing',
  holds: 'The API server calls the Service by its address (a note, where it goes to the Pods itself)',
  *look(facts) {
    const deployment = deploymentOf(facts);
    if (seenIn(facts.apiServer)?.routesToPods !== true || deployment === undefined) return;
    yield note('the API server goes to the Pods itself, past the address of the Service', [
      '--enable-aggregator-routing: firewalls between it and the nodes have to let the port of the Pods pass, not that of the Service',
    ]);
  },
};

const hourMs = 3_600_000;
const mostEvents = 5;

export const eventsAreQuiet: Check = {
  id: 'events',
  holds: 'No warnings among the Events of the last hour (a note)',
  *look(facts) {
    const recent = listOf(facts.events).filter((event) => event['type'] === 'Warning' && facts.now - timeOf(event) < hourMs);
    if (recent.length === 0) return;
    const lines = recent.toSorted((a, b) => timeOf(b) - timeOf(a)).map(eventText);
    yield note(`${recent.length} warnings in namespace ${facts.namespace} in the last hour`, [...new Set(lines)].slice(0, mostEvents));
  },
};

const timeOf = (event: RawObject): number => {
  const times = [stringAt(objectAt(event, 'series'), 'lastObservedTime'), stringAt(event, 'lastTimestamp'), stringAt(event, 'eventTime')];
  const time = times.find((text) => text !== undefined) ?? stringAt(objectAt(event, 'metadata'), 'creationTimestamp') ?? '';
  return Date.parse(time) || 0;
};

const eventText = (event: RawObject): string => {
  const { kind, name } = objectAt(event, 'involvedObject');
  return `${String(kind)} ${String(name)}: ${stringAt(event, 'reason') ?? ''}: ${stringAt(event, 'message') ?? ''}`;
};
