/** Is the API server told to ask us, once, about everything? */
import { listed } from '../kube/listed.ts';
import { objectAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { caCommands } from './ca-bundle.ts';
import { entriesOf, ourEntries } from './entries.ts';
import { type Facts, listOf, nameOf } from './facts.ts';
import { type Check, type Commands, kubectl } from './problem.ts';
import { reinstall } from './reinstall.ts';

const entryNames = ['validate.portcullis.dev', 'system.portcullis.dev', 'delete.portcullis.dev'] as const;

const hasOurEntries = (registration: RawObject): boolean =>
  entriesOf(registration).some(({ name }) => entryNames.some((ours) => ours === name));

/** The registration again, and the authority that its entries lack when they are new. */
function registrationAgain(facts: Facts): Commands {
  const again = reinstall(facts, 'deploy/50-webhook.yaml');
  const [first, second] = caCommands(facts, entryNames);
  return first !== undefined && second !== undefined ? [again, first, second] : [again];
}

export const configurationIsThere: Check = {
  id: 'webhook-configuration',
  holds: 'The ValidatingWebhookConfiguration exists, so that the API server asks',
  *look(facts) {
    const { registration, configuration, otherRegistrations } = facts;
    if (registration.state !== 'absent') return;
    const other = listOf(otherRegistrations).find(hasOurEntries);
    yield {
      severity: 'high',
      what: `there is no ValidatingWebhookConfiguration ${configuration}, so nothing is judged`,
      evidence: other === undefined ? [] : [`ValidatingWebhookConfiguration ${nameOf(other)} has entries of ours: is that the one?`],
      repair: other === undefined ? 'create it again' : `look at that one: portcullis doctor --webhook-configuration ${nameOf(other)}`,
      commands: other === undefined ? registrationAgain(facts) : [],
      stopsCalls: true,
    };
  },
};

export const entriesAreThere: Check = {
  id: 'webhook-entries',
  holds: 'It has all three entries',
  *look(facts) {
    const entries = ourEntries(facts);
    const missing = entryNames.filter((name) => !entries.some((entry) => entry.name === name));
    if (facts.registration.state !== 'seen' || missing.length === 0) return;
    yield {
      severity: missing.includes('validate.portcullis.dev') ? 'high' : 'medium',
      what: `ValidatingWebhookConfiguration ${facts.configuration} lacks ${listed(missing)}`,
      evidence: [`its entries: ${entries.map(({ name }) => name).join(', ') || 'none'}`],
      repair: 'apply it again as it was installed',
      commands: registrationAgain(facts),
    };
  },
};

export const isRegisteredOnce: Check = {
  id: 'registered-once',
  holds: 'No other configuration leads to the same Service',
  *look(facts) {
    const services = ourEntries(facts).flatMap(({ service }) => (service === undefined ? [] : [`${service.namespace}/${service.name}`]));
    for (const other of listOf(facts.otherRegistrations)) {
      const twice = entriesOf(other).filter(({ service }) => service && services.includes(`${service.namespace}/${service.name}`));
      if (twice.length === 0) continue;
      yield {
        severity: 'high',
        what: `ValidatingWebhookConfiguration ${nameOf(other)} leads to the same Service as ${facts.configuration}, so writes are judged twice`,
        evidence: [`entries ${listed(twice.map(({ name }) => name))} of ${nameOf(other)} lead to ${services[0] ?? ''}`, ageOf(other)],
        repair: `remove it, if ${facts.configuration} is the one that is meant`,
        commands: [kubectl(facts, 'delete', 'validatingwebhookconfiguration', nameOf(other))],
      };
    }
  },
};

const ageOf = (object: RawObject): string =>
  `${nameOf(object)} was created at ${stringAt(objectAt(object, 'metadata'), 'creationTimestamp') ?? 'an unknown time'}`;

export const leadsToService: Check = {
  id: 'webhook-leads-to-service',
  holds: 'Each entry leads to the Service',
  *look(facts) {
    for (const { name, service } of ourEntries(facts)) {
      if (service !== undefined && service.name === facts.serviceName && service.namespace === facts.namespace) continue;
      yield {
        severity: 'medium',
        what: `entry ${name} does not lead to Service ${facts.namespace}/${facts.serviceName}`,
        evidence: [
          service === undefined
            ? 'it names a URL, whose way cannot be looked at from here'
            : `it leads to ${service.namespace}/${service.name}`,
        ],
        repair: 'apply the configuration again as it was installed',
        commands: registrationAgain(facts),
      };
    }
  },
};
