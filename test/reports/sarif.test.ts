import sarifSchema from '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json' with { type: 'json' };
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import type { Log, Result } from 'sarif';
import { describe, expect, it } from 'vitest';
import { reports } from '../../src/reports/index.ts';
import type { Report } from '../../src/reports/report.ts';
import { clusterReport, comparedReport, emptyReport, fullReport, hostile, options, reported, subject } from './sample.ts';

/** Written in draft 4, of which it uses nothing that ajv's draft 7 reads otherwise. */
const { id: _, $schema, ...schema } = sarifSchema;
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
addFormats.default(ajv);
const validate = ajv.compile(schema);

const sarif = (report: Report, more = options): Log => JSON.parse(reports.sarif(report, more));
const runOf = (report: Report, more = options) => {
  const [run] = sarif(report, more).runs;
  if (run?.results === undefined) throw new Error('one run, with results');
  return { ...run, results: run.results };
};
const resultsOf = (report: Report, more = options): readonly Result[] => runOf(report, more).results;
const at = (result: Result | undefined) => result?.locations?.[0]?.physicalLocation;

const hostileReport: Report = {
  ...emptyReport,
  findings: [
    reported(
      { what: hostile, why: '[x](javascript:1) {0}', path: ['spec', hostile], subject: { ...subject, name: hostile } },
      'warn',
      `ä ${hostile}\ud800.yaml`,
    ),
  ],
  errors: [{ file: hostile, message: hostile, hint: hostile }],
  notices: [hostile],
};

describe('the SARIF report', () => {
  it.each(Object.entries({ fullReport, clusterReport, comparedReport, emptyReport, hostileReport }))('is valid: %s', (_, report) => {
    for (const more of [options, {}]) {
      validate(sarif(report, more));
      expect(validate.errors ?? []).toEqual([]);
    }
  });
  it('is held against a schema that finds what is wrong', () => {
    expect($schema).toBe('http://json-schema.org/draft-04/schema#');
    expect(JSON.stringify(schema)).not.toMatch(/"exclusive(Min|Max)imum"/);
    const log = sarif(fullReport);
    expect(validate({ ...log, version: '2.0.0' })).toBe(false);
    expect(validate({ ...log, runs: [{ ...log.runs[0], results: [{ message: {} }] }] })).toBe(false);
  });
  it('has a list of results also where there are none', () => expect(resultsOf(emptyReport)).toEqual([]));
  it('leads to the field in the file, from where the command runs', () => {
    expect(at(resultsOf(fullReport)[0])).toEqual({
      artifactLocation: { uri: 'b.yaml', uriBaseId: '%SRCROOT%' },
      region: { startLine: 7, startColumn: 3 },
    });
    const uriOf = (file: string) => at(resultsOf({ ...emptyReport, findings: [reported({}, 'warn', file)] })[0])?.artifactLocation;
    expect(uriOf('./deploy//a b.yaml')).toEqual({ uri: 'deploy/a%20b.yaml', uriBaseId: '%SRCROOT%' });
    expect(uriOf('/work/deploy/../a#b.yaml')).toEqual({ uri: 'a%23b.yaml', uriBaseId: '%SRCROOT%' });
    expect(uriOf('/elsewhere/ä.yaml')).toEqual({ uri: 'file:///elsewhere/%C3%A4.yaml' });
  });
  it('leads to the other object, where it stands in a file', () => {
    const placed = { ...reported(), relatedPlaces: [{ file: 'web.yaml', line: 2, column: 1 }] };
    const [here, nowhere] = resultsOf({ ...emptyReport, findings: [placed, reported({ fingerprint: 'other' })] });
    expect(here?.relatedLocations).toEqual([
      {
        id: 1,
        message: { text: 'Deployment shop/web' },
        physicalLocation: { artifactLocation: { uri: 'web.yaml', uriBaseId: '%SRCROOT%' }, region: { startLine: 2, startColumn: 1 } },
        logicalLocations: [{ name: 'web', fullyQualifiedName: 'shop/Deployment/web', kind: 'resource' }],
      },
    ]);
    expect(nowhere?.relatedLocations).toBeUndefined();
    expect(nowhere?.properties?.['related']).toEqual(['Deployment shop/web']);
  });
  it('names the objects of a cluster, and no file', () => {
    const [first] = resultsOf(clusterReport);
    expect(at(first)).toBeUndefined();
    expect(first?.locations?.[0]?.logicalLocations?.[0]?.fullyQualifiedName).toBe('shop/Service/web/spec.selector');
    expect(first?.relatedLocations?.[0]?.logicalLocations?.[0]?.fullyQualifiedName).toBe('shop/Deployment/web');
    expect(runOf(clusterReport).invocations?.[0]?.endTimeUtc).toBe('2026-11-21T15:20:31.000Z');
  });
  it('has the level of the mode, the gravest first', () => {
    expect(resultsOf(fullReport).map(({ ruleId, level, rank }) => [ruleId, level, rank])).toEqual([
      ['service-selector-matches-no-pods', 'error', 80],
      ['service-selector-matches-no-pods', 'warning', 55],
      ['later-in-file', 'warning', 30],
      ['only-noted', 'note', 55],
      ['let-through', 'warning', 80],
    ]);
  });
  it('describes rules with what a reader needs, and points each result at its rule', () => {
    const run = runOf(fullReport);
    const rules = run.tool.driver.rules ?? [];
    for (const { ruleId, ruleIndex } of run.results) expect(rules[ruleIndex ?? -1]?.id).toBe(ruleId);
    expect(rules[0]).toMatchObject({
      id: 'service-selector-matches-no-pods',
      helpUri: 'https://docs.example/rules/service-selector-matches-no-pods',
      help: { markdown: '# service-selector-matches-no-pods\n\nSee the configuration and [Kubernetes](https://kubernetes.io).\n' },
      properties: { 'security-severity': '8.0' },
    });
    expect(runOf(fullReport, {}).tool.driver.rules?.[0]).not.toHaveProperty('helpUri');
  });
  it('knows the same finding again when it has moved, and tells two alike apart', () => {
    const print = (one: Result | undefined) => one?.partialFingerprints?.['primaryLocationLineHash'];
    const moved = resultsOf({ ...emptyReport, findings: [reported({}, 'warn', 'a.yaml', 99, 1)] });
    expect(print(moved[0])).toBe(print(resultsOf({ ...emptyReport, findings: [reported()] })[0]));
    const alike = resultsOf({ ...emptyReport, findings: [reported(), reported()] });
    expect(alike.map(print)).toEqual([print(moved[0]), print(moved[0])?.replace(/:1$/, ':2')]);
  });
  it('says what is new, what was there and what is gone since the baseline', () => {
    expect(resultsOf(comparedReport).map(({ baselineState, kind }) => [baselineState, kind])).toEqual([
      ['new', 'fail'],
      ['unchanged', 'fail'],
      ['unchanged', 'fail'],
      ['absent', 'pass'],
    ]);
    expect(resultsOf(fullReport)[0]).not.toHaveProperty('baselineState');
  });
  it('holds what is exempt, suppressed with its reason', () => {
    const suppressed = resultsOf(fullReport).filter((one) => one.suppressions !== undefined);
    expect(suppressed.map(({ ruleId, suppressions }) => [ruleId, suppressions?.[0]?.justification])).toEqual([
      ['let-through', 'moved by the platform team'],
    ]);
  });
  it('tells of all that could not be used or judged', () => {
    const [invocation] = runOf(fullReport).invocations ?? [];
    expect(invocation?.executionSuccessful).toBe(false);
    const notes = invocation?.toolExecutionNotifications ?? [];
    expect(notes.map(({ level, message, associatedRule }) => [level, message.text, associatedRule?.id])).toEqual([
      ['error', 'is not valid YAML. Repair it.', undefined],
      ['error', 'does not exist. Check the path.', undefined],
      ['error', 'Service shop/web: the rule failed: TypeError: x is not a function', 'broken'],
      ['note', 'Not checked for 2 objects: Pod of namespace shop is not among the files', 'unsure'],
      ['note', 'Not checked for Service shop/web: there was no time left', 'late'],
      ['note', 'Not checked for Service shop/web: Service of all namespaces may not be read', 'wide'],
      ['note', 'an exemption has expired', undefined],
    ]);
    expect(notes[0]?.locations?.[0]?.physicalLocation?.region).toEqual({ startLine: 2, startColumn: 9 });
    expect(runOf(emptyReport).invocations).toEqual([{ executionSuccessful: true, toolExecutionNotifications: [] }]);
  });
  it('keeps the 5,000 gravest results, and says that there are more', () => {
    const findings = Array.from({ length: 5_003 }, (_, index) =>
      reported({ fingerprint: String(index), severity: index >= 5_000 ? 'critical' : index === 0 ? 'info' : 'low' }),
    );
    const run = runOf({ ...emptyReport, findings });
    expect(run.results.length).toBe(5_000);
    expect(run.results.slice(0, 4).map(({ rank }) => rank)).toEqual([95, 95, 95, 30]);
    expect(run.results.some(({ rank }) => rank === 5)).toBe(false);
    expect(run.invocations?.[0]?.toolExecutionNotifications?.[0]?.message.text).toMatch(/^3 results are left out/);
  });
  it('lets no text be a link or a place for an argument', () => {
    const [result] = resultsOf({ ...emptyReport, findings: [reported({ what: '[x](javascript:1) {0}' })] });
    expect(result?.message.text).toContain('[x] (javascript:1) { 0}');
  });
});
