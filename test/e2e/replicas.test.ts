/** Two replicas behind one address; one is restarted under load, and no write notices. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Balancer, startBalancer } from '../support/balancer.ts';
import { describeOnCluster } from '../support/cluster.ts';
import { freePort } from '../support/control-plane.ts';
import { deployment, service } from '../support/shop.ts';
import { addressOf, seeing, useStage } from '../support/stage.ts';
import type { Replica } from '../support/webhook.ts';

/** How long a Service still leads to a replica that has said it is not ready. */
const endpointLagMs = 1000;
const writesPerSecond = 250;

describeOnCluster('a replica that is restarted', async () => {
  const port = await freePort();
  const stage = useStage({ purpose: 'replicas', replicas: 0, port });
  let balancer: Balancer;

  beforeAll(async () => {
    balancer = await startBalancer(port);
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
    await sleep(2000);
    const [first, second] = replicas;
    const exit = first.process.stop('SIGTERM', 60_000);
    await sleep(endpointLagMs);
    balancer.setReady([second.port]);
    expect(await exit).toBe(0);
    const again = await started();
    balancer.setReady([again.port, second.port]);
    await sleep(2000);
    const results = await load.end();

    const failures = results.filter(({ status, warned }) => status !== 201 || !warned);
    expect(failures).toEqual([]);
    expect(results.length).toBeGreaterThan(writesPerSecond * 4);
    expect(stage.cluster.audit(namespace).filter(failedOpen)).toEqual([]);
  });

  const started = async (): Promise<Replica> => stage.webhook.startReplica({ port: await freePort() });

  const failedOpen = ({ annotations = {} }: { readonly annotations?: Readonly<Record<string, string>> }): boolean =>
    Object.keys(annotations).some((key) => key.startsWith('failed-open.'));

  /** Dry-runs of a Service with a wrong selector, one every few milliseconds whether or not the last one is answered. */
  function underLoad(namespace: string) {
    const path = `${addressOf('Service', namespace)}?dryRun=All`;
    const pending: Promise<{ readonly status: number; readonly warned: boolean; readonly message?: string }>[] = [];
    let sent = 0;
    const begun = performance.now();
    const send = async () => {
      const { status, body, warnings } = await stage.cluster.request(
        'POST',
        path,
        service({ name: `load-${sent++}`, selector: { app: 'wbe' } }),
      );
      const warned = warnings.some((warning) => warning.includes('[service-selector-matches-no-pods]'));
      return { status, warned, ...(status !== 201 && { message: String(body.message) }) };
    };
    const timer = setInterval(() => {
      const due = ((performance.now() - begun) / 1000) * writesPerSecond;
      while (pending.length < due) pending.push(send());
    }, 10);
    return {
      end: () => {
        clearInterval(timer);
        return Promise.all(pending);
      },
    };
  }
});
