/**
 * An Ingress takes its certificates from Secrets of its own namespace. Where the one that it names is not there, the
 * controller serves its default certificate, which no client trusts, or refuses the host. A Secret that cert-manager,
 * External Secrets, Sealed Secrets or a replicator will bring is pending, not missing.
 */
import { z } from 'zod';
import { isCertainTypo, nearestWord } from '../cluster/near-miss.ts';
import { providerAnnotations } from '../cluster/provider-annotations.ts';
import { type Provider, providerOf, unreadableProviders } from '../cluster/secret-providers.ts';
import { existingNames, namespacesWith, secretRef, secretsToRead, tlsSecretsOf } from '../cluster/tls-secrets.ts';
import { type Explanation, editTowards, type Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { listed } from '../kube/listed.ts';
import { refOf } from '../kube/resources.ts';

export const tlsSecretMissing = defineRule({
  id: 'tls-secret-missing',
  kinds: ['Ingress'],
  orderClass: 'backward',
  summary: 'Every Secret that an Ingress names for TLS exists in its namespace',
  reads: ['Certificate', 'ExternalSecret', 'Ingress', 'SealedSecret', 'Secret'],
  // The Secret itself was read by name for this very evaluation.
  confirms: ['Certificate', 'ExternalSecret', 'Ingress', 'SealedSecret'],
  since: '0.1.0',

  options: z.strictObject({
    providerAnnotations: z
      .array(z.string())
      .default([])
      .describe('Further annotations of an Ingress that say that some controller brings the certificate'),
  }),

  messages: {
    missing: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'secret',
      isEvident: (data: Missing) => fixesFor(data).some(({ patch }) => patch !== undefined),
      text: (data: Missing): Explanation => ({
        what: `there is no Secret ${data.name} in ${data.namespace}`,
        why: `The controller serves its default certificate in its place, which browsers refuse, or does not serve the host at all.${data.inApply ? comesLater : ''}`,
        fixes: fixesFor(data),
      }),
    },
    missingOrPending: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'secret',
      lacks: ({ unreadable }: Missing) => unreadable,
      text: (data: Missing): Explanation => ({
        what: `there is no Secret ${data.name} in ${data.namespace}, and whether a ${data.unreadable.join(' or ')} will bring it cannot be read`,
        why: 'Until it is there, the controller serves its default certificate, which browsers refuse.',
        fixes: fixesFor(data),
      }),
    },
    pending: {
      severity: 'info',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'secret',
      isEvident: () => true, // what brings it is there
      text: explainPending,
    },
  },

  fetches(ingress, known) {
    return secretsToRead(ingress, known).map((name) => secretRef(ingress, name));
  },
  annotations: (options) => [...providerAnnotations, ...options.providerAnnotations],

  *check({ object: ingress, cluster, known, elsewhere, offline, isSurvey, options, shared, finding }) {
    const { namespace } = ingress.metadata;
    const entries = [...tlsSecretsOf(ingress)];
    // What could not be read ends the rule: what could be is judged before it.
    const answered = ([name]: (typeof entries)[number]): boolean =>
      !['unknown', 'unanswered'].includes(known.fetched(secretRef(ingress, name)) as string);
    const expected = { names: shared.expectedSecrets, annotations: options.providerAnnotations };
    let existing: readonly string[] | undefined;
    for (const [name, paths] of [...entries.filter(answered), ...entries.filter((entry) => !answered(entry))]) {
      const [path] = paths as [FieldPath];
      const entry = { name, namespace, paths };
      if (cluster.fetched(secretRef(ingress, name)) !== 'absent') continue;
      const provider = providerOf(name, ingress, cluster, known, expected);
      if (provider !== undefined) {
        yield finding('pending', path, { ...entry, provider }, provider.source === undefined ? [] : [refOf(provider.source)]);
        continue;
      }
      existing ??= existingNames(ingress, known);
      const data = {
        ...entry,
        existing,
        others: namespacesWith(name, namespace, elsewhere),
        unreadable: unreadableProviders(known, namespace),
        inApply: !offline && !isSurvey,
      };
      yield finding(data.unreadable.length === 0 ? 'missing' : 'missingOrPending', path, data);
    }
  },
});

interface Missing {
  readonly name: string;
  readonly namespace: string;
  readonly paths: readonly FieldPath[];
  /** Secrets that other TLS entries of the namespace name and that were found. */
  readonly existing: readonly string[];
  readonly others: readonly string[];
  readonly unreadable: ReturnType<typeof unreadableProviders>;
  readonly inApply: boolean;
}

const comesLater = ' Where the Secret comes later in the same apply, apply again.';

interface Pending {
  readonly name: string;
  readonly namespace: string;
  readonly paths: readonly FieldPath[];
  readonly provider: Provider;
}

function explainPending({ name, namespace, paths, provider: { title, failing, needsNoSecret } }: Pending): Explanation {
  if (needsNoSecret)
    return {
      what: `there is no Secret ${name} in ${namespace}; ${title} takes its place, and none comes`,
      why: 'The certificate is not taken from a Secret.',
      fixes: [
        { text: 'leave secretName out', patch: paths.map((path) => ({ op: 'remove', path }) as const) },
        { text: 'leave secretName out' },
      ],
    };
  return {
    what: `there is no Secret ${name} in ${namespace} yet; ${title} brings it${failing ? `, which is not ready: ${failing}` : ''}`,
    why: 'Until it is there, the controller serves its default certificate.',
    fixes: [{ text: failing === undefined ? 'wait for it' : `repair ${title}` }],
  };
}

function fixesFor({ name, namespace, paths, existing, others }: Missing): readonly [...Fix[], Fix] {
  const nearest = nearestWord(name, existing);
  const renamed = paths.map((path) => ({ op: 'replace', path, value: nearest }) as const);
  const create = `kubectl create secret tls ${name} -n ${namespace} --cert=FILE --key=FILE`;
  const known = existing.length === 0 ? '' : `, or name one that is there: ${listed(existing)}`;
  const copy = `copy it from ${listed(others)}: an Ingress finds Secrets in its own namespace only`;
  return [
    ...(nearest === undefined
      ? []
      : [{ text: `did you mean ${nearest}?`, ...editTowards(isCertainTypo(name, nearest, existing), renamed) }]),
    { text: others.length > 0 ? copy : `${create}${known}` },
  ];
}
