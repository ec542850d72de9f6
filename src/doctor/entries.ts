/** The entries of a ValidatingWebhookConfiguration, as far as checks ask for them. */
import { labelsOf, matchesSelector } from '../kube/labels.ts';
import { selectorOf } from '../kube/normalize-networking.ts';
import { numberAt, objectAt, objectsAt, stringAt, stringsAt } from '../kube/read.ts';
import type { LabelSelector, Labels, RawObject } from '../kube/resources.ts';
import { type Facts, labelsIn, listOf, nameOf, seenIn } from './facts.ts';

export interface Entry {
  readonly name: string;
  readonly failsClosed: boolean;
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number; readonly path: string } | undefined;
  readonly namespaceSelector: LabelSelector;
  readonly objectSelector: LabelSelector;
  readonly matchConditions: readonly { readonly name: string; readonly expression: string }[];
  readonly rules: readonly { readonly operations: readonly string[]; readonly resources: readonly string[] }[];
  readonly timeoutSeconds: number;
}

/** The defaults are the API server's (pkg/apis/admissionregistration/v1/defaults.go). */
export const entriesOf = (registration: RawObject): readonly Entry[] =>
  objectsAt(registration, 'webhooks').map((raw) => ({
    name: stringAt(raw, 'name') ?? '',
    failsClosed: stringAt(raw, 'failurePolicy') !== 'Ignore',
    service: serviceOf(objectAt(raw, 'clientConfig')),
    namespaceSelector: selectorOf(objectAt(raw, 'namespaceSelector')),
    objectSelector: selectorOf(objectAt(raw, 'objectSelector')),
    matchConditions: objectsAt(raw, 'matchConditions').map((one) => ({
      name: stringAt(one, 'name') ?? '',
      expression: stringAt(one, 'expression') ?? '',
    })),
    rules: objectsAt(raw, 'rules').map((one) => ({ operations: stringsAt(one, 'operations'), resources: stringsAt(one, 'resources') })),
    timeoutSeconds: numberAt(raw, 'timeoutSeconds') ?? 10,
  }));

function serviceOf(clientConfig: RawObject): Entry['service'] {
  const service = objectAt(clientConfig, 'service');
  const name = stringAt(service, 'name');
  if (name === undefined) return undefined;
  return {
    name,
    namespace: stringAt(service, 'namespace') ?? '',
    port: numberAt(service, 'port') ?? 443,
    path: stringAt(service, 'path') ?? '/',
  };
}

/** None if the configuration is not there, or could not be looked at. */
export const ourEntries = (facts: Facts): readonly Entry[] => entriesOf(seenIn(facts.registration) ?? {});

export const failsClosed = (facts: Facts): boolean => ourEntries(facts).some((entry) => entry.failsClosed);

/** How grave it is that nobody answers the API server. */
export const graveness = (facts: Facts): 'critical' | 'high' => (failsClosed(facts) ? 'critical' : 'high');

/** Whether writes in a namespace are sent to the entry. Its name counts as a label, as the API server sets it. */
export function matchesNamespace({ namespaceSelector }: Entry, { namespaces }: Facts, name: string): boolean {
  const object = listOf(namespaces).find((one) => nameOf(one) === name);
  const labels: Labels = labelsOf({ ...(object && labelsIn(object)), 'kubernetes.io/metadata.name': name });
  return matchesSelector(namespaceSelector, labels);
}
