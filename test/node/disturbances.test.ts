/** What happens to clusters on any day, under steady writes: Pods die, nodes are drained, releases are upgraded and rolled back. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { until } from '../support/child-process.ts';
import { type Judged, judge, type Load, startLoad } from '../support/load.ts';
import { withinNode } from '../support/real-node.ts';
import {
  connectNode,
  describeOnNode,
  home,
  makeHome,
  type OnNode,
  podLabels,
  removeRelease,
  untilAnswered,
} from '../support/real-node-release.ts';
import { labelled } from '../support/shop.ts';
import { create } from '../support/stage.ts';
import { judgedWrites } from '../support/writes.ts';

const writesPerSecond = 50;

describeOnNode('disturbances on a real node', () => {
  let on: OnNode;
  let namespace: string;
  let load: Load;
  /** How much the API server had logged before. */
  let logged = 0;

  beforeAll(async () => {
    on = connectNode();
    await makeHome(on);
    await on.apply('helm4', 'install');
    namespace = await on.cluster.newNamespace('disturbed', { 'portcullis.dev/profile': 'strict' });
    // Its image exists nowhere: what counts is what it would run.
    await on.kubectl('create', 'quota', 'no-pods', '--hard=pods=0', '-n', namespace);
    await create(on.cluster, namespace, labelled('web'));
    await untilAnswered(on, namespace);
  });

  afterAll(async () => {
    await removeRelease(on);
    await on.close();
  });

  beforeEach(async () => {
    logged = apiServerLog().length;
    load = startLoad(on.cluster, judgedWrites(namespace), writesPerSecond);
    await load.steadyFor(2000, 60_000);
  });

  afterEach(() => load.end());

  it('a Pod that is deleted drains: no write is lost', async () => {
    const [pod] = await on.pods();
    await on.kubectl('delete', 'pod', '-n', home, pod.metadata.name);
    await twoReady();
    expect(await lost('Pod deleted')).toEqual([]);
  });

  it('helm upgrade with other values rolls over: no write is lost', async () => {
    const before = await names();
    await on.apply('helm4', 'upgrade', { logging: { level: 'warn' } });
    expect((await names()).filter((name) => before.includes(name))).toEqual([]);
    expect(await lost('helm upgrade')).toEqual([]);
  });

  it('helm rollback rolls over again, back to what was: no write is lost', async () => {
    await on.helm('helm4', 'rollback', home, '--namespace', home, '--wait', '--timeout', '60s');
    expect((await on.pods())[0].spec.containers[0].args).toContain('--log-level=info');
    expect(await lost('helm rollback')).toEqual([]);
  });

  it('a drain takes one replica and is refused the last one by the budget: no write is lost', async () => {
    const drain = ['drain', 'node', `--pod-selector=${podLabels}`, '--delete-emptydir-data', '--timeout=15s'];
    const { code, stderr } = await on.cluster.kubectl(drain);
    expect(code).toBe(1);
    expect(stderr).toContain("Cannot evict pod as it would violate the pod's disruption budget.");
    const ready = (await on.pods()).filter(isReady);
    expect(ready).toHaveLength(1);
    await on.kubectl('uncordon', 'node');
    await twoReady();
    expect(await lost('node drained')).toEqual([]);
  });

  it('a process killed without warning costs what comes before its endpoint is gone, lets it pass, and starts again', async () => {
    const [pod] = await on.pods();
    await kill(pod);
    await until('its container was started again', async () => restarts(await on.pods()) > 0, { withinMs: 60_000, everyMs: 500 });
    await twoReady();
    await expectFloor('process killed');
  });

  it('a Pod removed by force costs no more', async () => {
    const [pod] = await on.pods();
    await on.kubectl('delete', 'pod', '-n', home, pod.metadata.name, '--force', '--grace-period=0');
    await twoReady();
    await expectFloor('Pod removed by force');
  });

  /** And steady writes again, so that an end of the trouble is seen too. */
  async function twoReady(): Promise<void> {
    await on.kubectl('rollout', 'status', `deployment/${home}`, '-n', home, '--timeout=60s');
    await load.steadyFor(2000, 60_000);
  }

  const names = async (): Promise<readonly string[]> => (await on.pods()).map(({ metadata }) => metadata.name);

  async function outcomes(what: string): Promise<readonly Judged[]> {
    const judged = await judge(on.cluster, await load.end());
    const counts = Object.entries(Object.groupBy(judged, ({ outcome }) => outcome)).map(([outcome, all]) => `${all.length} ${outcome}`);
    const failed = judged.filter(({ outcome }) => outcome !== 'judged');
    const spread = failed.length === 0 ? '' : ` within ${Math.round(Math.max(...failed.map(at)) - Math.min(...failed.map(at)))} ms`;
    console.log(`${what}: ${counts.join(', ')}${spread}; slowest ${Math.round(Math.max(...judged.map(({ ms }) => ms)))} ms`);
    for (const reason of reasonsSince(logged)) console.log(`${what}: ${reason}`);
    return judged;
  }

  const apiServerLog = (): string => readFileSync(join(on.node.directory, 'logs', 'kube-apiserver.log'), 'utf8');

  /** Why the API server let writes through, with what is different each time left out. */
  function reasonsSince(start: number): readonly string[] {
    const all = [
      ...apiServerLog()
        .slice(start)
        .matchAll(/failing open \S+: .*?"https:[^"]*": (.*)/g),
    ].map(([, reason = '']) => reason);
    const grouped = Map.groupBy(all, (reason) => reason.replaceAll(/:\d+->/g, ':*->'));
    return [...grouped].map(([reason, { length }]) => `${length} times ${reason}`);
  }

  const lost = async (what: string): Promise<readonly Judged[]> => (await outcomes(what)).filter(({ outcome }) => outcome !== 'judged');

  /** Nobody is refused, and nothing that was judged was judged wrongly; what was let through came within seconds. */
  async function expectFloor(what: string): Promise<void> {
    const failed = (await outcomes(what)).filter(({ outcome }) => outcome !== 'judged');
    expect(failed.filter(({ outcome }) => outcome !== 'failedOpen')).toEqual([]);
    expect(failed.length).toBeLessThan(writesPerSecond * 5);
  }

  async function kill({
    status,
  }: {
    readonly status: { readonly containerStatuses: readonly { readonly containerID: string }[] };
  }): Promise<void> {
    const id = status.containerStatuses[0]?.containerID.replace('containerd://', '') ?? '';
    await withinNode(on.node, 'ctr', '--namespace', 'k8s.io', 'tasks', 'kill', '--signal', 'SIGKILL', id);
  }
});

const at = ({ sentAt }: Judged): number => sentAt;

interface Conditions {
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

const isReady = ({ status }: Conditions): boolean => status.conditions.some((one) => one.type === 'Ready' && one.status === 'True');

const restarts = (
  pods: readonly { readonly status: { readonly containerStatuses: readonly { readonly restartCount: number }[] } }[],
): number => pods.reduce((sum, { status }) => sum + (status.containerStatuses[0]?.restartCount ?? 0), 0);
