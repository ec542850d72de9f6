/** From the first install to the last trace: with both Helms, with our own certificates and with others, with all Pods dead. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { until } from '../support/child-process.ts';
import type { ApiAnswer } from '../support/cluster.ts';
import { judge, startLoad } from '../support/load.ts';
import {
  connectNode,
  describeOnNode,
  existingCertificate,
  home,
  makeHome,
  type OnNode,
  podLabels,
  removeRelease,
  untilAnswered,
} from '../support/real-node-release.ts';
import { service } from '../support/shop.ts';
import { addressOf } from '../support/stage.ts';
import { judgedWrites } from '../support/writes.ts';

/** What nothing can be led to, since there is nothing in the namespace. */
const broken = service({ selector: { app: 'nobody' } });

describeOnNode('the life of a release on a real node', () => {
  let on: OnNode;
  let namespace: string;

  beforeAll(async () => {
    on = connectNode();
    await makeHome(on);
  });

  beforeEach(async () => {
    namespace = await on.cluster.newNamespace('living', { 'portcullis.dev/profile': 'strict' });
  });

  afterEach(async () => {
    await on.kubectl('uncordon', 'node');
    await removeRelease(on);
  });

  afterAll(() => on.close());

  it('helm 3 installs it with a certificate of ours, upgrades it, and removes all of it', async () => {
    const values = await existingCertificate(on);
    await on.apply('helm3', 'install', values);
    await untilAnswered(on, namespace);
    expect(await written()).toMatchObject({ status: 422 });
    await on.apply('helm3', 'upgrade', { ...values, config: { profile: 'observe' }, podLabels: { colour: 'blue' } });
    await until('the new configuration is in effect', async () => (await written('?dryRun=All')).status === 201);
    await on.helm('helm3', 'uninstall', home, '--namespace', home);
    expect(await written()).toMatchObject({ status: 201, warnings: [] });
    await nothingIsLeft();
  });

  it('its own certificate outlives its Pods', async () => {
    await on.apply('helm4', 'install');
    await untilAnswered(on, namespace);
    const before = await trust();
    expect(new Set(before.bundles).size).toBe(1);
    await on.kubectl('delete', 'pods', '-n', home, '-l', podLabels, '--wait=false');
    await on.kubectl('rollout', 'status', `deployment/${home}`, '-n', home, '--timeout=60s');
    await until('new Pods answer', async () => (await on.pods()).length === 2 && (await written()).status === 422);
    expect(await trust()).toEqual(before);
  });

  it('removed under steady writes, it holds up none of them and leaves nothing', async () => {
    await on.apply('helm4', 'install');
    const correct = judgedWrites(namespace).filter(({ object }) => object('any')['kind'] === 'NetworkPolicy');
    const load = startLoad(on.cluster, correct, 20);
    await on.helm('helm4', 'uninstall', home, '--namespace', home);
    await nothingIsLeft();
    const outcomes = (await judge(on.cluster, await load.end())).map(({ outcome }) => outcome);
    console.log(
      `uninstall: ${outcomes.length} writes, ${outcomes.filter((outcome) => outcome === 'failedOpen').length} of them unseen by us`,
    );
    expect(outcomes.filter((outcome) => outcome !== 'judged' && outcome !== 'failedOpen')).toEqual([]);
    expect(await written()).toMatchObject({ status: 201, warnings: [] });
  });

  it('with failurePolicy Fail and all Pods dead, there is a way out, and an uninstall needs none of them', async () => {
    await on.apply('helm4', 'install', { webhook: { failurePolicy: 'Fail', allowFewReplicas: true } });
    await on.kubectl('cordon', 'node');
    await on.kubectl('delete', 'pods', '-n', home, '-l', podLabels, '--force', '--grace-period=0');
    const refused = await until('nobody answers any more', async () => {
      const answer = await written('?dryRun=All');
      return answer.status === 500 && answer;
    });
    expect(refused.body.message).toContain('failed calling webhook "validate.portcullis.dev"');
    expect(await written('?dryRun=All', 'kube-system')).toMatchObject({ status: 201 });
    expect(await written('?dryRun=All', home)).toMatchObject({ status: 201 });
    const annotated = { ...broken, metadata: { name: 'urgent', annotations: { 'portcullis.dev/break-glass': 'all replicas are down' } } };
    expect(await on.cluster.request('POST', addressOf('Service', namespace), annotated)).toMatchObject({ status: 201 });

    await on.helm('helm4', 'uninstall', home, '--namespace', home);
    expect(await written()).toMatchObject({ status: 201, warnings: [] });
    await nothingIsLeft();
  });

  const written = (query = '', where = namespace): Promise<ApiAnswer> =>
    on.cluster.request('POST', `${addressOf('Service', where)}${query}`, broken);

  /** What the replicas serve with, and whom the API server trusts. */
  async function trust() {
    const secret = JSON.parse(await on.kubectl('get', 'secret', `${home}-ca`, '-n', home, '-o', 'json'));
    const configuration = JSON.parse(await on.kubectl('get', 'validatingwebhookconfiguration', home, '-o', 'json'));
    expect(Object.keys(secret.data)).not.toEqual([]);
    const bundles: readonly string[] = configuration.webhooks.map(
      ({ clientConfig }: { clientConfig: { caBundle: string } }) => clientConfig.caBundle,
    );
    return { data: secret.data, bundles };
  }

  const nothingIsLeft = async (): Promise<void> =>
    void (await until('nothing of the release is left', async () => (await on.leftovers()).length === 0, {
      withinMs: 60_000,
      everyMs: 500,
    }).catch(async (error: Error) => {
      throw new Error(`${error.message}: ${(await on.leftovers()).join(', ')}`);
    }));
});
