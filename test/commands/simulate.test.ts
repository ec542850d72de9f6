import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, describe, expect, it } from 'vitest';
import { KubeError } from '../../src/client/kube-client.ts';
import { sightingsIn } from '../../src/commands/first-seen.ts';
import type { EarlierAudit } from '../../src/commands/read-audits.ts';
import { readAudits } from '../../src/commands/read-audits.ts';
import { simulationOf } from '../../src/commands/simulate.ts';
import type { Target } from '../../src/config/raise.ts';
import type { Collection, RawObject } from '../../src/kube/resources.ts';
import { type Simulation, simulationFormats } from '../../src/reports/simulation.ts';
import { loadManifests } from '../../src/sources/manifests.ts';
import { stateOf } from '../support/cluster-state.ts';
import { deployment, ingress, secret, service } from '../support/shop.ts';
import { fakeTerminal } from './terminal.ts';

const within = (namespace: string, object: RawObject): RawObject => ({
  ...object,
  metadata: { ...(object['metadata'] as RawObject), namespace },
});
const namespace = (name: string, labels: RawObject = {}): RawObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});
const shop = [namespace('shop'), ...[deployment, service(), ingress('tls'), secret('tls')].map((one) => within('shop', one))];
const pay = [namespace('pay'), ...[deployment, service()].map((one) => within('pay', one))];
/** Selects nobody, and says so only in a warning under `guided`. */
const old = [namespace('old'), ...[deployment, service({ selector: { app: 'wbe' } })].map((one) => within('old', one))];

interface Given {
  readonly file?: RawObject;
  readonly target?: Target;
  readonly audits?: readonly EarlierAudit[];
  readonly namespace?: readonly string[];
  readonly missing?: Collection;
}

const simulated = (
  objects: readonly RawObject[],
  { file = {}, target = 'strict', audits = [], missing, ...rest }: Given = {},
): Promise<Simulation> => {
  const coverage = (collection: Collection) => (collection === missing ? 'forbidden' : 'complete');
  return simulationOf(stateOf(objects, file, coverage), { target, audits, ...rest }, fakeTerminal());
};
const config = ({ values }: Simulation): unknown => (values?.tree as { readonly config: unknown } | undefined)?.config;
const noPods = 'service-selector-matches-no-pods';
const denyMode = { mode: 'deny' };

describe('where all is clean', () => {
  it('proposes the profile, and no more', async () => {
    const simulation = await simulated([...shop, ...pay]);
    expect([config(simulation), simulation.labelled, simulation.cells]).toEqual([{ profile: 'strict' }, [], []]);
  });
  it('lifts a rule that the configuration holds lower, with it', async () => {
    const file = { rules: { [noPods]: { mode: 'audit', overrides: [{ namespaces: ['pay'], mode: 'warn' }] } } };
    expect(config(await simulated([...shop, ...pay], { file }))).toEqual({
      profile: 'strict',
      rules: { [noPods]: { mode: 'deny', overrides: [] } },
    });
  });
  it('leaves off what is off', async () => {
    const file = {
      rules: { [noPods]: { mode: 'off' }, 'tls-secret-missing': { mode: 'warn', overrides: [{ namespaces: ['shop'], mode: 'off' }] } },
    };
    expect(config(await simulated([...shop, ...pay], { file }))).toEqual({ profile: 'strict' });
  });
  it('has nothing to propose where all is denied already', async () => {
    const simulation = await simulated([...shop, ...pay], { file: { profile: 'strict' } });
    expect([config(simulation), simulation.labelled]).toEqual([undefined, []]);
    expect(simulationFormats.text(simulation, { paint: (_, text) => text })).toContain('Nothing more can be raised');
  });
});

describe('where something may not be read', () => {
  const pending = [namespace('shop'), within('shop', deployment), within('shop', ingress('tls'))];
  const text = (simulation: Simulation): string => simulationFormats.text(simulation, { paint: (_, one) => one });

  it('does not raise a rule that could not say whether somebody brings the Secret', async () => {
    const simulation = await simulated(pending, { missing: 'Certificate' });
    const ofSecrets = ({ cells }: Simulation) => cells.filter(({ ruleId }) => ruleId === 'tls-secret-missing');
    expect(ofSecrets(simulation)).toEqual([expect.objectContaining({ unjudged: ['Certificates of namespace shop may not be read'] })]);
    expect(JSON.stringify(config(simulation) ?? {})).not.toContain('tls-secret-missing');
    expect(simulation.labelled).toEqual([]);
    expect(text(simulation)).toContain('not judged: Certificates of namespace shop may not be read');
    const known = await simulated(pending);
    expect(ofSecrets(known)).toEqual([expect.objectContaining({ denied: ['Ingress web'] })]);
  });
  it('raises nothing for a namespace in which a kind may not be listed that the rule judges', async () => {
    const simulation = await simulated([...shop, ...pay], { missing: 'Ingress' });
    expect(simulation.labelled).toEqual([]);
    expect(JSON.stringify(config(simulation) ?? {})).not.toContain('tls-secret-missing');
  });
  it('says so first where nothing could be judged at all', async () => {
    expect(text(await simulated([namespace('shop')]))).toContain(
      'NOTHING WAS JUDGED in example: no Service, Ingress or NetworkPolicy was found',
    );
    expect(text(await simulated([namespace('pay'), within('pay', service())], { missing: 'Pod' }))).toContain(
      'NOTHING WAS JUDGED in example: none of 1 object could be judged to the end',
    );
    expect(text(await simulated(shop))).toContain('What strict would deny in example: 2 objects');
  });
});

describe('where a namespace is not clean', () => {
  it('raises the other rules everywhere, and labels the other namespaces', async () => {
    const simulation = await simulated([...shop, ...pay, ...old]);
    expect(simulation.cells).toEqual([
      expect.objectContaining({ ruleId: noPods, namespace: 'old', denied: ['Service web'], deniedAlready: 0 }),
    ]);
    expect(simulation.labelled).toEqual(['pay', 'shop']);
    const { rules } = config(simulation) as { readonly rules: Readonly<Record<string, unknown>> };
    expect(rules).toMatchObject({
      'service-named-target-port-unresolved': denyMode,
      'service-target-port-protocol-mismatch': denyMode,
      'tls-secret-missing': denyMode,
    });
    expect(Object.keys(rules)).not.toContain(noPods);
    for (const raised of Object.values(rules)) expect(raised).toEqual(denyMode);
  });
  it('names the namespaces where labels have no effect', async () => {
    const file = { namespaceProfiles: 'ignore', rules: { [noPods]: { overrides: [{ namespaces: ['o*'], mode: 'audit' }] } } };
    const simulation = await simulated([...shop, ...pay, ...old], { file });
    expect(simulation.labelled).toEqual([]);
    expect(config(simulation)).toMatchObject({
      rules: {
        [noPods]: {
          overrides: [
            { namespaces: ['pay', 'shop'], mode: 'deny' },
            { namespaces: ['o*'], mode: 'audit' },
          ],
        },
      },
    });
  });
  it('proposes nothing for all namespaces if only some were looked at', async () => {
    const simulation = await simulated([...shop, ...pay, ...old], { namespace: ['shop', 'pay'] });
    expect([config(simulation), simulation.labelled, simulation.namespaces]).toEqual([undefined, ['pay', 'shop'], 2]);
  });
  it('counts what only an exemption lets through, and raises', async () => {
    const file = { exemptions: { list: [{ rules: [noPods], namespaces: ['old'], reason: 'to be moved' }] } };
    const simulation = await simulated([...shop, ...old], { file });
    expect(simulation.cells).toEqual([expect.objectContaining({ namespace: 'old', denied: [], exempt: 1 })]);
    expect(config(simulation)).toEqual({ profile: 'strict' });
  });
  it('says what is denied already', async () => {
    const simulation = await simulated([...shop, ...old], { file: { rules: { [noPods]: denyMode } } });
    expect(simulation).toMatchObject({ deniedNow: 1, cells: [{ denied: ['Service web'], deniedAlready: 1 }] });
  });
});

describe('what could not be judged', () => {
  it('is not proposed, and is said', async () => {
    const simulation = await simulated([...shop, ...pay], { missing: 'Template' });
    const unjudged = simulation.cells.filter((cell) => cell.unjudged.length > 0).map(({ ruleId }) => ruleId);
    expect(unjudged).toContain(noPods);
    const proposed = Object.keys((config(simulation) as { readonly rules?: RawObject } | undefined)?.rules ?? {});
    expect(proposed).toContain('tls-secret-missing');
    expect(proposed.filter((id) => unjudged.includes(id))).toEqual([]);
    expect(simulationFormats.text(simulation, { paint: (_, text) => text })).toMatch(/\d+ not judged, so not proposed/);
  });
  it('keeps a change of all namespaces back if the namespaces are not known', async () => {
    const simulation = await simulated([...shop.slice(1), ...pay.slice(1)], { missing: 'Namespace' });
    expect(config(simulation)).not.toHaveProperty('profile');
    expect(simulation.labelled).toEqual([]);
  });
});

describe('earlier audits', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'portcullis-simulate-'));
  afterAll(() => rmSync(scratch, { recursive: true }));
  const audit = (day: string, messageId: string): EarlierAudit => ({
    observedAt: Date.parse(`${day}T06:00:00Z`),
    findings: [{ ruleId: noPods, messageId, namespace: 'shop' }],
  });

  it('hold back what they would have denied, though it is repaired', async () => {
    const simulation = await simulated([...shop, ...pay], {
      audits: [audit('2026-11-18', 'noPodMatches'), audit('2026-11-19', 'noPodMatches')],
    });
    expect(simulation.cells).toEqual([
      expect.objectContaining({
        ruleId: noPods,
        namespace: 'shop',
        denied: [],
        audits: ['2026-11-18 06:00', '2026-11-19 06:00'],
        since: Date.parse('2026-11-18T06:00:00Z'),
      }),
    ]);
    expect(simulation.labelled).toEqual(['pay']);
  });
  it('count for nothing where the profile would only have warned', async () => {
    expect(config(await simulated(shop, { audits: [audit('2026-11-18', 'constructor')] }))).toEqual({ profile: 'strict' });
  });
  it('are read from reports in JSON, oldest first', async () => {
    const object = { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web' };
    const files = ['2026-11-19', '2026-11-18'].map((day) => {
      const path = join(scratch, `${day}.json`);
      writeFileSync(
        path,
        JSON.stringify({ version: 1, observedAt: `${day}T06:00:00.000Z`, findings: [{ rule: noPods, message: 'noPodMatches', object }] }),
      );
      return path;
    });
    expect(await readAudits(files)).toEqual([audit('2026-11-18', 'noPodMatches'), audit('2026-11-19', 'noPodMatches')]);
    writeFileSync(join(scratch, 'other.json'), '{"version": 1, "findings": []}');
    await expect(readAudits([join(scratch, 'other.json')])).rejects.toMatchObject({
      code: 'PC0009',
      message: expect.stringContaining('observedAt'),
    });
    await expect(readAudits([join(scratch, 'none.json')])).rejects.toMatchObject({ code: 'PC0002' });
  });
});

describe('reports in the cluster', () => {
  const served = { resources: [{ name: 'reports' }, { name: 'clusterreports' }] };
  const result = (rule: string, mode: string, firstSeen: string): RawObject => ({ policy: noPods, rule, properties: { mode, firstSeen } });
  const report = {
    metadata: { namespace: 'old', name: 'x' },
    results: [
      result('noPodMatches', 'warn', '2026-11-12T08:00:00Z'),
      result('noPodMatches', 'warn', '2026-11-10T08:00:00Z'),
      result('noPodMatches', 'exempt', '2026-11-01T08:00:00Z'),
      result('noPodMatches', 'warn', 'last week'),
      result('another', 'warn', '2026-11-02T08:00:00Z'),
      { policy: 'portcullis', rule: 'more-results' },
    ],
  };
  const answers = new Map<string, RawObject>([
    ['/apis/openreports.io/v1alpha1', served],
    ['/apis/openreports.io/v1alpha1/reports', { items: [report] }],
    ['/apis/openreports.io/v1alpha1/clusterreports', { items: [] }],
  ]);
  const client = {
    get: async (path: string): Promise<RawObject> => {
      const answer = answers.get(path.replace(/\?.*/, ''));
      if (answer === undefined) throw new KubeError(404, 'NotFound', 'no such path');
      return answer;
    },
  };

  it('tell since when it would have been denied', async () => {
    const state = { ...stateOf([...shop, ...old]), sightings: () => sightingsIn(client, AbortSignal.timeout(5_000)) };
    const { cells } = await simulationOf(state, { target: 'strict', audits: [] }, fakeTerminal());
    expect(cells).toEqual([expect.objectContaining({ namespace: 'old', since: Date.parse('2026-11-10T08:00:00Z') })]);
  });
  it('are none where they are not served, or may not be read', async () => {
    const refused = async (): Promise<RawObject> => {
      throw new KubeError(403, 'Forbidden', 'you may not');
    };
    expect(await sightingsIn({ get: refused }, AbortSignal.timeout(5_000))).toEqual([]);
  });
});

describe('--profile guided', () => {
  it('proposes the profile where it denies nothing, and leaves the modes of rules alone', async () => {
    const file = { profile: 'observe', rules: { 'service-node-port-policy': { mode: 'audit' } } };
    expect(config(await simulated([...shop, ...old], { file, target: 'guided' }))).toEqual({ profile: 'guided' });
    expect(config(await simulated([...shop, ...old], { file: { profile: 'observe' }, target: 'guided' }))).toEqual({ profile: 'guided' });
  });
});

describe('as text and Markdown', () => {
  const plain = { paint: (_: string, text: string) => text };

  it('holds values that Helm reads, and commands', async () => {
    const text = simulationFormats.markdown(await simulated([...shop, ...pay, ...old]), plain);
    const yaml = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
    expect(load(yaml)).toMatchObject({ config: { rules: { 'tls-secret-missing': denyMode } } });
    expect(text).toContain('kubectl label namespace pay portcullis.dev/profile=strict\n');
    expect(text).toContain(`| \`${noPods}\` | \`old\` | 1 | would deny Service web |`);
  });
  it('makes nothing of hostile names but text', async () => {
    const hostile = 'a\u001b[31m`|$(touch pwned) *';
    const objects = [
      namespace(hostile),
      ...[deployment, service({ selector: { app: 'wbe' } })].map((one) => within(hostile, one)),
      ...shop,
    ];
    const simulation = await simulated(objects);
    expect(simulation.cells).toHaveLength(1);
    expect([config(simulation), simulation.labelled]).toEqual([undefined, ['shop']]);
    for (const format of ['text', 'json', 'markdown'] as const)
      expect(simulationFormats[format](simulation, plain)).not.toContain('\u001b');
    const row = simulationFormats
      .markdown(simulation, plain)
      .split('\n')
      .find((line) => line.includes('touch pwned'));
    expect(row?.replaceAll(/\\\|/g, '').match(/\|/g)).toHaveLength(5);
  });
  it('says of the example cluster what stands in docs/simulate.md', async () => {
    const { manifests } = await loadManifests(['examples/cluster', 'examples/broken/selector-typo.yaml']);
    const isPlaced = (raw: RawObject): boolean => raw['kind'] === 'Namespace' || Object.hasOwn(raw['metadata'] as RawObject, 'namespace');
    const objects = manifests.map(({ raw }) => (isPlaced(raw) ? raw : within('sandbox', raw)));
    const file = load(readFileSync('examples/portcullis.yaml', 'utf8')) as RawObject;
    expect(readFileSync('docs/simulate.md', 'utf8')).toContain(simulationFormats.text(await simulated(objects, { file }), plain));
  });
});
