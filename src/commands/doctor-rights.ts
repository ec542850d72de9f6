/** Asks the API server which of the rights that we need our ServiceAccount has. */
import type { Configuration } from '../config/settings.ts';
import { defaultConfigurationFile, parseConfiguration } from '../config/settings.ts';
import { namesUs } from '../doctor/bindings.ts';
import { argumentOf, deploymentOf, type Facts, hasFlag, type Right, type Seen } from '../doctor/facts.ts';
import { addressOf } from '../kube/address.ts';
import { booleanAt, given, objectAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { rules } from '../rules/index.ts';
import { reportChoices } from '../sinks/report-choice.ts';
import { auditSinkDefaults } from './audit-sinks.ts';
import { type Needed, neededRights } from './needed-rights.ts';
import { configurationIn } from './read-configuration.ts';
import type { Eyes } from './seen.ts';

const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

export interface Beside {
  /** The configuration file's: one that cannot be used, or was not seen, counts as one that says nothing. */
  readonly text: Seen<string>;
  /** Of all namespaces. */
  readonly roleBindings: Seen<readonly RawObject[]>;
}

export async function rightsOf(eyes: Eyes, facts: Facts, { text, roleBindings }: Beside): Promise<Facts['rights']> {
  const deployment = deploymentOf(facts);
  const needed = neededRights(configurationOr(text), {
    namespace: facts.namespace,
    secret: facts.keepsSecret ? facts.secretName : undefined,
    webhookConfiguration: argumentOf(deployment, '--webhook-configuration'),
    lease: facts.leaseName,
    reports: reportChoices.find((choice) => choice === argumentOf(deployment, '--reports')) ?? auditSinkDefaults.reports,
    events: !hasFlag(deployment, '--no-events'),
  });
  const asked = await inTurn(needed, (right) => askedAbout(eyes, facts, right, roleBindings));
  const refused = asked.find((one) => 'why' in one);
  if (refused !== undefined) return { state: 'unseen', why: refused.why };
  return { state: 'seen', value: asked.flatMap((one) => ('right' in one ? one.right : [])) };
}

function configurationOr(text: Seen<string>): Configuration {
  try {
    if (text.state === 'seen') return configurationIn('the ConfigMap', text.value);
  } catch {
    // Said by another check: what the Pods go on with is not known.
  }
  return parseConfiguration(defaultConfigurationFile, rules);
}

type Asked = { readonly right: readonly Right[] } | { readonly why: string };

async function askedAbout(eyes: Eyes, facts: Facts, needed: Needed, roleBindings: Beside['roleBindings']): Promise<Asked> {
  const { foreign, ...right } = needed;
  const answer = await isAllowed(eyes, facts, right);
  if (typeof answer === 'string') return { why: answer };
  if (answer) return { right: [{ ...right, allowed: true }] };
  if (foreign !== undefined && !(await isServed(eyes, foreign.apiVersions, foreign.resource))) return { right: [] };
  if (right.resource === 'secrets' && right.namespace === '') {
    const chosen = await isChosen(eyes, facts, right, roleBindings);
    if (typeof chosen === 'string') return { why: chosen };
    if (chosen) return { right: [] };
  }
  return { right: [{ ...right, allowed: false }] };
}

/** Whether it is allowed, or why that could not be asked. */
async function isAllowed(
  eyes: Eyes,
  facts: Facts,
  { verb, group, resource, namespace, name }: Omit<Right, 'allowed'>,
): Promise<boolean | string> {
  const answer = await eyes.post(path, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: `system:serviceaccount:${facts.namespace}:${facts.serviceAccount}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${facts.namespace}`, 'system:authenticated'],
      resourceAttributes: { verb, group, resource, namespace, ...given('name', name) },
    },
  });
  if (answer.state !== 'seen') return answer.state === 'absent' ? 'SubjectAccessReviews are not served' : answer.why;
  return booleanAt(objectAt(answer.value, 'status'), 'allowed');
}

/**
 * Bound in some namespaces (`rbac.secretNamespaces`), it is chosen where Secrets are read, and no defect. In our own, a binding
 * is there in any case, for our own Secret: there only the right to all of them tells. Or why that could not be seen.
 */
async function isChosen(
  eyes: Eyes,
  facts: Facts,
  right: Omit<Right, 'allowed'>,
  roleBindings: Seen<readonly RawObject[]>,
): Promise<boolean | string> {
  if (roleBindings.state !== 'seen') return roleBindings.state === 'absent' ? 'RoleBindings are not served' : roleBindings.why;
  const namespaces = roleBindings.value.filter((one) => namesUs(one, facts)).map((one) => stringAt(objectAt(one, 'metadata'), 'namespace'));
  if (namespaces.some((namespace) => namespace !== facts.namespace)) return true;
  return isAllowed(eyes, facts, { ...right, namespace: facts.namespace });
}

async function isServed(eyes: Eyes, apiVersions: readonly string[], resource: string): Promise<boolean> {
  const answers = await Promise.all(apiVersions.map((version) => eyes.one(`${addressOf(version, resource)}?limit=1`)));
  return answers.some(({ state }) => state !== 'absent');
}

const atOnce = 10;

/** Ten at a time, in their order. */
async function inTurn<A, B>(all: readonly A[], ask: (one: A) => Promise<B>): Promise<readonly B[]> {
  const answers: B[] = [];
  for (let from = 0; from < all.length; from += atOnce) answers.push(...(await Promise.all(all.slice(from, from + atOnce).map(ask))));
  return answers;
}
