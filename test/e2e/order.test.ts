/** Who applies everything at once must never be stopped by the order, and a denial never rests on what we saw a moment too early. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { describeOnCluster, type KubectlResult } from '../support/cluster.ts';
import { deployment, ingress, labelled, secret, service } from '../support/shop.ts';
import { addressOf, create, useStage } from '../support/stage.ts';

const rounds = 50;

describeOnCluster('the order of what is applied', () => {
  const stage = useStage({ purpose: 'order' });

  /** `kubectl apply -f dir/`, which goes by the names of the files. */
  async function applyDirectory(namespace: string, objects: readonly RawObject[]): Promise<KubectlResult> {
    // Where a kubectl in a container finds it too.
    const directory = mkdtempSync(join(stage.cluster.address.directory, 'apply-'));
    try {
      for (const [index, object] of objects.entries())
        writeFileSync(join(directory, `${index}-${object['kind']}.json`), JSON.stringify(object));
      return await stage.cluster.kubectl(['apply', '-n', namespace, '-f', directory]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  it('is warned about where the Service comes first, which then is right', async () => {
    const namespace = await stage.namespace('guided');
    const host = 'guided.order.example.com';
    const objects = [service(), ingress('shop-tls', { host }), deployment, secret('shop-tls')];
    const first = await applyDirectory(namespace, objects);
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout.match(/created/g)).toHaveLength(4);
    // The Ingress may be asked about before our view has the Service, which a denial would wait for, and a warning does not.
    const backend = /^Warning: .* \[ingress-backend-(service-missing|unusable)\]$/m;
    for (const rule of ['service-selector-matches-no-pods', 'tls-secret-missing']) expect(first.stderr).toContain(`[${rule}]`);
    expect(first.stderr).toMatch(backend);
    // A finding may take two lines.
    expect(new Set(first.stderr.match(/\[[a-z-]+\]$/gm))).toHaveProperty('size', 3);

    const changed = [
      service({ metadata: { labels: { team: 'blue' } } }),
      { ...ingress('shop-tls', { host }), metadata: { name: 'web', labels: { team: 'blue' } } },
    ];
    const again = await applyDirectory(namespace, changed);
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('is nothing to speak of where the Deployment comes first, even in strict', async () => {
    const namespace = await stage.namespace('strict');
    const objects = [deployment, secret('shop-tls'), service(), ingress('shop-tls', { host: 'strict.order.example.com' })];
    const { code, stdout, stderr } = await applyDirectory(namespace, objects);
    expect({ code, stderr: notWarnings(stderr) }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/created/g)).toHaveLength(4);
  });

  /** A warning may stand where our view was behind: the live look only saves from denials. */
  const notWarnings = (stderr: string): string => stderr.replaceAll(/^Warning: .*\n/gm, '');

  it('denies at once what was right until its Deployment was deleted a moment ago', async () => {
    const namespace = await stage.namespace('strict');
    await stage.given(namespace, [deployment]);
    await stage.gone(namespace, 'Deployment', 'web');
    expect((await stage.apply(namespace, service())).stderr).toContain('[service-selector-matches-no-pods] portcullis');
  });
});

/** Our view is behind by more than it takes to create two objects after each other. */
describeOnCluster('what was created a moment ago', () => {
  const stage = useStage({ purpose: 'moment', lagMs: 150 });

  /** Several rounds at a time: each waits for its own live look. */
  async function inRounds(play: (round: number) => Promise<void>): Promise<void> {
    for (let round = 0; round < rounds; round += 5) await Promise.all([0, 1, 2, 3, 4].map((step) => play(round + step)));
  }

  it(`keeps a Service from being denied, in ${rounds} rounds`, async () => {
    const namespace = await stage.namespace('strict');
    await inRounds(async (round) => {
      const app = `web-${round}`;
      await create(stage.cluster, namespace, labelled(app));
      const object = service({ name: app, selector: { app } });
      const { status, body } = await stage.cluster.request('POST', addressOf('Service', namespace), object);
      expect(status, `round ${round}: ${body.message}`).toBe(201);
    });
  });

  it(`keeps an Ingress from being denied, in ${rounds} rounds`, async () => {
    const namespace = await stage.namespace('strict');
    await stage.given(namespace, [deployment, service()]);
    await inRounds(async (round) => {
      await create(stage.cluster, namespace, secret(`tls-${round}`));
      const object = ingress(`tls-${round}`, { name: `web-${round}`, host: `web-${round}.order.example.com` });
      const { status, body } = await stage.cluster.request('POST', addressOf('Ingress', namespace), object);
      expect(status, `round ${round}: ${body.message}`).toBe(201);
    });
  });

  it('does not keep from a denial what is wrong all the same', async () => {
    const namespace = await stage.namespace('strict');
    await create(stage.cluster, namespace, deployment);
    const { status, body } = await stage.cluster.request('POST', addressOf('Service', namespace), service({ selector: { app: 'wbe' } }));
    expect(status, body.message).toBe(422);
    expect(body.message).toContain('did you mean app=web');
  });
});
