/** Two replicas behind one address; one is restarted under load, and no write notices. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Balancer, startBalancer } from '../support/balancer.ts';
import { until } from '../support/child-process.ts';
import { describeOnCluster } from '../support/cluster.ts';
import { freePort } from '../support/control-plane.ts';
import { deployment, service } from '../support/shop.ts';
import { addressOf, seeing, useStage } from '../support/stage.ts';
import type { Replica } from '../support/webhook.ts';

/** How long a Service still leads to a replica that has said it is not ready. */
const endpointLagMs = 1000;
const writesPerSecond = 250;
/** Beyond it the API server is overloaded, on a small machine, and other things would be tested. */
const mostInFlight = 24;

describeOnCluster('a replica that is restarted', async () => {
  const port = await freePort();
  const stage = useStage({ purpose: 'replicas', replicas: 0, port });
  let balancer: Balancer;

  beforeAll(async () => {
    balancer = await startBalancer(port, { listen: stage.cluster.address.here.listen });
  });
  afterAll(() => balancer?.close());

  it(`loses no review at ${writesPerSecond} writes a second`, async () => {
    const replicas = [await started(), await started()] as const;
    balancer.setReady(replicas.map((replica) => replica.port));
    const namespace = await seeing(replicas[0], ['Namespace', 'Template'], async () => {
      const name = await stage.cluster.newNamespace('replicas', { e2e: 'replicas', 'portcullis.dev/profile': 'strict' });
      await stage.cluster.request('POST', addressOf('Deployment', name), deployment);
      return name;
    });

    const load = underLoad(namespace);
    try {
      await load.answered(1000);
      await restarted(replicas);
      await load.answered(1000);
    } finally {
      await load.end();
    }
    expect(load.failures()).toEqual([]);
    expect(stage.cluster.audit(namespace).filter(failedOpen)).toEqual([]);
  });

  /** As a rolling update does it: new connections go on to the replica for a while after it was told to end. */
  async function restarted([first, second]: readonly [Replica, Replica]): Promise<void> {
    const exit = first.process.stop('SIGTERM', 60_000);
    await sleep(endpointLagMs);
    balancer.setReady([second.port]);
    expect(await exit).toBe(0);
    const again = await started();
    balancer.setReady([again.port, second.port]);
  }

  const started = async (): Promise<Replica> => stage.webhook.startReplica({ port: await freePort() });

  const failedOpen = ({ annotations = {} }: { readonly annotations?: Readonly<Record<string, string>> }): boolean =>
    Object.keys(annotations).some((key) => key.startsWith('failed-open.'));

  /** Dry-runs of a Service with a wrong selector, at a steady pace as long as the API server keeps up. */
  function underLoad(namespace: string) {
    const path = `${addressOf('Service', namespace)}?dryRun=All`;
    const failures: unknown[] = [];
    const pending = new Set<Promise<void>>();
    let sent = 0;
    let done = 0;
    const send = async (): Promise<void> => {
      const object = service({ name: `load-${sent++}`, selector: { app: 'wbe' } });
      const { status, body, warnings } = await stage.cluster.request('POST', path, object);
      const warned = warnings.some((warning) => warning.includes('[service-selector-matches-no-pods]'));
      if (status !== 201 || !warned) failures.push({ status, warnings, message: body.message });
      done++;
    };
    let due = 0;
    const timer = setInterval(() => {
      due = Math.min(due + writesPerSecond / 100, mostInFlight);
      for (; due >= 1 && pending.size < mostInFlight; due--) {
        const one = send().catch((error: unknown) => void failures.push(error));
        pending.add(one);
        void one.then(() => pending.delete(one));
      }
    }, 10);
    return {
      failures: () => failures,
      /** Resolves when so many more are answered. */
      answered: (count: number) => {
        const goal = done + count;
        return until(`${count} more writes are answered`, () => done >= goal, { withinMs: 60_000 });
      },
      end: async () => {
        clearInterval(timer);
        await Promise.all(pending);
      },
    };
  }
});
