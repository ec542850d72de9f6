/**
 * The demo tells the truth: its commands, typed at the real kubectl against the real API server with the webhook
 * configuration of deploy/, give the same lines.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { play, type Stage, scenesOf, stageOf } from '../../src/commands/demo.ts';
import { type DemoServer, startDemoServer } from '../../src/commands/demo-server.ts';
import { loadManifests } from '../../src/sources/manifests.ts';
import { type Balancer, startBalancer } from '../support/balancer.ts';
import { until } from '../support/child-process.ts';
import { type Cluster, connectCluster, describeOnCluster } from '../support/cluster.ts';
import { freePort } from '../support/control-plane.ts';

const root = join(import.meta.dirname, '..', '..');
const examples = join(root, 'examples');

// The API server itself is never asked about: as it, one can set a scene that the webhook would not allow.
const unasked = ['--as=system:apiserver', '--as-group=system:masters'];

describeOnCluster('the demo at a real cluster', () => {
  let cluster: Cluster;
  let server: DemoServer;
  let way: Balancer;
  let stage: Stage;

  beforeAll(async () => {
    cluster = connectCluster();
    server = await startDemoServer(examples);
    // It listens on loopback alone, which an API server in a container cannot reach.
    way = await startBalancer(await freePort(), { listen: cluster.address.here.listen });
    way.setReady([Number(new URL(server.url).port)]);
    stage = await stageOf(examples);
    for (const file of ['deploy/00-namespace.yaml', 'examples/cluster/00-namespaces.yaml', 'examples/cluster'])
      await done(['apply', '-f', file]);
    await done(['apply', '-f', '-'], [reachable(), await configuration()]);
    await untilAsked();
  });

  afterAll(async () => {
    await cluster.kubectl(['delete', 'validatingwebhookconfiguration', 'portcullis']);
    await cluster.kubectl(['delete', '-n', 'portcullis', 'service', 'portcullis']);
    for (const { kind, metadata } of stage.cluster as readonly { kind: string; metadata: { name: string; namespace?: string } }[])
      if (metadata.namespace !== undefined) await cluster.kubectl(['delete', '-n', metadata.namespace, kind, metadata.name]);
    await way.close();
    await server.close();
    await cluster.close();
  });

  const done = async (args: readonly string[], input?: readonly Record<string, unknown>[]): Promise<void> => {
    const { code, stderr } = await cluster.kubectl(args, input && { input });
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  };

  /** Our Service, led to this process: an ExternalName Service takes the API server's real HTTP/1.1 path. */
  const reachable = () => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'portcullis', namespace: 'portcullis' },
    spec: { type: 'ExternalName', externalName: cluster.address.here.name, ports: [{ port: way.port }] },
  });

  async function configuration(): Promise<Record<string, unknown>> {
    const { manifests } = await loadManifests([join(root, 'deploy', '50-webhook.yaml')]);
    // biome-ignore lint/suspicious/noExplicitAny: a webhook configuration, of which two fields are filled in
    const raw = manifests[0]?.raw as any;
    const clientConfig = {
      service: { ...raw.webhooks[0].clientConfig.service, port: way.port },
      caBundle: Buffer.from(server.ca).toString('base64'),
    };
    return { ...raw, webhooks: raw.webhooks.map((webhook: object) => ({ ...webhook, clientConfig, failurePolicy: 'Fail' })) };
  }

  /** A new configuration takes effect within moments, not at once. */
  async function untilAsked(): Promise<void> {
    const probe = ['apply', '-n', 'shop', '-f', 'examples/broken/selector-typo.yaml', '--dry-run=server'];
    await until('the API server asks us', async () => /would be denied/.test((await cluster.kubectl(probe)).stderr));
  }

  const nameOf = (file: string) => ['-f', join('examples', file)];

  it.each(scenesOf(examples))('$namespace: $title', async (scene) => {
    const file = (scene.apply ?? scene.delete ?? scene.label) as string;
    if (scene.label !== undefined) await done(['apply', '-n', scene.namespace, ...nameOf(scene.label), ...unasked]);
    try {
      const { lines } = await play(scene, stage, server);
      const [command, ...expected] = lines;
      const { stdout, stderr } = await cluster.kubectl((command as string).replace('$ kubectl ', '').split(' '));
      expect([...stderr.split('\n'), ...stdout.split('\n')].filter((line) => line !== '')).toEqual(expected);
    } finally {
      await cluster.kubectl(['delete', '-n', scene.namespace, ...nameOf(file), '--ignore-not-found', ...unasked]);
      await done(['apply', '-f', 'examples/cluster/60-policies.yaml', ...unasked]);
    }
  });
});
