/** What the README quotes is what one gets. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { play, type Stage, scenesOf, stageOf } from '../../src/commands/demo.ts';
import { type DemoServer, startDemoServer } from '../../src/commands/demo-server.ts';

const root = join(import.meta.dirname, '..', '..');
const examples = join(root, 'examples');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const quoted = [...readme.matchAll(/^```console\n([\s\S]*?)\n```$/gm)].map(([, text]) => (text as string).split('\n'));
const ofKubectl = quoted.filter(([command]) => command?.startsWith('$ kubectl '));

let server: DemoServer;
let stage: Stage;
beforeAll(async () => {
  server = await startDemoServer(examples);
  stage = await stageOf(examples);
});
afterAll(() => server.close());

it('quotes three answers to kubectl', () => expect(ofKubectl).toHaveLength(3));

it.each(ofKubectl.map((lines) => [lines[0], lines] as const))('%s', async (command, lines) => {
  const played = await Promise.all(scenesOf(examples).map((scene) => play(scene, stage, server)));
  expect(played.find((one) => one.lines[0] === command)?.lines).toEqual(lines);
});

it('examples/review.json is denied, as docs/running.md says', async () => {
  const review: unknown = JSON.parse(readFileSync(join(examples, 'review.json'), 'utf8'));
  expect(await server.ask(review)).toMatchObject({ allowed: false, status: { reason: 'Invalid' } });
});

it('quotes check, and counts the scenes of the demo', () => {
  const [command, ...lines] = quoted.find(([first]) => first?.startsWith('$ node dist/portcullis.js check ')) ?? [];
  const args = (command as string).replace('$ node dist/portcullis.js ', '').split(' ');
  let printed = '';
  try {
    printed = execFileSync(process.execPath, [join(root, 'src', 'main.ts'), ...args], { cwd: root, encoding: 'utf8' });
  } catch (error) {
    printed = (error as { stdout: string }).stdout;
  }
  expect(printed.trimEnd().split('\n')).toEqual(lines);
  expect(readme).toContain(`${scenesOf(examples).length} broken and correct writes`);
});
