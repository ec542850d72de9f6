/** What an audit says of exemptions: of those that are used, of those that are not, and of entries of the configuration. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { run } from '../../src/commands/program.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { encoded, everywhere } from '../support/snapshot-file.ts';
import { fakeTerminal } from './terminal.ts';

const now = Date.UTC(2026, 10, 21, 12);
const rule = 'service-selector-matches-no-pods';

const service = (name: string, namespace: string, app: string, reason?: string): RawObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace, ...(reason && { annotations: { [`exempt.portcullis.dev/${rule}`]: reason } }) },
  spec: { selector: { app }, ports: [{ port: 80 }] },
});
const deployment: RawObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ ports: [{ containerPort: 80 }] }] } } },
};

interface Told {
  readonly object: { readonly name: string };
  readonly rule: string;
  readonly message: string;
}

/** The JSON of an audit of these objects, on 2026-11-21. */
async function audited(objects: readonly RawObject[], exemptions: object, ...more: readonly string[]) {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-audit-exemptions-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const snapshot = ClusterSnapshot.empty({ observedAt: now, coverage: () => 'complete' });
  const configuration = JSON.stringify({ apiVersion: 'portcullis.dev/v1', exemptions });
  await writeFile(join(directory, 'config.yaml'), configuration);
  const held = snapshot.with(objects.flatMap((raw) => normalize(raw) ?? []));
  await writeFile(join(directory, 'cluster.json'), encoded(held, everywhere, {}));
  const terminal = fakeTerminal();
  const files = ['--snapshot', join(directory, 'cluster.json'), '--config', join(directory, 'config.yaml')];
  await run(['audit', ...files, ...more, '-o', 'json'], terminal, '0.0.0');
  const { findings, skipped, notices } = JSON.parse(terminal.written.out);
  const brief = ({ object, rule: id, message }: Told) => `${object.name} ${id} ${message}`;
  return { findings: findings.map(brief), skipped: skipped.map(brief), notices };
}

it('lists what is exempt with its reason, and finds what exempts for nothing, or not for long', async () => {
  const objects = [
    deployment,
    service('used', 'shop', 'wbe', 'the Pods come by hand'),
    service('unused', 'shop', 'web', 'the Pods come by hand'),
    service('unused-soon', 'shop', 'web', 'the Pods come by hand until 2026-11-30'),
    service('ending', 'shop', 'wbe', 'the Pods come by hand until 2026-11-30'),
    service('expired', 'shop', 'wbe', 'the Pods come by hand until 2026-11-20'),
  ];
  const { findings, skipped, notices } = await audited(objects, { byAnnotation: 'always' });
  expect(findings).toEqual([
    'ending exemption-invalid endsSoon',
    `expired ${rule} noPodMatches`,
    'expired exemption-invalid expired',
    'unused exemption-invalid unused',
    'unused-soon exemption-invalid unused',
  ]);
  expect(skipped).toEqual([
    `ending ${rule} the Pods come by hand (annotation, until 2026-11-30)`,
    `used ${rule} the Pods come by hand (annotation)`,
  ]);
  expect(notices).toEqual([]);
});

const list = [
  { rules: [rule], names: ['used'], reason: 'by hand' },
  { rules: [rule], names: ['unused'], reason: 'is repaired' },
  { rules: ['*'], names: ['gone'], reason: 'is removed' },
  { rules: [rule], users: ['jane'], reason: 'nobody knows' },
  { rules: ['dns-resolver-isolated'], reason: 'for removals too' },
  { rules: [rule], names: ['used'], reason: 'for a while', until: '2026-11-30' },
  { rules: [rule], names: ['used'], reason: 'was', until: '2026-11-20' },
];
const nothing = 'exempts nothing: its rules find nothing in what it matches; remove it';

const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'web', namespace: 'shop' }, spec: {} };

it('notes the entries that somebody should look at', async () => {
  const objects = [deployment, policy, service('used', 'shop', 'wbe'), service('unused', 'shop', 'web')];
  expect((await audited(objects, { list })).notices).toEqual([
    expect.stringContaining('exemptions.list[6] of the configuration ("was") ended on 2026-11-20'),
    `exemptions.list[1] of the configuration ("is repaired") ${nothing}`,
    `exemptions.list[2] of the configuration ("is removed") ${nothing}`,
    expect.stringContaining('exemptions.list[5] of the configuration ("for a while") ends on 2026-11-30'),
  ]);
});

it('calls no entry unused where only a part of the cluster was judged', async () => {
  const objects = [deployment, service('used', 'shop', 'wbe'), service('unused', 'shop', 'web')];
  const { notices } = await audited(objects, { list }, '-n', 'shop');
  expect(notices).toEqual([expect.stringContaining('exemptions.list[6]'), expect.stringContaining('exemptions.list[5]')]);
});
