/** Rules that only have what the configuration looks at. */
import { z } from 'zod';
import type { Finding, Severity } from '../../src/engine/finding.ts';
import type { Mode } from '../../src/engine/mode.ts';
import { defineRule, type Message, type Rule, type RuleMeta } from '../../src/engine/rule.ts';
import { labelsOf } from '../../src/kube/labels.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { JudgedResource, RawObject } from '../../src/kube/resources.ts';

export type Verdict = readonly [guided: Mode, strict: Mode, severity?: Severity];

const message = ([guided, strict, severity = 'high']: Verdict): Message<unknown> => ({
  severity,
  modes: { guided, strict },
  facts: 'self',
  text: () => ({ what: 'it is so', why: 'It matters.', fixes: [{ text: 'change it' }] }),
});

export const sampleRule = (id: string, verdicts: Readonly<Record<string, Verdict>>, meta: Partial<RuleMeta> = {}): Rule =>
  defineRule({
    kinds: ['Service', 'Ingress', 'NetworkPolicy'],
    orderClass: 'self-contained',
    summary: 'All is well',
    reads: [],
    since: '0.1.0',
    judgesDelete: true,
    ...meta,
    id,
    options: z.strictObject({ ports: z.array(z.int().min(1)).default([]), from: z.enum(['inside', 'outside']).default('inside') }),
    messages: Object.fromEntries(Object.entries(verdicts).map(([messageId, verdict]) => [messageId, message(verdict)])),
    *check() {},
  });

export const serviceRule = sampleRule('service-is-odd', {
  grave: ['warn', 'deny'],
  mild: ['audit', 'warn'],
  note: ['audit', 'audit', 'info'],
});
export const systemRule = sampleRule('resolver-is-cut', { cut: ['deny', 'deny'] }, { guardsSystem: true });
export const fileRule = sampleRule('service-is-refused', { refused: ['deny', 'deny'] }, { offlineOnly: true });
export const dormantRule = sampleRule('service-is-dormant', { dozing: ['off', 'off'], waking: ['off', 'warn'] });
export const sampleRules = [serviceRule, systemRule, fileRule, dormantRule];

export const service = (metadata: RawObject = {}): JudgedResource =>
  normalize({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop', ...metadata } }) as JudgedResource;

export const findingOf = (rule: Rule, messageId: string): readonly [Finding, Message<unknown>] => [
  { ruleId: rule.meta.id, messageId } as Finding,
  rule.messages[messageId] as Message<unknown>,
];

export const labels = (pairs: Readonly<Record<string, string>>) => labelsOf(pairs);
export const now = Date.parse('2026-11-21T09:00:00Z');
