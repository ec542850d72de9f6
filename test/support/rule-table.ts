/** The tables in test/rules: what a rule accepts and what it reports, as YAML, for all drivers. */
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { z } from 'zod';
import { modes, profiles } from '../../src/engine/mode.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { complete } from './objects.ts';

const object = z.record(z.string(), z.unknown()).transform((partial): RawObject => complete(partial));
const collection = z.enum([
  ...[
    'Service',
    'Ingress',
    'IngressClass',
    'NetworkPolicy',
    'Namespace',
    'Secret',
    'Certificate',
    'ExternalSecret',
    'SealedSecret',
    'ValidatingWebhookConfiguration',
    'MutatingWebhookConfiguration',
    'APIService',
    'Template',
    'Pod',
  ],
] as const);

const expectedFinding = z.strictObject({
  message: z.string(),
  path: z.string(),
  /** As `formatRef` writes them, in order. */
  related: z.array(z.string()).default([]),
});

const ruleCase = z.strictObject({
  name: z.string().min(1),
  /** What is written, or removed. May be partial: see objects.ts. */
  object,
  /** Makes the write an UPDATE of this. */
  before: object.optional(),
  operation: z.literal('DELETE').optional(),
  /** What the cluster holds beside it. */
  cluster: z.array(object).default([]),
  /** The rule's options. */
  options: z.unknown().optional(),
  profile: z.enum(profiles).default('strict'),
  privacy: z.enum(['tenant', 'open']).default('open'),
  /** Names that the configuration gives as `secrets.expected`. */
  expectedSecrets: z.array(z.string()).default([]),
  /** The Service that the configuration names as `dns.resolver`. */
  resolver: z.strictObject({ namespace: z.string(), name: z.string() }).optional(),
  /** Of the configuration: who may be exempt. */
  exemptions: z.record(z.string(), z.unknown()).optional(),
  /** Ids of rules that run beside it, and find nothing of themselves. */
  beside: z.array(z.string()).default([]),
  /** Found in objects as they stand, by `check` and the audit, and in no write. */
  survey: z.boolean().default(false),
  /** Secrets cannot be read: nothing may be concluded about them. */
  secretsUnknown: z.boolean().default(false),
  /** Collections of which the view is not complete; the rule must then be skipped. */
  unknown: z.array(collection).default([]),
  /** true: only files can hold such a thing, the API server refuses or changes it. false: only a write can, as an update. */
  offline: z.boolean().optional(),
  /** Shown on the rule's page. */
  docs: z.boolean().default(false),
});

const validCase = ruleCase.transform((one) => ({ ...one, findings: [] as readonly z.infer<typeof expectedFinding>[], verdict: undefined }));
const invalidCase = ruleCase.extend({
  findings: z.array(expectedFinding).min(1),
  /** What becomes of the gravest finding, all considered: profile, ratchet. Asserted where given. */
  verdict: z.enum(modes).optional(),
});

const table = z.strictObject({
  rule: z.string(),
  /** What the cluster holds in each case, beside the case's own. */
  cluster: z.array(object).default([]),
  valid: z.array(validCase).min(1),
  invalid: z.array(invalidCase).min(1),
});

export type RuleCase = z.infer<typeof invalidCase> | z.infer<typeof validCase>;

export interface RuleTable {
  readonly rule: string;
  readonly valid: readonly RuleCase[];
  readonly invalid: readonly RuleCase[];
}

/** Reads the table of a rule; each case with the whole of its cluster. */
export function readRuleTable(file: string | URL): RuleTable {
  const { rule, cluster, valid, invalid } = table.parse(load(readFileSync(file, 'utf8')));
  const whole = <Case extends RuleCase>(one: Case): Case => ({ ...one, cluster: [...cluster, ...one.cluster] });
  return { rule, valid: valid.map(whole), invalid: invalid.map(whole) };
}

/** Drivers that write to an API server, real or played, run all cases but those that only files can hold, and those of no write. */
export const canBeWritten = ({ offline, survey, unknown, secretsUnknown }: RuleCase): boolean =>
  offline !== true && !survey && unknown.length === 0 && !secretsUnknown;

/** `check` runs all cases that a set of files can express: no update, no removal, no gap in what is known. */
export const canBeFiles = (one: RuleCase): boolean =>
  one.offline !== false && one.before === undefined && one.operation === undefined && one.unknown.length === 0 && !one.secretsUnknown;
