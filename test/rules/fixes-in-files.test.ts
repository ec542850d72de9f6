/** Each edit that a rule proposes in a case of its table, made in the text of the object: `check --fix` can make them all. */
import { dump } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import type { Direction } from '../../src/cluster/traffic/flow.ts';
import { rulesOf } from '../../src/cluster/traffic/policy-rules.ts';
import { applyPatch } from '../../src/engine/patch.ts';
import { formatPath } from '../../src/kube/field-path.ts';
import { normalize } from '../../src/kube/normalize.ts';
import { objectAt, objectsAt } from '../../src/kube/read.ts';
import type { NetworkPolicy, RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { readYaml } from '../../src/sources/yaml.ts';
import { editedText } from '../../src/sources/yaml-edit.ts';
import { judge } from '../support/rule-case.ts';
import { readRuleTable } from '../support/rule-table.ts';

const styles: readonly (readonly [string, (object: RawObject) => string])[] = [
  ['lines', (object) => dump(object)],
  ['lines with comments', (object) => `# above\n${dump(object).replaceAll(/^(\s*(?:- )?\S.*[\w"'}\]])$/gm, '$1 # beside')}`],
  ['braces', (object) => dump(object, { flowLevel: 2 })],
  ['JSON', (object) => JSON.stringify(object, null, 2)],
];

const proposed = rules.flatMap((rule) =>
  readRuleTable(`test/rules/${rule.meta.id}.yaml`)
    .invalid.filter(({ operation }) => operation !== 'DELETE')
    .flatMap((one) =>
      judge(rule, one).findings.flatMap(({ path, fix: { patch } }, index) =>
        patch === undefined ? [] : [[`${rule.meta.id}: ${one.name} (${index + 1})`, { rule, one, path: formatPath(path), patch }] as const],
      ),
    ),
);

/** Where the ports of a Service lead: what the API server fills in depends on other fields, which an edit may change. */
const targetsOf = (object: unknown): readonly unknown[] => {
  const spec = objectAt(object as RawObject, 'spec');
  return objectsAt(spec, 'ports').map(({ targetPort }) => targetPort);
};

describe.each(styles)('written in %s', (_, write) => {
  it.each(proposed)('%s', (_name, { rule, one, path, patch }) => {
    const text = write(one.object);
    const result = editedText(text, patch, applyPatch(readYaml(text).value, patch));
    expect(result).toEqual({ text: expect.any(String) });
    const fixed = readYaml('text' in result ? result.text : '').value as RawObject;
    expect(judge(rule, { ...one, object: fixed }).findings.map((finding) => formatPath(finding.path))).not.toContain(path);
    // Where the number itself changes, a target that nobody wrote goes with it.
    if (patch.some((operation) => operation.path.at(-1) === 'port')) return;
    expect(targetsOf(normalize(fixed))).toEqual(targetsOf(applyPatch(normalize(one.object), patch)));
  });
});

/** What such an edit shuts, nobody but the writer knows to be unused: the report says it in words. */
it.each(proposed.filter(([, { one }]) => one.object['kind'] === 'NetworkPolicy'))('shuts nothing by itself: %s', (_, { one, patch }) => {
  const [before, after] = [normalize(one.object), applyPatch(normalize(one.object), patch)] as readonly NetworkPolicy[];
  // What an update takes away, an edit may give back.
  const types = [before, one.before && (normalize(one.before) as NetworkPolicy)].flatMap((policy) => policy?.spec.policyTypes ?? []);
  expect(types).toEqual(expect.arrayContaining([...(after?.spec.policyTypes ?? [])]));
  for (const direction of ['Ingress', 'Egress'] as const) {
    const [was, is] = [widest(before, direction), widest(after, direction)];
    expect(is.open).toBeGreaterThanOrEqual(was.open);
    expect(is.peers).toBeGreaterThanOrEqual(was.peers);
    expect(was.leftOut).toEqual(expect.arrayContaining(is.leftOut));
  }
});

/** How many rules are for everybody, how many peers are named, and which addresses are left out. */
const widest = (policy: NetworkPolicy | undefined, direction: Direction) => {
  const all = policy === undefined ? [] : rulesOf(policy, direction);
  const peers = all.flatMap((rule) => rule.peers ?? []);
  return {
    open: all.filter((rule) => rule.peers === undefined && rule.ports === undefined).length,
    peers: peers.length,
    leftOut: peers.flatMap(({ ipBlock }) => ipBlock?.except ?? []),
  };
};

it('there are such edits', () => expect(proposed.length).toBeGreaterThan(20));
