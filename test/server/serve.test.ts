import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type ServeOptions, startServer } from '../../src/commands/serve.ts';
import { createLog } from '../../src/server/log.ts';
import type { Metrics } from '../../src/server/metrics.ts';
import { requestFor, reviewOf, service } from '../admission/reviews.ts';
import { send } from './client.ts';

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-serve-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec: { template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: web, ports: [{ containerPort: 8080 }] }] } } }
`;
const strict = 'apiVersion: portcullis.dev/v1\nprofile: strict\n';
const observe = 'apiVersion: portcullis.dev/v1\nprofile: observe\n';

async function served(changes: Partial<ServeOptions> = {}) {
  const directory = newDirectory();
  const file = (name: string, text: string): string => {
    // Not seen half-written, however slow this machine is.
    writeFileSync(join(directory, `${name}.next`), text);
    renameSync(join(directory, `${name}.next`), join(directory, name));
    return join(directory, name);
  };
  const logged: Record<string, unknown>[] = [];
  let metrics: Metrics | undefined;
  const config = file('portcullis.yaml', strict);
  const server = await startServer(
    { cluster: [file('cluster.yaml', deployment)], config, host: '127.0.0.1', port: 0, healthPort: 0, drainMs: 0, ...changes },
    {
      log: createLog({ write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }),
      pollMs: 5,
      onMetrics: (made) => {
        metrics = made;
      },
    },
  );
  onTestFinished(() => server.close());
  const ask = async (name: string) => {
    const body = JSON.stringify(reviewOf(requestFor(service(name, { ports: [{ port: 80, targetPort: 8080 }] }))));
    return (await send({ port: Number(new URL(server.url).port), ca: server.ca ?? '' }, body)).json().response;
  };
  const scrape = async (): Promise<string> => (await (metrics as Metrics).scrape()).text;
  return { server, ask, logged, scrape, configure: (text: string) => file('portcullis.yaml', text) };
}

describe('on a cluster of files', () => {
  it('is ready at once and judges with the rules of the house', async () => {
    const { server, ask } = await served();
    expect(server.isReady()).toBe(true);
    expect(await ask('web')).toMatchObject({ allowed: true });
    expect(await ask('wbe')).toMatchObject({
      allowed: false,
      status: { details: { causes: [{ field: 'spec.selector', message: expect.stringContaining('did you mean app=web') }] } },
    });
  });

  it('takes a new configuration, and keeps the last good one when a new one is bad', async () => {
    const { ask, configure, logged, scrape } = await served();
    expect((await ask('wbe')).allowed).toBe(false);
    configure(observe);
    await vi.waitFor(async () => expect((await ask('wbe')).allowed).toBe(true));
    expect(await scrape()).toContain('portcullis_config_reload_success 1');
    for (const bad of [`${strict}rulez: {}\n`, ': [', '', 'profile: 7']) {
      const before = logged.length;
      configure(bad);
      await vi.waitFor(() => expect(logged.slice(before).filter(({ level }) => level === 'error')).toHaveLength(1));
    }
    expect(await scrape()).toContain('portcullis_config_reload_success 0');
    expect((await ask('wbe')).allowed).toBe(true);
    expect(logged.find(({ level }) => level === 'error')).toMatchObject({
      code: 'PC0003',
      reason: expect.stringContaining('rulez'),
      hint: expect.any(String),
    });
    configure(strict);
    await vi.waitFor(async () => expect((await ask('wbe')).allowed).toBe(false));
  });

  it('says what a new configuration changes only after a restart', async () => {
    const { configure, logged } = await served();
    const kind = '{ apiVersion: argoproj.io/v1alpha1, kind: Rollout, resource: rollouts, template: spec.template }';
    configure(`${strict}workloads: [${kind}]\n`);
    await vi.waitFor(() =>
      expect(logged.filter(({ level }) => level === 'warn')).toMatchObject([{ msg: expect.stringContaining('restart') }]),
    );
  });

  it('writes the CA that a client has to trust', async () => {
    const caOut = join(newDirectory(), 'ca.crt');
    const { server } = await served({ caOut });
    expect(readFileSync(caOut, 'utf8')).toBe(server.ca);
  });
});

describe('cannot start', () => {
  it.each([
    ['without its manifests', { cluster: ['does/not/exist'] }, 'PC0002'],
    ['without its configuration', { config: 'does/not/exist' }, 'PC0002'],
    ['with half of a certificate', { tlsCert: 'a.crt' }, 'PC0005'],
    ['with a certificate that is not there', { tlsCert: 'does/not/exist', tlsKey: 'nor/this' }, 'PC0005'],
    ['where the CA cannot be written', { caOut: 'does/not/exist/ca.crt' }, 'PC0005'],
  ])('%s', async (_, changes, code) => {
    await expect(served(changes)).rejects.toMatchObject({ name: 'OperatorError', code });
  });
});

describe('the process', () => {
  it.each([['SIGTERM'], ['SIGINT']] as const)('ends with 0 after %s, what was asked before answered', async (signal) => {
    const options = { cluster: ['examples/cluster'], host: '127.0.0.1', port: 0, healthPort: 0, drainMs: 500 };
    const script = `import { serve } from './src/commands/serve.ts'; await serve(${JSON.stringify(options)});`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script]);
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await vi.waitFor(() => expect(output).toContain('"listening"'), 15_000);
    const health = (JSON.parse(output.split('\n').find((line) => line.includes('listening')) as string) as { healthUrl: string }).healthUrl;
    expect((await fetch(`${health}/readyz`)).status).toBe(200);
    child.kill(signal);
    await vi.waitFor(async () => expect((await fetch(`${health}/readyz`)).status).toBe(503));
    child.kill('SIGTERM');
    expect(await ended, output).toBe(0);
    expect(output).toContain('"stopped"');
  });
});
