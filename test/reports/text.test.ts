import { describe, expect, it } from 'vitest';
import { reports } from '../../src/reports/index.ts';
import { emptyReport, finding, fullReport, hostile, reported, subject } from './sample.ts';

const { text } = reports;

describe('the text report', () => {
  it('says everything, grouped by file, in the order of the lines', () => {
    expect(text(fullReport, {})).toMatchInlineSnapshot(`
      "a.yaml
        3:5  medium  Service shop/web
          spec.selector: no Pod in shop matches app=wbe.
          why: Connections fail.
          fix: apply this
          apply: {kind: NetworkPolicy, metadata: {name: dns}}
          service-selector-matches-no-pods (warned on apply)

      b.yaml
        7:2  note (medium)  Service shop/web
          spec.selector: no Pod in shop matches app=wbe.
          why: Connections fail.
          fix: use app=web
          edit: spec.selector[a/b~c]: web
          only-noted (noted in audits)

        7:3  high  Service shop/web
          spec.selector: no Pod in shop matches app=wbe.
          why: Connections fail.
          fix: use app=web
          edit: spec.selector[a/b~c]: web
          service-selector-matches-no-pods (denied on apply)

        20:1  low  Service shop/web
          spec.selector: no Pod in shop matches app=wbe.
          why: Connections fail.
          fix: use app=web
          edit: spec.selector[a/b~c]: web
          later-in-file (warned on apply)

      Cannot be used
        c.yaml:2:9: is not valid YAML
          Repair it.
        d.yaml: does not exist
          Check the path.

      Not checked
        unsure  for 2 objects: Pod of namespace shop is not among the files
        late  for Service shop/web: there was no time left
        wide  for Service shop/web: Service of all namespaces may not be read

      Exempt
        let-through  Service shop/web: moved by the platform team

      Rules that failed (a defect of Portcullis, please report it)
        broken  Service shop/web: TypeError: x is not a function

      Notices
        an exemption has expired

      3 findings (1 high, 1 medium, 1 low), 1 note in 4 objects of 2 files; 2 errors in the input; 4 checks not made; 1 exempt; 1 rule failed
      "
    `);
  });
  it('is one line when all is well', () => {
    expect(text(emptyReport, {})).toBe('No findings in 1 object of 1 file\n');
  });
  it('counts notes apart, since they fail nothing', () => {
    const report = { ...emptyReport, findings: [reported({}, 'audit'), reported({}, 'warn')] };
    expect(text(report, {}).trim().split('\n').at(-1)).toBe('1 finding (1 high), 1 note in 1 object of 1 file');
  });
  it('colours what it is given to colour with, and nothing else', () => {
    const painted = text(fullReport, { paint: (style, part) => `<${style}>${part}</>` });
    expect(painted).toContain('<bold>a.yaml</>');
    expect(painted).toContain('<red>high</>');
    expect(painted).toContain('<cyan>note (medium)</>');
    expect(painted.replaceAll(/<\w*>|<\/>/g, '')).toBe(text(fullReport, {}));
  });
  it('lets no control, escape or bidi character through, wherever it stands', () => {
    const bad = { ...subject, namespace: hostile, name: hostile };
    const one = finding({
      ruleId: hostile,
      what: hostile,
      why: hostile,
      subject: bad,
      path: ['spec', hostile],
      fix: { text: hostile, manifest: { [hostile]: hostile } },
    });
    const report = {
      ...emptyReport,
      findings: [{ finding: one, mode: 'warn' as const, place: { file: hostile, line: 1, column: 1 } }],
      exempted: [{ finding: one, reason: hostile }],
      skipped: [{ skip: { ruleId: hostile, reason: 'notGiven' as const, missing: 'Pod' as const, namespace: hostile }, object: bad }],
      faults: [{ fault: { ruleId: hostile, cause: new Error(hostile) }, object: bad }],
      errors: [{ file: hostile, message: hostile, hint: hostile }],
      notices: [hostile],
    };
    const written = text(report, {});
    expect(written.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(written.split('\n').length).toBe(
      text({ ...report, ...JSON.parse(JSON.stringify(report).replaceAll(JSON.stringify(hostile).slice(1, -1), 'x')) }, {}).split('\n')
        .length,
    );
  });
  it('shortens long names, never paths', () => {
    const long = 'n'.repeat(100);
    const written = text(
      { ...emptyReport, findings: [reported({ subject: { ...subject, name: long }, path: ['metadata', 'annotations', long] })] },
      {},
    );
    expect(written).not.toContain(`Service shop/${long}`);
    expect(written).toContain(`metadata.annotations.${long}`);
  });
});
