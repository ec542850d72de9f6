import { describe, expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { shortDigest } from '../../src/reports/digest.ts';
import { reports } from '../../src/reports/index.ts';
import { entriesOf } from '../../src/reports/policy-report.ts';
import { broken, serviceNamed } from '../sinks/verdicts.ts';
import { emptyReport, fullReport, hostile, reported } from './sample.ts';

const web = serviceNamed('web');

// biome-ignore lint/suspicious/noExplicitAny: parsed JSON, which the tests pick apart
const json = (report: typeof fullReport): any => JSON.parse(reports.json(report, {}));

describe('the JSON report', () => {
  it('has the envelope of version 1', () => {
    const report = json(fullReport);
    expect(Object.keys(report)).toEqual(['version', 'summary', 'findings', 'skipped', 'faults', 'errors', 'notices']);
    expect(report.version).toBe(1);
    expect(report.summary).toEqual({
      objects: 4,
      files: 2,
      findings: 4,
      bySeverity: { critical: 0, high: 1, medium: 2, low: 1, info: 0 },
      skipped: 5,
    });
  });
  it('writes a finding with every field that tools need', () => {
    expect(json(fullReport).findings[1]).toEqual({
      rule: 'service-selector-matches-no-pods',
      severity: 'high',
      mode: 'deny',
      object: { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web' },
      path: 'spec.selector',
      file: 'b.yaml',
      line: 7,
      column: 3,
      what: 'no Pod in shop matches app=wbe',
      why: 'Connections fail.',
      fix: 'use app=web',
      related: [{ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' }],
      message: 'noPodMatches',
      fingerprint: 'print',
      id: shortDigest('print'),
      patch: [{ op: 'replace', path: '/spec/selector/a~1b~0c', value: 'web' }],
    });
  });
  it('names a finding as SARIF, GitLab and the reports of the audit do', () => {
    const { findings } = json(fullReport);
    const [run] = JSON.parse(reports.sarif(fullReport, {})).runs;
    const ids = findings.map(({ id }: { id: string }) => id).toSorted();
    const inSarif = run.results.filter(({ suppressions }: RawObject) => suppressions === undefined);
    expect(inSarif.map((one: { partialFingerprints: RawObject }) => one.partialFingerprints['portcullis/v1']).toSorted()).toEqual(ids);
    const inGitLab = JSON.parse(reports.gitlab(fullReport, {})).map(({ fingerprint }: RawObject) => fingerprint);
    for (const id of ids) expect(inGitLab).toContain(id);
    const entries = entriesOf({
      ...broken(
        web,
        fullReport.findings.map(({ finding }) => finding),
      ),
    });
    expect(entries.map(({ fingerprint }) => fingerprint).toSorted()).toEqual(ids);
  });
  it('has a patch or a manifest only where there is one', () => {
    const { findings } = json(fullReport);
    expect([Object.hasOwn(findings[3], 'patch'), findings[3].manifest]).toEqual([
      false,
      { kind: 'NetworkPolicy', metadata: { name: 'dns' } },
    ]);
    expect(Object.hasOwn(findings[0], 'manifest')).toBe(false);
  });
  it('lists what was not checked, what is exempt, what failed and what could not be read', () => {
    const { skipped, faults, errors, notices } = json(fullReport);
    expect(skipped[0]).toEqual({
      rule: 'unsure',
      reason: 'notGiven',
      object: { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web' },
      missing: 'Pod',
      namespace: 'shop',
      message: 'Pod of namespace shop is not among the files',
    });
    expect(skipped.slice(2).map(({ rule, reason, message }: Record<string, unknown>) => [rule, reason, message])).toEqual([
      ['late', 'deadline', 'there was no time left'],
      ['wide', 'forbidden', 'Service of all namespaces may not be read'],
      ['let-through', 'exempt', 'moved by the platform team'],
    ]);
    expect(faults).toEqual([{ rule: 'broken', object: skipped[0].object, message: 'TypeError: x is not a function' }]);
    expect(errors).toEqual(fullReport.errors);
    expect(notices).toEqual(['an exemption has expired']);
  });
  it('is empty lists where there is nothing', () => {
    const { findings, skipped, faults, errors } = json(emptyReport);
    expect([findings, skipped, faults, errors]).toEqual([[], [], [], []]);
  });
  it('loses no character, and writes none that a terminal acts on', () => {
    const astral = '\u{E0041}';
    const report = { ...emptyReport, findings: [reported({ what: hostile + astral })] };
    const written = reports.json(report, {});
    expect(written.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(JSON.parse(written).findings[0].what).toBe(hostile + astral);
  });
});
