/** The demo itself: every example has its scene, every answer is as documented, and one that is not is noticed. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { play, type Stage, scenesOf, stageOf } from '../../src/commands/demo.ts';
import { type DemoServer, startDemoServer } from '../../src/commands/demo-server.ts';

const examples = join(import.meta.dirname, '..', '..', 'examples');
const scenes = scenesOf(examples);

it('plays every file of examples/broken and examples/correct', () => {
  const files = globSync('{broken,correct}/*.yaml', { cwd: examples }).sort();
  const played = new Set(scenes.map((scene) => scene.apply ?? scene.delete ?? scene.label));
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((file) => !played.has(file))).toEqual([]);
});

it('finds fault with every file of examples/broken somewhere, and never with one of examples/correct that is applied', () => {
  const faulted = scenes.filter(({ denied, warned }) => denied.length + warned.length > 0);
  const broken = globSync('broken/*.yaml', { cwd: examples });
  expect(broken.filter((file) => !faulted.some(({ apply }) => apply === file))).toEqual([]);
  expect(faulted.filter(({ apply }) => apply?.startsWith('correct/'))).toEqual([]);
});

it.each([
  'service-selector-matches-no-pods',
  'service-named-target-port-unresolved',
  'service-node-port-policy',
  'tls-secret-missing',
  'network-policy-isolates-dns',
  'dns-resolver-isolated',
])('shows a denial by %s', (id) => expect(scenes.flatMap(({ denied }) => denied)).toContain(id));

describe('on the real webhook', () => {
  let server: DemoServer;
  let stage: Stage;
  beforeAll(async () => {
    server = await startDemoServer(examples);
    stage = await stageOf(examples);
  });
  afterAll(() => server.close());

  it.each(scenes)('$namespace: $title', async (scene) => {
    const { denied, warned, lines, asDocumented } = await play(scene, stage, server);
    expect({ denied, warned, asDocumented, lines }).toMatchObject({ asDocumented: true });
  });

  it('notices an answer that is not as documented', async () => {
    const scene = scenes[0] as (typeof scenes)[number];
    expect((await play({ ...scene, denied: [] }, stage, server)).asDocumented).toBe(false);
    expect((await play({ ...scene, warned: ['tls-secret-missing'] }, stage, server)).asDocumented).toBe(false);
  });
});
