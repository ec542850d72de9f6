/** What is done to us on purpose, while writes go on: no review is lost, and no verdict is wrong. */
import { truncateSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { until } from '../support/child-process.ts';
import { describeOnCluster } from '../support/cluster.ts';
import { runs } from '../support/figures.ts';
import { type Judged, judge, type Subject, startLoad, type Written } from '../support/load.ts';
import { metricsOf, newRig, type Rig, reload, restartApiServer, sumOf, updateByRolling } from '../support/operations.ts';
import { deployment, service } from '../support/shop.ts';
import { addressOf, configurationOf } from '../support/stage.ts';
import type { Replica } from '../support/webhook.ts';

const cycles = runs(2, 20);
const perSecond = 300;
/** As many as startLoad has under way at most. */
const connections = 48;
const timeout = cycles * 60_000;

/** Two nodePorts, of which each of the two configurations allows one: exactly one is denied, and which tells the configuration. */
const [portOfBlue, portOfGreen] = [30_150, 30_250];
const allowing = (nodePort: number): RawObject =>
  configurationOf({
    rules: { 'service-node-port-policy': { options: { ranges: [{ namespaces: ['lifecycle-*'], ports: [nodePort] }] } } },
  });
const configurations = { blue: allowing(portOfBlue), green: allowing(portOfGreen) } as const;
type Colour = keyof typeof configurations;

const twoPorts = (name: string): RawObject =>
  service({
    name,
    spec: {
      type: 'NodePort',
      ports: [portOfBlue, portOfGreen].map((nodePort, index) => ({ name: `p${index}`, port: 80 + index, targetPort: 'http', nodePort })),
    },
  });

/** Mostly what costs the API server little: two cores bear 300 of these a second. One in twenty is looked at twice, live. */
function subjectsIn(namespace: string): readonly Subject[] {
  const path = addressOf('Service', namespace);
  const right: Subject = { namespace, path: `${path}?dryRun=All`, verdict: 'pass', object: (name) => service({ name }) };
  const coloured: Subject = { namespace, path: `${path}?dryRun=All`, verdict: 'deny', object: twoPorts };
  const broken: Subject = { namespace, path, verdict: 'deny', object: (name) => service({ name, selector: { app: 'wbe' } }) };
  return [...Array.from({ length: 9 }, () => [right, coloured]).flat(), right, broken];
}

/** The colour of the configuration that a denial speaks of; undefined for what was not denied, or by both at once. */
function colourOf({ answer }: Written): Colour | undefined {
  if (answer instanceof Error) return undefined;
  const fields = (answer.body?.details?.causes ?? []).map(({ field }: { readonly field: string }) => field);
  if (fields.length !== 1) return undefined;
  return fields[0].includes('ports[1]') ? 'blue' : 'green';
}

/** What a timeout of 3 s would have cut off. On a machine that does much else besides, that is no fault of an operation. */
const shippedTimeoutMs = 3000;

interface Figures {
  readonly ms: number;
  readonly requests: number;
  /** Not judged, though the API server served the request. */
  readonly lost: number;
  readonly wrong: number;
  /** A denial that could not be confirmed in time, and so became a warning. */
  readonly unsure: number;
  /** By the API server. */
  readonly unserved: number;
  readonly slow: number;
}

function figuresOf(judged: readonly Judged[], ms = 0): Figures {
  const of = (outcome: Judged['outcome']): number => judged.filter((one) => one.outcome === outcome).length;
  const slow = judged.filter(({ outcome, oursMs }) => outcome !== 'unserved' && oursMs > shippedTimeoutMs).length;
  const lost = of('failedOpen') + of('blocked');
  return { ms, requests: judged.length, lost, wrong: of('wrong'), unsure: of('unsure'), unserved: of('unserved'), slow };
}

const none = Object.fromEntries(Object.keys(figuresOf([])).map((key) => [key, 0])) as unknown as Figures;
const plus = (a: Figures, b: Figures): Figures =>
  Object.fromEntries(Object.keys(a).map((key) => [key, a[key as keyof Figures] + b[key as keyof Figures]])) as unknown as Figures;

describeOnCluster('under load', () => {
  let rig: Rig;
  let namespace: string;
  const figures = new Map<string, Figures>();
  const notes: string[] = [];

  beforeAll(async () => {
    rig = await newRig('lifecycle', configurations.blue, connections);
    namespace = await rig.cluster.newNamespace('lifecycle', { e2e: 'lifecycle', 'portcullis.dev/profile': 'strict' });
    await rig.cluster.request('POST', addressOf('Deployment', namespace), deployment);
    for (const replica of rig.replicas)
      await until('the Deployment is known', async () => sumOf(await metricsOf(replica), 'portcullis_cache_objects', '"Template"') > 0);
  });
  afterAll(async () => {
    await rig?.close();
    for (const [operation, { ms, ...rest }] of figures)
      console.log(`${operation}: ${cycles} cycles, ${Math.round(rest.requests / (ms / 1000))} requests/s, ${JSON.stringify(rest)}`);
    for (const note of notes) console.log(note);
  });

  /** One operation with writes before, during and after it. */
  async function underLoad(operation: string, act: () => Promise<unknown>): Promise<readonly Judged[]> {
    truncateSync(rig.plane.address.auditLog); // the API server appends; what earlier loads did is judged
    const load = startLoad(rig.cluster, subjectsIn(namespace), perSecond);
    const startedAt = performance.now();
    try {
      await load.steadyFor(500);
      await act();
      await load.steadyFor(500);
    } finally {
      await load.end();
    }
    const ms = performance.now() - startedAt;
    const judged = await judge(rig.cluster, await load.end());
    figures.set(operation, plus(figures.get(operation) ?? none, figuresOf(judged, ms)));
    for (const { outcome, answer } of judged.filter((one) => one.outcome === 'wrong').slice(0, 3)) console.error(outcome, answer);
    return judged;
  }

  it('a rolling update, whatever the lag of the endpoints', { timeout }, async () => {
    for (let cycle = 0; cycle < cycles; cycle++) {
      const judged = await underLoad('rolling update', () => updateByRolling(rig, [0, 1, 3][cycle % 3] as number));
      expect(figuresOf(judged), `cycle ${cycle}`).toMatchObject({ lost: 0, wrong: 0, unserved: 0 });
    }
    expect(rig.balancer.deadDials()).toBe(0);
  });

  it('a new configuration, which each request sees as a whole, and a broken one, which none sees', { timeout }, async () => {
    for (let cycle = 0; cycle < cycles; cycle++) {
      const periods: Period[] = [{ from: 0, colours: ['blue'] }];
      const judged = await underLoad('configuration reload', async () => {
        await turn(periods, 'green', () => reload(rig, configurations.green, true));
        await reload(rig, { ...configurations.blue, rulez: {} }, false);
        await turn(periods, 'blue', () => flip(configurations.blue));
      });
      expect(figuresOf(judged), `cycle ${cycle}`).toMatchObject({ lost: 0, wrong: 0, unserved: 0 });
      const coloured = judged.filter(({ subject, outcome }) => subject.object === twoPorts && outcome === 'judged');
      expect(coloured.filter((one) => !isOfItsTime(one, periods)).map(({ answer }) => answer)).toEqual([]);
      expect(new Set(coloured.map(colourOf))).toEqual(new Set<Colour>(['blue', 'green']));
    }
  });

  /** Many changes in a moment, halves of files among them, the last of which counts. */
  async function flip(last: RawObject): Promise<void> {
    for (let time = 0; time < 50; time++) {
      rig.webhook.configure(time % 2 === 0 ? configurations.green : 'apiVersion: {');
      await sleep(10);
    }
    await reload(rig, last, true);
  }

  it('a restart of the API server, which costs each kind one list at most', { timeout }, async () => {
    for (let cycle = 0; cycle < cycles; cycle++) {
      const before = await Promise.all(rig.replicas.map(metricsOf));
      let flaps = 0;
      let away = { from: 0, to: 0 };
      const judged = await underLoad('API server restart', async () => {
        const watch = setInterval(() => {
          for (const replica of rig.replicas) void saysNotReady(replica).then((not) => (flaps += not ? 1 : 0));
        }, 250);
        away = await restartApiServer(rig, cycle % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
        for (const replica of rig.replicas) await until('nothing is stale', async () => staleness(await metricsOf(replica)) === 0);
        clearInterval(watch);
        notes.push(
          `API server away for ${seconds(away.to - away.from)}, views whole again ${seconds(performance.now() - away.to)} after it was ready`,
        );
      });
      expect({ ...figuresOf(judged), flaps }, `cycle ${cycle}`).toMatchObject({ lost: 0, wrong: 0, flaps: 0 });
      const untimely = judged.filter(
        ({ outcome, sentAt, ms }) => outcome === 'unserved' && (sentAt > away.to + 1000 || sentAt + ms < away.from),
      );
      expect(untimely).toEqual([]);
      for (const [index, replica] of rig.replicas.entries())
        expect(mostLists(await metricsOf(replica), before[index])).toBeLessThanOrEqual(1);
    }
  });
});

interface Period {
  readonly from: number;
  /** Of what may be in effect from then on. */
  readonly colours: readonly Colour[];
}

/** While it is under way, either colour is right; after it, the new one alone. */
async function turn(periods: Period[], colour: Colour, act: () => Promise<void>): Promise<void> {
  periods.push({ from: performance.now(), colours: ['blue', 'green'] });
  await act();
  periods.push({ from: performance.now(), colours: [colour] });
}

/** Right at any moment between its sending and its answer. */
function isOfItsTime(written: Written, periods: readonly Period[]): boolean {
  const colour = colourOf(written);
  return periods.some(({ from, colours }, index) => {
    const until = periods[index + 1]?.from ?? Number.POSITIVE_INFINITY;
    return colour !== undefined && colours.includes(colour) && written.sentAt < until && written.sentAt + written.ms >= from;
  });
}

/** Not that a busy machine answers late. */
const saysNotReady = ({ healthPort }: Replica): Promise<boolean> =>
  fetch(`http://127.0.0.1:${healthPort}/readyz`).then(
    ({ status }) => status === 503,
    () => false,
  );

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const staleness = (metrics: ReadonlyMap<string, number>): number => sumOf(metrics, 'portcullis_cache_staleness_seconds');

/** Of all kinds, how often the one that was listed most was listed since. */
function mostLists(now: ReadonlyMap<string, number>, before: ReadonlyMap<string, number> | undefined): number {
  const lists = [...now].filter(([series]) => /^portcullis_watch_restarts_total\{.*reason="(expired|silent|unreadable)"/.test(series));
  const byResource = Map.groupBy(lists, ([series]) => /resource="(\w+)"/.exec(series)?.[1]);
  const added = [...byResource.values()].map((all) => all.reduce((sum, [series, value]) => sum + value - (before?.get(series) ?? 0), 0));
  return Math.max(0, ...added);
}
