/** What a person reads who has installed us and applies manifests, and whether it is true: Services really behave as we say. */
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scenesOf } from '../../src/commands/demo.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { until } from '../support/child-process.ts';
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
import { client, fetchedBy, webServer } from '../support/real-node-workload.ts';
import { service } from '../support/shop.ts';
import { create } from '../support/stage.ts';

const examples = ['00-namespaces', '15-platform', '20-frontend', '30-backend', '40-database', '50-ingress', '60-policies', '70-sandbox'];
const theirs = ['shop', 'sandbox', 'monitoring', 'traefik'];
// The API server itself is never asked about: as it, one can set a scene that the webhook would not allow.
const unasked = ['--as=system:apiserver', '--as-group=system:masters'];

describeOnNode('answers on a real node', () => {
  let on: OnNode;
  /** Where a web server and a client run; its profile is strict. */
  let real = '';

  beforeAll(async () => {
    on = connectNode();
    await makeHome(on);
    await on.apply('helm4', 'install', { config: load(readFileSync('examples/portcullis.yaml', 'utf8')) });
    real = await on.cluster.newNamespace('real', { 'portcullis.dev/profile': 'strict' });
    for (const object of [webServer('web'), client]) await create(on.cluster, real, object);
    await on.kubectl('apply', '-f', `examples/cluster/${examples[0]}.yaml`);
    // The examples' images exist nowhere: what counts is what their workloads would run.
    for (const namespace of theirs) await on.kubectl('create', 'quota', 'no-pods', '--hard=pods=0', '-n', namespace);
    await on.kubectl('apply', ...examples.flatMap((name) => ['-f', `examples/cluster/${name}.yaml`]), ...unasked);
    await untilAnswered(on, real);
    await on.kubectl('wait', '-n', real, '--for=condition=Ready', 'pods', '--all', '--timeout=60s');
  });

  afterAll(async () => {
    await on.kubectl('delete', 'namespace', ...[real, ...theirs].filter(Boolean), '--ignore-not-found', '--wait=false');
    await removeRelease(on);
    await on.close();
  });

  it('two replicas run in a namespace that takes restricted Pods only, and their probes have found them well', async () => {
    const pods = await on.pods();
    expect(pods).toHaveLength(2);
    for (const { status } of pods) expect(status.containerStatuses).toMatchObject([{ ready: true, restartCount: 0 }]);
    const { stderr } = await on.cluster.kubectl(['run', 'rooted', '-n', home, '--image=any', '--dry-run=server']);
    expect(stderr).toContain('violates PodSecurity "restricted:latest"');
  });

  it('the API server has reached us by the address of our Service, which kube-proxy leads to our Pods', async () => {
    const { stderr } = await on.cluster.kubectl(['apply', '-n', real, '-f', '-'], { input: service({ selector: { app: 'wbe' } }) });
    expect(stderr).toContain('[service-selector-matches-no-pods] portcullis');
    const rules = await withinNode(on.node, 'iptables-save', '--counters', '--table', 'nat');
    const ours = rules
      .split('\n')
      .filter((rule) => rule.includes('"portcullis/portcullis:webhook cluster IP"') && rule.includes('KUBE-SVC'));
    const packets = ours.map((rule) => Number(/^\[(\d+):/.exec(rule)?.[1]));
    expect(packets.some((count) => count > 0)).toBe(true);
  });

  const scenes = scenesOf('examples').filter(({ apply, namespace }) => apply !== undefined && namespace !== 'kube-system');

  it.each(scenes)('examples/$apply in $namespace, dry-run $dryRun: $title', async ({ apply = '', namespace, dryRun, denied, warned }) => {
    const file = ['-n', namespace, '-f', `examples/${apply}`];
    const { code, stderr } = await on.cluster.kubectl(['apply', ...file, ...(dryRun ? ['--dry-run=server'] : [])]);
    await on.kubectl('delete', ...file, '--ignore-not-found', ...unasked);
    await on.kubectl('apply', '-f', 'examples/cluster/60-policies.yaml', ...unasked);
    expect(code).toBe(denied.length > 0 ? 1 : 0);
    expect(rulesIn(stderr)).toEqual([...denied, ...warned].sort());
    if (denied.length + warned.length === 0) expect(stderr).toBe('');
  });

  it('a Service that we deny for its port, created all the same, has addresses without a port, and nobody answers', async () => {
    const broken = service({ name: 'typo', port: { targetPort: 'htpp' } });
    const message = await denialOf(broken);
    expect(message).toContain('did you mean http (or the number 8080)?');
    expect(message).toContain('will have addresses but no port, so every connection to it fails');
    await create(on.cluster, real, broken);
    const [slice] = await slicesOf('typo');
    expect(slice.endpoints).toHaveLength(1);
    expect(slice.ports ?? []).toEqual([]);
    expect(await fetchedBy(on, real, 'http://typo')).toBe('no answer: ECONNREFUSED');
  });

  it('a Service that we deny for its selector, created all the same, has no endpoints, and nobody answers', async () => {
    const broken = service({ name: 'lost', selector: { app: 'web', tier: 'front' } });
    expect(await denialOf(broken)).toContain('The Service has no endpoints, so every connection to it fails.');
    await create(on.cluster, real, broken);
    expect((await slicesOf('lost')).flatMap(({ endpoints }) => endpoints ?? [])).toEqual([]);
    expect(await fetchedBy(on, real, 'http://lost')).toBe('no answer: ECONNREFUSED');
  });

  it('a Service that we say nothing about works', async () => {
    const { code, stderr } = await on.cluster.kubectl(['apply', '-n', real, '-f', '-'], { input: service() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await until('the Service answers', async () => (await fetchedBy(on, real, 'http://web')) === '200 from web');
  });

  it('a Pod that is not of the API server gets no review', async () => {
    const [pod] = await on.pods();
    expect(await fetchedBy(on, real, `http://${pod.status.podIP}:8081/readyz`)).toMatch(/^200 /);
    for (const url of [`https://${pod.status.podIP}:10250/validate`, `https://${home}.${home}.svc.cluster.local/validate`])
      expect(await fetchedBy(on, real, url)).toMatch(/^(no answer: (ECONNRESET|UND_ERR_SOCKET)|403 )/);
  });

  it('helm test is content', async () => {
    expect(await on.helm('helm4', 'test', home, '--namespace', home)).toMatch(/Phase:\s+Succeeded/);
  });

  it('the Pods use a fraction of the memory that they may', async () => {
    const { pods } = JSON.parse(await on.kubectl('get', '--raw', '/api/v1/nodes/node/proxy/stats/summary'));
    const names = (await on.kubectl('get', 'pods', '-n', home, '-l', podLabels, '-o', 'name')).replaceAll('pod/', '').trim().split('\n');
    const ours = pods.filter(({ podRef }: { podRef: { name: string } }) => names.includes(podRef.name));
    const used: readonly number[] = ours.map(
      ({ containers }: { containers: { memory: { workingSetBytes: number } }[] }) => containers[0]?.memory.workingSetBytes,
    );
    console.log(`memory of the Pods: ${used.map((bytes) => (bytes / 2 ** 20).toFixed(0)).join(' and ')} MiB of 512`);
    expect(used).toHaveLength(2);
    expect(Math.max(...used)).toBeLessThan(256 * 2 ** 20);
  });

  async function denialOf(object: RawObject): Promise<string> {
    const { code, stderr } = await on.cluster.kubectl(['apply', '-n', real, '-f', '-'], { input: object });
    expect(code).toBe(1);
    return stderr;
  }

  // biome-ignore lint/suspicious/noExplicitAny: EndpointSlices, which are picked apart
  const slicesOf = async (name: string): Promise<readonly any[]> =>
    until(`the controller has seen ${name}`, async () => {
      const { body } = await on.cluster.request(
        'GET',
        `/apis/discovery.k8s.io/v1/namespaces/${real}/endpointslices?labelSelector=kubernetes.io/service-name=${name}`,
      );
      return body.items.length > 0 && body.items;
    });
});

const rulesIn = (text: string): readonly string[] =>
  [...new Set([...text.matchAll(/\[([a-z]+(?:-[a-z]+)+)\]/g)].map(([, id]) => id as string))].sort();
