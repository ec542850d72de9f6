import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { watchCallers } from '../../src/commands/callers.ts';
import { ownNamespace } from '../../src/commands/own-namespace.ts';
import { type ServeOptions, serveDefaults } from '../../src/commands/serve.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { Pod } from '../../src/kube/resources.ts';
import { createLog } from '../../src/server/log.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { newAuthority, newClientCertificate } from '../support/certificate.ts';

const pod = (namespace: string, ip: string, more: object = {}): Pod =>
  normalize({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name: ip }, spec: { ...more }, status: { podIP: ip } }) as Pod;
const cluster = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with([
  pod('shop', '10.0.0.1'),
  pod('kube-system', '10.0.0.2'),
  pod('portcullis', '10.0.0.3'),
  pod('tunnels', '10.0.0.4'),
  pod('shop', '10.0.0.5', { hostNetwork: true }),
]);
const every = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '192.168.0.1'];

async function watching(options: Partial<ServeOptions> = {}) {
  const logged: Record<string, unknown>[] = [];
  const metrics = createMetrics({ version: '1', snapshot: () => undefined, certificateEnds: () => new Map() });
  const world = { protectedNamespaces: ['kube-system'], staleMs: 0 };
  const watch = await watchCallers(
    { ...serveDefaults, ...options },
    {
      log: createLog({ write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }),
      metrics,
      pollMs: 5,
      protectedNamespaces: () => world.protectedNamespaces,
      podsStaleMs: () => world.staleMs,
    },
  );
  onTestFinished(() => watch.close());
  watch.onSnapshot?.(cluster);
  const refused = () => every.filter((address) => watch.callers?.refusedPodsAt?.(address) !== undefined);
  return { watch, world, logged, refused, counted: async () => (await metrics.scrape()).text };
}

describe('without flags', () => {
  it('Pods may not call, but for those of protected namespaces, our own, and nodes', async () => {
    const { refused, world } = await watching({ namespace: 'portcullis' });
    expect(refused()).toEqual(['10.0.0.1', '10.0.0.4']);
    world.protectedNamespaces = ['shop'];
    expect(refused()).toEqual(['10.0.0.2', '10.0.0.4']);
  });

  it('an old view refuses nobody: addresses may have been given on', async () => {
    const { refused, world } = await watching();
    world.staleMs = 60_000;
    expect(refused()).toContain('10.0.0.1');
    world.staleMs = 100_000;
    expect(refused()).toEqual([]);
  });

  it('an address that two Pods have is refused only if neither may call', async () => {
    const { watch, refused } = await watching();
    watch.onSnapshot?.(cluster.with([{ ...pod('kube-system', '10.0.0.1'), metadata: { namespace: 'kube-system', name: 'agent' } }]));
    expect(refused()).not.toContain('10.0.0.1');
  });
});

it('more namespaces may be named, or everybody let in', async () => {
  expect((await watching({ namespace: 'portcullis', callerNamespaces: ['tunnels'] })).refused()).toEqual(['10.0.0.1']);
  expect((await watching({ anyCaller: true })).watch.callers).toBeUndefined();
});

it('files know no callers', async () => {
  expect((await watching({ cluster: ['examples/cluster'] })).watch.callers).toBeUndefined();
});

it('each refusal is counted, and told once for each of at most 50 addresses a minute', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const { watch, logged, counted } = await watching();
  const refuse = (address: string) => watch.callers?.onRefused({ address, reason: 'pod', why: 'a Pod of namespace \u001b[31mshop' });
  for (let round = 0; round < 10; round++) for (let last = 0; last < 100; last++) refuse(`::ffff:10.0.0.${last}`);
  expect(logged).toHaveLength(50);
  expect(logged[0]).toMatchObject({
    level: 'warn',
    address: '10.0.0.0',
    why: 'a Pod of namespace ?[31mshop',
    hint: expect.stringContaining('--caller-namespaces'),
  });
  expect(await counted()).toContain('portcullis_refused_callers_total{reason="pod"} 1000');
  vi.advanceTimersByTime(60_001);
  refuse('::ffff:10.0.0.0');
  expect(logged).toHaveLength(51);
  expect(logged.at(-1)).toMatchObject({ untold: 950 });
});

describe('client authorities', () => {
  const certificates = async () => {
    const [one, other] = [await newAuthority('one'), await newAuthority('other')];
    const leaf = await newClientCertificate(one, 'leaf');
    return { one: `${one.cert}\n`, other: `${other.cert}\n`, leaf: leaf.cert };
  };
  function file(text: string) {
    const directory = mkdtempSync(join(tmpdir(), 'portcullis-callers-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const path = join(directory, 'ca.crt');
    const write = (next: string): void => {
      writeFileSync(`${path}.next`, next);
      renameSync(`${path}.next`, path);
    };
    write(text);
    return { path, write };
  }

  it('take the place of the look at addresses', async () => {
    const { one } = await certificates();
    const { watch } = await watching({ clientCa: file(one).path, clientNames: ['kube-apiserver'] });
    expect(watch.callers).toMatchObject({ certificates: { names: ['kube-apiserver'] } });
    expect([watch.callers?.refusedPodsAt, watch.onSnapshot]).toEqual([undefined, undefined]);
  });

  it('are read again when the file changes; a bad one changes nothing', async () => {
    const { one, other, leaf } = await certificates();
    const { path, write } = file(one);
    const { watch, logged } = await watching({ clientCa: path });
    const changed = vi.fn();
    watch.onChange(changed);
    const current = () => watch.callers?.certificates?.authorities();
    expect(current()).toEqual({ pem: one, since: Number.NEGATIVE_INFINITY });
    write(`# both, for a while\n${one}${other}`);
    await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce());
    const both = current();
    expect(both?.pem).toBe(one + other);
    expect(both?.since).toBeGreaterThan(0);
    for (const bad of ['', one.slice(0, 300), one + other.slice(0, 100), leaf, one.replace('MII', 'AAA')]) {
      const before = logged.length;
      write(bad);
      await vi.waitFor(() => expect(logged.slice(before)).toMatchObject([{ level: 'error', code: 'PC0007' }]));
    }
    expect(current()).toBe(both);
    write(`${one}${other}`);
    write(other);
    await vi.waitFor(() => expect(current()?.pem).toBe(other));
  });

  it.each([
    ['a file that is not there', { clientCa: 'does/not/exist' }, 'PC0007'],
    ['names without authorities', { clientNames: ['kube-apiserver'] }, 'PC0001'],
  ])('cannot be %s', async (_, options, code) => {
    await expect(watching(options)).rejects.toMatchObject({ name: 'OperatorError', code });
  });
});

it('our own namespace is the one given, else the one that is mounted', () => {
  expect(ownNamespace({ namespace: 'here' })).toBe('here');
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-callers-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'namespace'), 'mounted\n');
  expect(ownNamespace({}, join(directory, 'namespace'))).toBe('mounted');
  expect(ownNamespace({}, join(directory, 'none'))).toBeUndefined();
});
