/** What a table cannot say: a rule about exemptions that is itself exempted, off, or asked too much. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { handle } from '../../src/admission/handler.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { run } from '../../src/commands/program.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import { evaluate } from '../../src/engine/evaluate.ts';
import type { JudgedResource } from '../../src/kube/resources.ts';
import { exemptionInvalid } from '../../src/rules/exemption-invalid.ts';
import { rules } from '../../src/rules/index.ts';
import { namespace, plentyOfTime, portsOf, requestFor, reviewOf, service, snapshotOf } from '../admission/reviews.ts';
import { fakeTerminal } from '../commands/terminal.ts';
import { factsFor, judgedOf } from '../support/rule-case.ts';

const key = (id: string): string => `exempt.portcullis.dev/${id}`;
const ids = rules.map(({ meta }) => meta.id);

/** What a CREATE is answered, by all rules. */
async function answered(annotations: Readonly<Record<string, string>>, file: object = {}) {
  const configuration = parseConfiguration({ apiVersion: 'portcullis.dev/v1', exemptions: { byAnnotation: 'always' }, ...file }, rules);
  const review = reviewOf(requestFor(service('web', { selector: {} }, { annotations })));
  const handled = await handle(review, plentyOfTime, portsOf(snapshotOf(namespace('shop')), configuration));
  if (handled.outcome !== 'judged') throw new Error(handled.outcome);
  return { ...handled.answer.response, faults: handled.decision.faults };
}

describe('an exemption from the rule about exemptions', () => {
  const wrong = { [key('no-such-rule')]: 'agreed' };

  it('exempts from what is wrong with the others', async () => {
    expect((await answered(wrong)).warnings).toHaveLength(1);
    const { warnings, auditAnnotations, faults } = await answered({ ...wrong, [key('exemption-invalid')]: 'they go in May' });
    expect([warnings, faults]).toEqual([undefined, []]);
    expect(auditAnnotations?.['rules']).toBe('exempt:exemption-invalid (they go in May (annotation))');
  });

  it('does not, where it is wrong itself', async () => {
    expect((await answered({ ...wrong, [key('exemption-invalid')]: '' })).warnings).toHaveLength(2);
  });

  it('may be given by the configuration', async () => {
    const list = [{ rules: ['exemption-invalid'], names: ['web'], reason: 'all of it goes' }];
    expect((await answered(wrong, { exemptions: { byAnnotation: 'always', list } })).warnings).toBeUndefined();
  });
});

it('can be switched off, and recorded only; nothing makes it deny', async () => {
  const wrong = { [key('no-such-rule')]: 'agreed' };
  const inMode = (mode: string) => answered(wrong, { rules: { 'exemption-invalid': { mode } } });
  const { allowed, warnings, auditAnnotations } = await inMode('off');
  expect([allowed, warnings, auditAnnotations]).toEqual([true, undefined, { decision: 'allow' }]);
  expect(await inMode('audit')).toMatchObject({ allowed: true, auditAnnotations: { decision: 'allow', rules: 'audit:exemption-invalid' } });
  expect(await inMode('deny')).toMatchObject({ allowed: true, auditAnnotations: { decision: 'warn', rules: 'warn:exemption-invalid' } });
});

it.each([
  ['kube-system', ['dns-resolver-isolated']],
  ['shop', ['network-policy-isolates-dns', 'dns-resolver-isolated']],
])('judges in %s the annotations for the rules that run there', (within, judged) => {
  const annotations = { [key('network-policy-isolates-dns')]: '', [key('dns-resolver-isolated')]: '' };
  const metadata = { name: 'web', namespace: within, annotations };
  const object = judgedOf({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec: {} });
  const configuration = parseConfiguration({ apiVersion: 'portcullis.dev/v1', exemptions: { byAnnotation: 'always' } }, rules);
  const bound = configuration.bind({ object, operation: 'CREATE', namespaceLabels: {}, now: 0 });
  expect(bound.rules.map(({ meta }) => meta.id)).toContain('exemption-invalid');
  expect(bound.factsOf?.(object).map(({ ruleId }) => ruleId)).toEqual(judged);
});

it('says nothing where nothing says what annotations are worth', () => {
  const subject = {
    object: judgedOf(service('web', {}, { annotations: { [key('x')]: '' } })),
    operation: 'WRITE',
    before: undefined,
  } as const;
  const cluster = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' });
  expect(evaluate(subject, cluster, [exemptionInvalid.configure()]).findings).toEqual([]);
});

it('looks at an object that is all annotations as long as at any other', () => {
  const annotations = Object.fromEntries(Array.from({ length: 9_000 }, (_, index) => [key(`${index}-selector-matches-no-pods`), 'x']));
  const object: JudgedResource = judgedOf(service('web', {}, { annotations }));
  const cluster = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with([object]);
  const exemptions = { factsOf: factsFor(ids, 'always'), isSurvey: true };
  const startedAt = performance.now();
  const { findings } = evaluate({ object, operation: 'WRITE', before: undefined }, cluster, [exemptionInvalid.configure()], { exemptions });
  expect(findings).toHaveLength(10);
  // About 0.1 s: each fix that is tried reads all annotations again.
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

it('points at the line of the annotation, and at nothing else', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-exempt-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'web.yaml');
  writeFileSync(
    file,
    `apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    note: a Service
    ${key('no-such-rule')}: agreed
spec:
  ports: [{port: 80}]
`,
  );
  const terminal = fakeTerminal();
  expect(await run(['check', '-o', 'json', file], terminal, '1.0.0')).toBe(1);
  const { findings, notices } = JSON.parse(terminal.written.out);
  expect(findings).toMatchObject([{ rule: 'exemption-invalid', mode: 'warn', line: 7, column: 5 }]);
  expect(notices).toEqual([]);
});
