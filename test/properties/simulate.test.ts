/** What `simulate` proposes, made in the raw configuration as Helm would make it: nothing that exists is denied by it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClusterState } from '../../src/commands/cluster-state.ts';
import { scanState } from '../../src/commands/scan.ts';
import { simulationOf } from '../../src/commands/simulate.ts';
import { canDeny, type Target } from '../../src/config/raise.ts';
import { modes, profiles } from '../../src/engine/mode.ts';
import { isObject, objectAt } from '../../src/kube/read.ts';
import type { Collection, RawObject } from '../../src/kube/resources.ts';
import type { Simulation } from '../../src/reports/simulation.ts';
import { rules } from '../../src/rules/index.ts';
import { fakeTerminal } from '../commands/terminal.ts';
import { stateOf } from '../support/cluster-state.ts';
import { runs } from '../support/figures.ts';
import { ruleWorld } from '../support/rule-worlds.ts';

const namespaceNames = ['shop', 'elsewhere', 'kube-system'];
const mode = fc.constantFrom(...modes);
const override = fc.record({ namespaces: fc.uniqueArray(fc.constantFrom('shop', 'else*', 'kube-system'), { minLength: 1 }), mode });
const ruleSettings = fc.record({ mode, overrides: fc.array(override, { maxLength: 2 }) }, { requiredKeys: [] });
const ids = rules.map(({ meta }) => meta.id);
const ranges = [{ namespaceSelector: { matchLabels: { team: 'a' } }, ports: ['30100-30199'] }];
const configuration = fc
  .record({
    profile: fc.constantFrom(...profiles),
    namespaceProfiles: fc.constantFrom('ignore', 'stricter', 'any'),
    rules: fc.dictionary(fc.constantFrom(...ids), ruleSettings, { maxKeys: 4 }),
    protectedNamespaces: fc.constantFrom(['kube-system'], []),
  })
  .map((file): RawObject => {
    const nodePorts = file.rules['service-node-port-policy'];
    return { ...file, rules: { ...file.rules, 'service-node-port-policy': { ...nodePorts, options: { ranges } } } };
  });
const label = fc.option(fc.constantFrom(...profiles), { nil: undefined, freq: 3 });
const world = fc
  .tuple(ruleWorld(['Service', 'Ingress', 'NetworkPolicy']), fc.tuple(label, label, label))
  .map(([{ object, cluster, unrelated }, chosen]): readonly RawObject[] => {
    const given = namespaceNames.map((name, index) => namespace(name, chosen[index]));
    return [...[...cluster, ...unrelated, object].filter(({ kind }) => kind !== 'Namespace'), ...given];
  });
const namespace = (name: string, profile: string | undefined): RawObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { ...(name === 'shop' && { team: 'a' }), ...(profile && { 'portcullis.dev/profile': profile }) } },
});
/** Of what is unknown, a rule that asks for it does not judge. */
const unknown = fc.option(fc.constantFrom<Collection>('Template', 'Pod', 'Service', 'Namespace'), { nil: undefined, freq: 3 });

/** Helm: maps are merged, everything else takes the place of what was there. */
const merged = (base: RawObject, change: RawObject): RawObject => {
  const changed = Object.entries(change).map(([key, value]) => [key, isObject(value) ? merged(objectAt(base, key) ?? {}, value) : value]);
  return { ...base, ...Object.fromEntries(changed) };
};

interface Case {
  readonly objects: readonly RawObject[];
  readonly file: RawObject;
  readonly target: Target;
  readonly missing: Collection | undefined;
}

const simulated = fc.record({
  objects: world,
  file: configuration,
  target: fc.constantFrom<Target>('strict', 'strict', 'guided'),
  missing: unknown,
});
const terminal = fakeTerminal();
const coverageWithout = (missing: Collection | undefined) => (collection: Collection) =>
  collection === missing ? 'forbidden' : 'complete';

async function tried({ objects, file, target, missing }: Case) {
  const before = stateOf(objects, file, coverageWithout(missing));
  const simulation = await simulationOf(before, { target, audits: [] }, terminal);
  const relabelled = objects.map((object) => {
    const name = objectAt(object, 'metadata')?.['name'];
    return object['kind'] === 'Namespace' && simulation.labelled.includes(String(name)) ? namespace(String(name), target) : object;
  });
  const change = objectAt((simulation.values?.tree ?? {}) as RawObject, 'config') ?? {};
  return { simulation, before, after: stateOf(relabelled, merged(file, change), coverageWithout(missing)) };
}

const denied = async (state: ClusterState): Promise<readonly string[]> => {
  const { report } = await scanState(state, {}, terminal);
  return report.findings.filter(({ mode: given }) => given === 'deny').map(({ finding }) => finding.fingerprint);
};

/** Whether all that the profile denies of the rule is denied in the namespace. */
function deniesAll({ configuration: { bind }, snapshot }: ClusterState, ruleId: string, name: string, target: Target): boolean {
  const [object] = (['Service', 'Ingress', 'NetworkPolicy'] as const)
    .filter((kind) => rules.find(({ meta }) => meta.id === ruleId)?.meta.kinds.some((one) => one === kind))
    .flatMap((kind) => snapshot.list(kind, name));
  if (object === undefined) return true;
  const namespaceLabels = snapshot.get('Namespace', '', name)?.metadata.labels ?? {};
  const settings = bind({ object, operation: 'CREATE', namespaceLabels, now: 0 });
  const rule = settings.rules.find(({ meta }) => meta.id === ruleId);
  if (rule === undefined) return false;
  const deniable = Object.values(rule.messages).filter((message) => message.modes[target] === 'deny');
  return deniable.every((message) => settings.modeOf({ ruleId } as Parameters<typeof settings.modeOf>[0], message) === 'deny');
}

const cellsWith = ({ cells }: Simulation, fits: (cell: Simulation['cells'][number]) => boolean) => cells.filter(fits);

describe('what is proposed', () => {
  it('denies nothing that was not denied before', async () => {
    let proposals = 0;
    await fc.assert(
      fc.asyncProperty(simulated, async (given) => {
        const { simulation, before, after } = await tried(given);
        if (simulation.values !== undefined || simulation.labelled.length > 0) proposals += 1;
        const known = await denied(before);
        expect((await denied(after)).filter((fingerprint) => !known.includes(fingerprint))).toEqual([]);
      }),
      { numRuns: runs(150, 20_000) },
    );
    expect(proposals).toBeGreaterThan(40);
  });

  it('raises no rule where it was not judged, or would deny', async () => {
    let held = 0;
    await fc.assert(
      fc.asyncProperty(simulated, async (given) => {
        const { simulation, before, after } = await tried(given);
        for (const { ruleId, namespace: name } of cellsWith(simulation, (cell) => cell.denied.length + cell.unjudged.length > 0)) {
          held += 1;
          expect(deniesAll(after, ruleId, name, given.target)).toBe(deniesAll(before, ruleId, name, given.target));
        }
      }),
      { numRuns: runs(100, 10_000) },
    );
    expect(held).toBeGreaterThan(20);
  });

  it('leaves nothing out that is clean, unless it is off or protected', async () => {
    let raised = 0;
    await fc.assert(
      fc.asyncProperty(simulated, async ({ file, ...given }) => {
        const strict = { ...given, file: { ...file, protectedNamespaces: [] }, target: 'strict' } as const;
        const { simulation, before, after } = await tried(strict);
        const held = new Set(
          cellsWith(simulation, (cell) => cell.denied.length + cell.unjudged.length > 0).map(
            ({ ruleId, namespace: name }) => `${ruleId}/${name}`,
          ),
        );
        const proposed = Object.keys(objectAt(objectAt((simulation.values?.tree ?? {}) as RawObject, 'config'), 'rules') ?? {});
        for (const rule of rules) {
          const { meta } = rule;
          // What a removal or a change breaks, no look at what stands can show.
          if (meta.orderClass === 'destructive') expect(proposed).not.toContain(meta.id);
          if (!canDeny(rule, 'strict')) continue;
          for (const name of namespaceNames) {
            if (held.has(`${meta.id}/${name}`) || deniesAll(before, meta.id, name, 'strict') || isOff(file, meta.id, name)) continue;
            raised += 1;
            expect(deniesAll(after, meta.id, name, 'strict'), `${meta.id} in ${name}`).toBe(true);
          }
        }
      }),
      { numRuns: runs(100, 10_000) },
    );
    expect(raised).toBeGreaterThan(20);
  });
});

/** As the generated configurations choose namespaces: by name, or by `else*`. */
function isOff(file: RawObject, ruleId: string, name: string): boolean {
  const settings = objectAt(objectAt(file, 'rules'), ruleId);
  const overrides = (settings?.['overrides'] ?? []) as readonly { readonly namespaces: readonly string[]; readonly mode: string }[];
  const override = overrides.find(({ namespaces }) => namespaces.some((one) => one === name || (one === 'else*' && name === 'elsewhere')));
  return (override?.mode ?? settings?.['mode']) === 'off';
}
