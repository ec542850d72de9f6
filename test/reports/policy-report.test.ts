import { describe, expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { clusterReport } from '../../src/reports/cluster-report.ts';
import { areaOf, entriesOf, hashOf, policyReport, type ReportWriting, reportForms } from '../../src/reports/policy-report.ts';
import { rules } from '../../src/rules/index.ts';
import { broken, clean, findingOf, serviceNamed } from '../sinks/verdicts.ts';

const web = serviceNamed('web');
const writing: ReportWriting = {
  form: reportForms.openreports,
  maxResults: 50,
  firstSeen: () => '2026-11-21T10:00:00.500Z',
  docsOf: (ruleId) => `portcullis explain ${ruleId}`,
};
const reportOf = (verdict: Parameters<typeof entriesOf>[0], changes: Partial<ReportWriting> = {}): RawObject =>
  policyReport(web, entriesOf(verdict), { ...writing, ...changes }) as RawObject;
const resultsOf = (report: RawObject): readonly RawObject[] => report['results'] as readonly RawObject[];

describe('a report', () => {
  it('says all that tools ask for', () => {
    const report = reportOf(broken(web));
    const { metadata, ...content } = report;
    expect(content).toEqual({
      apiVersion: 'openreports.io/v1alpha1',
      kind: 'Report',
      source: 'portcullis',
      scope: { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web', uid: 'uid-of-web' },
      summary: { pass: 0, fail: 1, error: 0, warn: 0, skip: 0 },
      results: [
        {
          source: 'portcullis',
          policy: 'service-named-target-port-unresolved',
          rule: 'unresolved',
          category: 'Services',
          severity: 'high',
          result: 'fail',
          message:
            'spec.ports[0].targetPort: targetPort 80 is declared by 0 of 3 Pods. Nobody answers on this port. Fix: name a containerPort 80',
          timestamp: { seconds: 1795255200, nanos: 0 },
          properties: {
            field: 'spec.ports[0].targetPort',
            fix: 'name a containerPort 80',
            docs: 'portcullis explain service-named-target-port-unresolved',
            mode: 'warn',
            firstSeen: '2026-11-21T10:00:00.500Z',
            fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
          },
        },
      ],
    });
    expect(metadata).toEqual({
      name: 'uid-of-web',
      namespace: 'shop',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'web', uid: 'uid-of-web' }],
      labels: { 'app.kubernetes.io/managed-by': 'portcullis' },
      annotations: { 'portcullis.dev/content-hash': expect.stringMatching(/^[0-9a-f]{16}$/) },
    });
  });

  it('is none where there is nothing to tell', () => expect(policyReport(web, entriesOf(clean(web)), writing)).toBeUndefined());

  it('has a word for each verdict, gravest first, in an order that depends on nothing else', () => {
    const verdict = {
      object: web,
      findings: [
        { finding: findingOf(web, 4, { severity: 'critical' }), mode: 'audit' },
        { finding: findingOf(web, 1, { severity: 'low' }), mode: 'deny' },
        { finding: findingOf(web, 2, { severity: 'medium' }), mode: 'warn' },
      ],
      exempted: [{ finding: findingOf(web, 3), reason: 'moves in May' }],
      faults: [{ ruleId: 'tls-secret-missing', cause: new TypeError('undefined is no function') }],
    } as const;
    const results = resultsOf(reportOf(verdict));
    expect(results.map(({ result, severity, properties }) => `${result} ${severity} ${(properties as RawObject)['mode']}`)).toEqual([
      'fail medium warn',
      'fail low deny',
      'error info fault',
      'warn critical audit',
      'skip high exempt',
    ]);
    expect(results[2]?.['message']).toBe('the rule could not be judged: TypeError: undefined is no function.');
    expect(results[4]?.['message']).toMatch(/ Nobody answers on this port\. Exempt: moves in May\. Fix: name a containerPort 3$/);
    expect(reportOf({ ...verdict, findings: verdict.findings.toReversed() })).toEqual(reportOf(verdict));
  });

  it('ends with the fix as it stands, so that a command can be copied', () => {
    const finding = findingOf(web, 1, { fix: { text: 'kubectl create secret tls web --cert=FILE --key=FILE' } });
    expect(resultsOf(reportOf(broken(web, [finding])))[0]?.['message']).toMatch(/\. Fix: kubectl create .* --key=FILE$/);
  });

  it('ends after so many results with one that counts the rest and is as grave as the gravest of it', () => {
    const findings = [1, 2, 3, 4].map((port) => findingOf(web, port, { severity: port === 4 ? 'low' : 'high' }));
    const report = reportOf(broken(web, findings), { maxResults: 2 });
    expect(resultsOf(report).length).toBe(3);
    expect(resultsOf(report)[2]).toMatchObject({
      severity: 'high',
      result: 'fail',
      rule: 'more-results',
      message: '2 more: `portcullis audit` tells all.',
    });
    expect(report['summary']).toMatchObject({ fail: 4 });
    expect(resultsOf(reportOf(broken(web, findings), { maxResults: 4 })).length).toBe(4);
  });

  it('shows nothing that a terminal acts on, and is bounded whatever people wrote', () => {
    const finding = findingOf(web, 1, { what: `\u001b[31m\u202e${'x'.repeat(100_000)}`, why: 'a\nb.', fix: { text: 'y'.repeat(100_000) } });
    const [result] = resultsOf(reportOf({ ...broken(web, [finding]), exempted: [{ finding, reason: `\u0007${'z'.repeat(100_000)}` }] }));
    expect(JSON.stringify(result)).not.toMatch(/\\u00|\u202e|\\n/);
    expect(JSON.stringify(result).length).toBeLessThan(5_000);
  });

  it('is known again by its hash, in whatever order a store returns its keys, until somebody changes it', () => {
    const report = reportOf(broken(web));
    const reversed = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(reversed)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .toReversed()
                .map(([key, one]) => [key, reversed(one)]),
            )
          : value;
    const stored = reversed({
      ...report,
      metadata: { ...(report['metadata'] as RawObject), uid: 'u', resourceVersion: '7', managedFields: [] },
    }) as RawObject;
    expect(hashOf(stored)).toBe(hashOf(report));
    expect(hashOf(report)).toMatch(/^[0-9a-f]{16}$/);
    expect(hashOf({ ...stored, summary: {} })).toBeUndefined();
    expect(hashOf({})).toBeUndefined();
    expect(hashOf(reportOf(broken(web, [findingOf(web, 81)])))).not.toBe(hashOf(report));
    expect(hashOf(reportOf(broken(web), { form: reportForms.policyreport }))).not.toBe(hashOf(report));
  });

  it('has no field that PolicyReports do not have', () =>
    expect(reportOf(broken(web), { form: reportForms.policyreport })).not.toHaveProperty('source'));
});

describe('the report of the cluster', () => {
  it('is none where all is told elsewhere', () => expect(clusterReport({ leftOut: 0, elsewhere: [], notes: [] }, writing)).toBeUndefined());

  it('counts what is left out, and names the objects that it tells of', () => {
    const elsewhere = entriesOf(broken(web)).map((entry) => ({ object: web, entry }));
    const report = clusterReport({ leftOut: 3, elsewhere, notes: [] }, writing) as RawObject;
    expect(report).toMatchObject({ kind: 'ClusterReport', metadata: { name: 'portcullis' }, summary: { fail: 1, error: 1 } });
    expect(resultsOf(report)).toMatchObject([
      { rule: 'reports-capped', result: 'error', message: expect.stringContaining('3 objects with something to tell have no report') },
      {
        policy: 'service-named-target-port-unresolved',
        resources: [{ kind: 'Service', namespace: 'shop', name: 'web', uid: 'uid-of-web' }],
      },
    ]);
  });

  it('ends before a store refuses it', () => {
    const elsewhere = Array.from({ length: 5_000 }, (_, port) => entriesOf(broken(web, [findingOf(web, port)]))).flat();
    const told = elsewhere.map((entry) => ({ object: web, entry }));
    const report = clusterReport({ leftOut: 0, elsewhere: told, notes: [] }, writing) as RawObject;
    expect(resultsOf(report).length).toBe(401);
    expect(resultsOf(report).at(-1)?.['message']).toMatch(/^4600 more/);
    expect(JSON.stringify(report).length).toBeLessThan(1_000_000);
  });
});

it('every rule has an area', () => {
  for (const { meta } of rules) expect([meta.id, areaOf(meta.id)]).not.toEqual([meta.id, 'Portcullis']);
});
