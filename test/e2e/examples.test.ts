/** `npm run demo` with the real thing: every scene of examples/demo.yaml, typed into real kubectl, before the real API server. */
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { beforeAll, expect, it } from 'vitest';
import { type Scene, scenesOf } from '../../src/commands/demo.ts';
import { objectAt, stringAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { loadManifests } from '../../src/sources/manifests.ts';
import { describeOnCluster, type KubectlResult } from '../support/cluster.ts';
import { addressOf, create, untilViewIsTrue, useStage } from '../support/stage.ts';

const scenes = scenesOf('examples');
const standing = (await loadManifests(['examples/cluster'])).manifests;
const configuration = load(readFileSync('examples/portcullis.yaml', 'utf8')) as RawObject;

describeOnCluster('the examples', () => {
  const stage = useStage({ purpose: 'examples', configuration, ownControlPlane: true });

  beforeAll(async () => {
    // The example's namespace kube-system has no CoreDNS yet; all of it asks for our opinion once it stands.
    await applied();
    for (const name of ['shop', 'sandbox', 'kube-system']) {
      const { status } = await stage.cluster.request('PATCH', `/api/v1/namespaces/${name}`, { metadata: { labels: { e2e: 'examples' } } });
      expect(status).toBe(200);
    }
    await untilViewIsTrue(stage.cluster, stage.replica);
  });

  it('are correct as they stand', async () => {
    expect(await applied()).toBe('');
  });

  it.each(scenes.map((scene) => [scene.title, scene] as const))('%s', async (_, scene) => {
    const { code, stderr } = await typed(scene);
    expect(rulesIn(stderr), stderr).toEqual({ denied: scene.denied.toSorted(), warned: scene.warned.toSorted() });
    expect(code, stderr).toBe(scene.denied.length > 0 ? 1 : 0);
    await restored(scene);
  });

  /** The warnings, if there are any. Applied without validation: a kind may stand in the files before its namespace. */
  async function applied(): Promise<string> {
    const { code, stderr } = await stage.cluster.kubectl(['apply', '-f', 'examples/cluster']);
    expect(code, stderr).toBe(0);
    return stderr;
  }

  async function typed({ namespace, dryRun, ...scene }: Scene): Promise<KubectlResult> {
    if (scene.delete !== undefined) return stage.cluster.kubectl(['delete', '-n', namespace, '-f', `examples/${scene.delete}`]);
    if (scene.label === undefined)
      return stage.cluster.kubectl(['apply', '-n', namespace, '-f', `examples/${scene.apply}`, ...(dryRun ? ['--dry-run=server'] : [])]);
    const { manifests } = await loadManifests([`examples/${scene.label}`]);
    const { kind, metadata, ...rest } = manifests[0]?.raw ?? {};
    await create(stage.cluster, namespace, { ...rest, kind, metadata });
    const target = `${String(kind).toLowerCase()}/${stringAt(metadata as RawObject, 'name')}`;
    const pairs = Object.entries(scene.with).map(([key, value]) => `${key}=${value}`);
    return stage.cluster.kubectl(['label', '-n', namespace, target, ...pairs]);
  }

  /** Every scene begins with examples/cluster. */
  async function restored({ namespace, ...scene }: Scene): Promise<void> {
    const { manifests } = await loadManifests([`examples/${scene.apply ?? scene.label ?? scene.delete}`]);
    for (const { raw } of manifests) {
      const [kind, name] = [String(raw['kind']), stringAt(objectAt(raw, 'metadata'), 'name')];
      await stage.cluster.request('DELETE', addressOf(kind, namespace, name), undefined, 'unjudged');
      const original = standing.find((one) => one.raw['kind'] === kind && isCalled(one.raw, namespace, name));
      if (original === undefined) continue;
      const { code, stderr } = await stage.cluster.kubectl(['apply', '-f', original.file]);
      expect(code, stderr).toBe(0);
    }
    await untilViewIsTrue(stage.cluster, stage.replica);
  }
});

function isCalled(object: RawObject, namespace: string, name: string | undefined): boolean {
  const metadata = objectAt(object, 'metadata');
  return stringAt(metadata, 'namespace') === namespace && stringAt(metadata, 'name') === name;
}

/** The rules that speak in what kubectl printed: a warning ends with its id, a denial has one line for each. */
function rulesIn(stderr: string): { readonly denied: readonly string[]; readonly warned: readonly string[] } {
  const lines = stderr.split('\n');
  const ids = (texts: readonly string[]): readonly string[] =>
    [...new Set(texts.flatMap((text) => [...text.matchAll(/\[([a-z]+(?:-[a-z]+)+)\]/g)].map(([, id]) => id as string)))].sort();
  const isWarning = (line: string): boolean => line.startsWith('Warning: ') || /: warning: /.test(line);
  return { denied: ids(lines.filter((line) => !isWarning(line))), warned: ids(lines.filter(isWarning)) };
}
