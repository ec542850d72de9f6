/**
 * The configuration file. One schema checks it, completes it, documents it (docs/configuration.md) and serves editors
 * (docs/portcullis.schema.json), so that each key has one name, one default and one meaning.
 */
import { z } from 'zod';
import { modes, profiles } from '../engine/mode.ts';
import { isAddress } from '../kube/cidr.ts';
import { groupOf } from '../kube/normalize.ts';
import { builtInWorkloads } from '../kube/normalize-workload.ts';
import { isDate } from './dates.ts';
import { durationMs } from './duration.ts';

export const apiVersion = 'portcullis.dev/v1';

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** A namespace's name with `*`: anything else could never match and would be a silent mistake. */
const namespaceGlob = z.string().regex(/^[-a-z0-9*]{1,63}$/, 'is not the name of a namespace, with * for any characters');
/** YAML 1.1, which kubectl and Helm read, takes a bare `off` for false. */
const unquotedOff = (value: unknown): unknown => (value === false ? 'off' : value);
const mode = z.preprocess(unquotedOff, z.enum(modes));
const text = z.string().refine((value) => value.trim() !== '', 'is empty');

const requirement = z
  .strictObject({
    key: text.describe('The key of the label'),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).describe('As in any Kubernetes label selector'),
    values: z.array(z.string()).default([]).describe('For `In` and `NotIn`, the values'),
  })
  .refine(({ operator, values }) => values.length > 0 === (operator === 'In' || operator === 'NotIn'), {
    error: 'In and NotIn need values, Exists and DoesNotExist take none',
    path: ['values'],
  });

const namespaceSelector = z
  .strictObject({
    matchLabels: z.record(z.string(), z.string()).default({}).describe('Labels that the namespace carries'),
    matchExpressions: z.array(requirement).default([]).describe('Requirements that its labels meet'),
  })
  .describe('A label selector over namespaces; together with `namespaces` both must match');

const namespaces = z.array(namespaceGlob).min(1, 'is empty').describe('Names of namespaces, with `*` for any characters');

const override = z
  .strictObject({
    namespaces: namespaces.optional(),
    namespaceSelector: namespaceSelector.optional(),
    mode: mode.describe("The rule's mode in these namespaces"),
  })
  .refine((entry) => entry.namespaces !== undefined || entry.namespaceSelector !== undefined, {
    error: 'chooses no namespaces; add namespaces or namespaceSelector',
  });

const ruleSettings = z.strictObject({
  mode: mode
    .optional()
    .describe(
      'The mode of all its messages in every namespace. `deny` lifts only messages that `strict` denies, the others get their `strict` mode; `warn` leaves messages of severity info as they are',
    ),
  exemptable: z.boolean().default(true).describe('Whether an annotation may exempt an object from this rule'),
  options: z.unknown().optional().describe("The rule's own options: see its page"),
  overrides: z.array(override).prefault([]).describe('Other modes for some namespaces; the first entry that matches wins'),
});

const exemption = (ruleIds: readonly string[]) =>
  z.strictObject({
    rules: z
      .array(z.enum(['*', ...ruleIds]))
      .min(1, 'is empty')
      .describe('Rule ids, or `*` for all'),
    namespaces: namespaces.optional(),
    namespaceSelector: namespaceSelector.optional(),
    names: z.array(text).min(1, 'is empty').optional().describe('Names of objects, with `*` for any characters'),
    users: z
      .array(
        text.refine((user) => !user.includes('*'), 'is a pattern; a user is named in full, since names can be chosen to fit a pattern'),
      )
      .min(1, 'is empty')
      .optional()
      .describe('Users and service accounts, as `system:serviceaccount:<namespace>:<name>`; nobody is meant by it in `check`'),
    reason: text.describe('Why; stands in the audit annotation of each write that it lets through'),
    until: z
      .string()
      .refine(isDate, 'is not a date, as 2027-03-31')
      .optional()
      .describe('The last day, in UTC, on which it holds; without it, it holds for ever'),
  });

const workload = z.strictObject({
  apiVersion: z
    .string()
    .regex(/^[a-z0-9][-a-z0-9.]*\/v[a-z0-9]+$/, 'is not a group and version, as argoproj.io/v1alpha1')
    .describe('Group and version'),
  kind: z
    .string()
    .regex(/^[A-Z][A-Za-z0-9]*$/, 'is not a kind, as Rollout')
    .describe('The kind'),
  resource: z
    .string()
    .regex(dnsLabel, 'is not the name of a resource, as rollouts')
    .describe("Its name in the API's addresses: lower case, plural"),
  template: z
    .string()
    .regex(/^[A-Za-z]\w*(\.[A-Za-z]\w*)*$/, 'is not the path of a field, as spec.template')
    .default('spec.template')
    .describe('Where its Pod template stands'),
});

const workloads = z.array(workload).superRefine((entries, context) => {
  const idOf = (one: { readonly apiVersion: string; readonly kind: string }): string => `${groupOf(one.apiVersion)}/${one.kind}`;
  const known = new Set(builtInWorkloads.map(idOf));
  for (const [index, entry] of entries.entries()) {
    if (known.has(idOf(entry))) context.addIssue({ code: 'custom', path: [index, 'kind'], message: 'is known already' });
    known.add(idOf(entry));
  }
});

const dns = z.strictObject({
  resolver: z
    .strictObject({
      namespace: z.string().regex(dnsLabel, 'is not the name of a namespace').describe('Its namespace'),
      name: text.describe('Its name'),
    })
    .optional()
    .describe('The Service that Pods ask for names, where it is not found by its usual names and labels'),
  nodeAddresses: z
    .array(z.string().refine(isAddress, 'is not an address'))
    .default([])
    .describe('Addresses at which something on each node answers names and that no DaemonSet shows: caches of managed clusters'),
});

/** The schema for these rules: their ids are the only keys under `rules`. */
export const configurationSchema = (ruleIds: readonly string[]) =>
  z.strictObject({
    apiVersion: z.literal(apiVersion).describe("The version of this file's format"),
    profile: z
      .enum(profiles)
      .default('guided')
      .describe(
        '`observe`: nothing is denied or warned about, all is recorded. `guided`: denies what no later object can repair and warns of the rest. `strict`: denies the headline checks too',
      ),
    namespaceProfiles: z
      .enum(['ignore', 'stricter', 'any'])
      .default('stricter')
      .describe('What the label `portcullis.dev/profile` on a namespace may do: nothing, make the profile stricter, or set any'),
    rules: z
      .strictObject(Object.fromEntries(ruleIds.map((id) => [id, ruleSettings.optional()])))
      .prefault({})
      .describe('Settings of single rules'),
    exemptions: z
      .strictObject({
        byAnnotation: z
          .enum(['never', 'permitted', 'always'])
          .default('never')
          .describe(
            'Whether the annotation `exempt.portcullis.dev/<rule-id>: <reason>[ until YYYY-MM-DD]` has effect. `permitted`: if who writes it may `use` the `exemptions.portcullis.dev` of that name in the namespace, see docs/exemptions.md',
          ),
        list: z.array(exemption(ruleIds)).default([]).describe('What is exempt; everything that an entry names must match'),
      })
      .prefault({}),
    secrets: z
      .strictObject({
        level: z
          .preprocess(unquotedOff, z.enum(['off', 'existence', 'full']))
          .prefault('existence')
          .describe('What may be known of a Secret that an object names: nothing, whether it exists, or what is in it'),
        expected: z
          .array(text)
          .default([])
          .describe('Names of Secrets that a replicator brings, with `*` for any characters: they never count as missing'),
      })
      .prefault({}),
    dns: dns.prefault({}),
    docsBaseUrl: z
      .union([z.literal(''), z.url({ protocol: /^https?$/, error: 'is not an http or https address' })], 'is not an http or https address')
      .default('')
      .describe("Where the rules' pages are published; messages point to `<docsBaseUrl>/<rule-id>`. Empty: `portcullis explain <rule-id>`"),
    privacy: z
      .enum(['tenant', 'open'])
      .default('tenant')
      .describe(
        '`tenant`: a text tells of another namespace only what its reader may list there. `open`: everybody may read everything, as in a cluster of one team. See docs/privacy.md',
      ),
    protectedNamespaces: z
      .array(z.string().regex(dnsLabel, 'is not the name of a namespace'))
      .default(['kube-system'])
      .describe('Namespaces in which only the rules that guard the whole cluster run'),
    grace: z
      .string()
      .refine((value) => durationMs(value) !== undefined, 'is not a duration up to 24h, as 60s or 1m30s')
      .default('60s')
      .describe('How long what an object refers to may still be on its way, before the audit reports it missing'),
    workloads: workloads.default([]).describe('Further kinds with a Pod template, as Argo Rollouts'),
  });

export type ConfigurationFile = z.output<ReturnType<typeof configurationSchema>>;
export type RuleSettings = z.output<typeof ruleSettings>;
export type ExemptionEntry = ConfigurationFile['exemptions']['list'][number];
export type NamespaceChoice = Pick<z.output<typeof override>, 'namespaces' | 'namespaceSelector'>;
