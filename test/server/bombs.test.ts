/** What a process with the memory of the shipped Pod makes of bodies that would take all of it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { reviewText, send } from './client.ts';

const heapMebibytes = 400;

async function startProcess() {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-bombs-'));
  const caOut = join(directory, 'ca.crt');
  const options = { cluster: ['examples/cluster'], host: '127.0.0.1', port: 0, healthPort: 0, drainMs: 0, caOut };
  const script = `import { serve } from './src/commands/serve.ts'; await serve(${JSON.stringify(options)});`;
  const child = spawn(process.execPath, [`--max-old-space-size=${heapMebibytes}`, '--input-type=module', '--eval', script]);
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await vi.waitFor(() => expect(output).toContain('"listening"'), 15_000);
  const { url } = JSON.parse(output.split('\n').find((line) => line.includes('listening')) as string) as { url: string };
  return { child, port: Number(new URL(url).port), ca: readFileSync(caOut, 'utf8') };
}

const withJunk = (junk: string): string => reviewText().replace('"ports":', `"junk":${junk},"ports":`);
const list = (item: string, count: number): string => `[${item.repeat(count)}0]`;

it('24 MB of next to nothing are turned away, and the process lives', { timeout: 60_000 }, async () => {
  const { child, ...server } = await startProcess();
  const bombs = [
    withJunk(list('{},', 7_900_000)),
    withJunk(`${'['.repeat(12_000_000)}${']'.repeat(12_000_000)}`),
    '['.repeat(24_000_000),
    withJunk(`{${Array.from({ length: 1_700_000 }, (_, index) => `"${index.toString(36)}":0`).join(',')}}`),
    withJunk(`[${Array.from({ length: 1_500_000 }, (_, index) => `{"${index.toString(36)}":0}`).join(',')}]`),
    reviewText().replace(/"ports":\[.*?\]/, `"ports":${list('{},', 7_900_000)}`),
    withJunk(list('1,', 12_000_000)),
  ];
  const statuses: number[] = [];
  for (const bomb of bombs) statuses.push((await send(server, bomb)).status);
  expect(statuses).toEqual(bombs.map(() => 413));
  expect((await send(server, reviewText())).status).toBe(200);
  expect(child.exitCode).toBeNull();
});

it('as much as is let in is judged, and the process lives', { timeout: 60_000 }, async () => {
  const { child, ...server } = await startProcess();
  // By the estimate, 195 MiB of the 224 that all may take up together; and twice 107.
  expect((await send(server, withJunk(list('{},', 2_000_000)))).status).toBe(200);
  const half = withJunk(list('{},', 1_100_000));
  const answers = await Promise.all([half, half].map((body) => send(server, body)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect((await send(server, reviewText())).status).toBe(200);
  expect(child.exitCode).toBeNull();
});
