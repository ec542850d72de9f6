/** `portcullis explain ingress/NAME`: each link of the way, and where it ends. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { run } from '../../src/commands/program.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { encoded, everywhere } from '../support/snapshot-file.ts';
import { fakeTerminal } from './terminal.ts';

const directory = mkdtempSync(join(tmpdir(), 'portcullis-explain-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function portcullis(...argv: string[]) {
  const terminal = fakeTerminal();
  const code = await run(argv, terminal, '0.0.0');
  return { code, ...terminal.written };
}

const meta = (name: string, more: RawObject = {}): RawObject => ({ namespace: 'shop', name, ...more });
const service = (name: string, spec: RawObject): RawObject => ({ apiVersion: 'v1', kind: 'Service', metadata: meta(name), spec });
const web = service('web', { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] });
const podSpec = { containers: [{ name: 'web', ports: [{ name: 'http', containerPort: 8080 }] }] };
const deployment = (name: string, replicas = 2): RawObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta(name),
  spec: { replicas, template: { metadata: { labels: { app: name } }, spec: podSpec } },
});
const pod = ([name, ready]: readonly [string, boolean]): RawObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: meta(name, { labels: { app: 'web' } }),
  spec: podSpec,
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});
const ingress = (...backends: readonly RawObject[]): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: meta('shop'),
  spec: {
    ingressClassName: 'nginx',
    rules: [{ host: 'shop.example', http: { paths: backends.map((backend, at) => ({ path: `/${at}`, pathType: 'Prefix', backend })) } }],
  },
});
const to = (name: string, port: RawObject = { number: 80 }): RawObject => ({ service: { name, port } });

function files(objects: readonly RawObject[]): string {
  const path = join(directory, 'objects.yaml');
  writeFileSync(path, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  return path;
}

/** The last link of the only route, its repair, and the exit code. */
async function ended(target: string, objects: readonly RawObject[], ...options: string[]) {
  const { code, out, error } = await portcullis('explain', target, files(objects), '-n', 'shop', '-o', 'json', ...options);
  if (out === '') throw new Error(error);
  const [{ links, repair }] = JSON.parse(out).routes;
  const { link, state, text } = links.at(-1);
  return { code, ended: `${link} ${state}: ${text}`, repair: repair && `${repair.rule ?? '-'}: ${repair.text}` };
}

describe('explain ingress/NAME', () => {
  it.each<[string, string, number, string, string | undefined, readonly RawObject[]]>([
    ['whole', 'pods holds: Deployment web', 0, 'no repair', undefined, [ingress(to('web')), web, deployment('web')]],
    ['whole, by name', 'pods holds: Deployment web', 0, '', undefined, [ingress(to('web', { name: 'http' })), web, deployment('web')]],
    [
      ...(['the Service', 'service broken: there is no Service wbe', 1, 'did you mean web?'] as const),
      'ingress-backend-service-missing',
      [ingress(to('wbe')), web, deployment('web')],
    ],
    [
      ...(['the port', 'port broken: port 8080: Service web has no such port', 1, 'use port.number 80'] as const),
      'ingress-backend-port-missing',
      [ingress(to('web', { number: 8080 })), web, deployment('web')],
    ],
    [
      ...(['the Pods', 'pods broken: selector app=web matches no Pod', 1, 'did you mean app=wbe (Deployment wbe)?'] as const),
      'service-selector-matches-no-pods',
      [ingress(to('web')), web, deployment('wbe')],
    ],
    [
      ...(['the targetPort', 'pods broken: Deployment web: no container has a TCP port "htp"', 1] as const),
      ...(['did you mean http (or the number 8080)?', 'service-named-target-port-unresolved'] as const),
      [ingress(to('web')), service('web', { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'htp' }] }), deployment('web')],
    ],
  ])('%s', async (_, expected, code, repair, rule, objects) => {
    expect(await ended('ingress/shop', objects)).toEqual({ code, ended: expected, repair: rule && `${rule}: ${repair}` });
  });

  it.each<[string, number, readonly RawObject[]]>([
    ['pods open: Deployment web, scaled to zero', 0, [ingress(to('web')), web, deployment('web', 0)]],
    [
      'service open: Service web stands for a.example',
      0,
      [ingress(to('web')), service('web', { type: 'ExternalName', externalName: 'a.example' })],
    ],
    [
      'pods open: Service web has no selector: someone else writes its endpoints',
      0,
      [ingress(to('web')), service('web', { ports: [{ port: 80 }] })],
    ],
    [
      'service open: the Ingress controller alone knows where this backend leads',
      0,
      [ingress({ resource: { apiGroup: 'example.com', kind: 'Bucket', name: 'web' } })],
    ],
    ['service unknown: Services of shop: the files hold none', 2, [ingress(to('web'))]],
    ['pods unknown: Pod templates of shop: the files hold none', 2, [ingress(to('web')), web]],
  ])('%s', async (expected, code, objects) => {
    expect(await ended('ing/shop', objects)).toEqual({ code, ended: expected, repair: undefined });
  });

  it('doubts a link of which a rule doubts it', async () => {
    const number = service('web', { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 3000 }] });
    const { code, ended: last, repair } = await ended('ingress/shop', [ingress(to('web')), number, deployment('web')]);
    expect(last).toMatch(/^pods doubtful: Deployment web; no selected Pod declares port 3000\/TCP/);
    expect([code, repair]).toEqual([0, 'service-numeric-target-port-undeclared: did you mean targetPort 8080?']);
  });

  describe('and the policies of its Pods', () => {
    const controllerLabels = { 'app.kubernetes.io/name': 'ingress-nginx', 'app.kubernetes.io/component': 'controller' };
    const edge = { namespace: 'edge', name: 'nginx' };
    const nginx: readonly RawObject[] = [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'edge' } },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: { name: 'nginx' },
        spec: { controller: 'k8s.io/ingress-nginx' },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: edge,
        spec: { template: { metadata: { labels: controllerLabels }, spec: podSpec } },
      },
    ];
    const policy = (rules: readonly RawObject[]): RawObject => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: meta('closed'),
      spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: rules },
    });
    const noneOut: RawObject = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'none-out', namespace: 'edge' },
      spec: { podSelector: {}, policyTypes: ['Egress'] },
    };
    const fromEdge = { from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'edge' } } }] };
    const whole = [ingress(to('web')), web, deployment('web')];

    it.each<[string, number, readonly RawObject[]]>([
      [
        'policy broken: by NetworkPolicy shop/closed, Deployment edge/nginx does not reach them',
        1,
        [...nginx, policy([{ from: [{ podSelector: {} }] }])],
      ],
      ['policy holds: policies let Deployment edge/nginx in', 0, [...nginx, policy([fromEdge])]],
      ['pods holds: Deployment web', 0, [...nginx, policy([{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }])]],
      [
        'policy doubtful: by NetworkPolicy shop/closed, nobody is let in on 8080/TCP, but from the node itself',
        0,
        [policy([{ ports: [{ port: 9090 }] }])],
      ],
      ['pods holds: Deployment web', 0, [policy([{ from: [{ podSelector: {} }] }])]],
    ])('%s', async (expected, code, objects) => {
      const told = await ended('ingress/shop', [...whole, ...objects]);
      expect([told.ended, told.code]).toEqual([expected, code]);
    });

    it.each<[string, readonly RawObject[]]>([
      ['let them in with a rule of a NetworkPolicy;', [policy([])]],
      ['let Deployment edge/nginx out to them with a rule of a NetworkPolicy in edge;', [noneOut]],
      ['let Deployment edge/nginx out to them with a rule of a NetworkPolicy in edge, and let them in with a', [policy([]), noneOut]],
    ])('says where the rule is off: %s', async (expected, policies) => {
      const config = join(directory, 'off.yaml');
      writeFileSync(config, 'apiVersion: portcullis.dev/v1\nrules: { ingress-controller-blocked-by-policy: { mode: off } }\n');
      const told = await ended('ingress/shop', [...whole, ...nginx, ...policies], '--config', config);
      expect(told).toEqual({
        code: 1,
        ended: expect.stringMatching(/^policy broken: /),
        repair: expect.stringContaining(`-: ${expected}`),
      });
    });

    it('proposes the repair of the rule that finds it', async () => {
      const path = join(directory, 'cut.json');
      const resources = [...whole, ...nginx, policy([])].flatMap((raw) => normalize(raw) ?? []);
      writeFileSync(path, encoded(ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(resources), everywhere));
      const { out } = await portcullis('explain', 'ingress/shop', '--snapshot', path, '-n', 'shop', '-o', 'json');
      const [{ links, repair }] = JSON.parse(out).routes;
      expect([links.at(-1).link, repair.rule]).toEqual(['policy', 'ingress-controller-blocked-by-policy']);
    });

    it('says of a Service only that nobody is let in', async () => {
      const { ended: last } = await ended('service/web', [web, deployment('web'), policy([])]);
      expect(last).toBe('policy doubtful: by NetworkPolicy shop/closed, nobody is let in on 8080/TCP, but from the node itself');
      expect((await ended('service/web', [web, deployment('web'), ...nginx, policy([fromEdge])])).ended).toBe('pods holds: Deployment web');
    });
  });

  it('gives each route its own repair, and draws a tick for what holds', async () => {
    const path = files([ingress(to('web'), to('wbe'), to('web', { name: 'htp' })), web, deployment('web')]);
    const { code, out } = await portcullis('explain', 'ingress/shop', path, '-n', 'shop');
    expect(code).toBe(1);
    expect(out.replace(path, 'FILE')).toMatchInlineSnapshot(`
      "Ingress shop/shop in FILE

      shop.example/0
        ✓ Ingress shop, spec.rules[0].http.paths[0].backend
        ✓ Service web
        ✓ port 80 (http), which leads to http/TCP
        ✓ Deployment web

      shop.example/1
        ✓ Ingress shop, spec.rules[0].http.paths[1].backend
        ✗ there is no Service wbe
          repair of Ingress shop/shop: did you mean web?
          ingress-backend-service-missing

      shop.example/2
        ✓ Ingress shop, spec.rules[0].http.paths[2].backend
        ✓ Service web
        ✗ port htp: Service web has no such port
          repair of Ingress shop/shop: use port.name http
          ingress-backend-port-missing

      1 of 3 routes without a break, 2 broken.
      "
    `);
  });
});

it('says of the example cluster what stands in docs/explain.md', async () => {
  const backends = [to('checkout'), to('bakcend')];
  const paths = backends.map((backend, at) => ({ path: at === 0 ? '/' : '/cart', pathType: 'Prefix', backend }));
  const edge = {
    ...ingress(),
    metadata: meta('checkout'),
    spec: { ingressClassName: 'nginx', rules: [{ host: 'pay.example.com', http: { paths } }] },
  };
  const path = files([edge, service('checkout', { selector: { app: 'backedn' }, ports: [{ port: 80, targetPort: 8080 }] })]);
  const { out } = await portcullis('explain', 'ingress/checkout', 'examples/cluster', path, '-n', 'shop');
  expect(readFileSync('docs/explain.md', 'utf8')).toContain(out.replace(path, 'checkout.yaml'));
});

describe('explain service/NAME', () => {
  it('begins at the Service, with each of its ports', async () => {
    const { code, out } = await portcullis('explain', 'svc/web', files([web, deployment('web')]), '-n', 'shop', '-o', 'json');
    const [{ title, field, links }] = JSON.parse(out).routes;
    expect([code, title, field]).toEqual([0, 'port 80 (http)', 'spec.ports[0]']);
    expect(links.map(({ link }: { readonly link: string }) => link)).toEqual(['service', 'port', 'pods']);
  });

  it.each([
    [['web-1', true], ['web-2', false], 'pods holds: Pod web-1 and 1 more: 1 of 2 Pods ready', 0, undefined],
    [
      ...([['web-1', false], ['web-2', false], 'pods broken: Pod web-1 and 1 more: 0 of 2 Pods ready', 1] as const),
      '-: see what the Pods with app=web wait for (kubectl describe pods)',
    ],
  ] as const)('says who is ready in a snapshot: %s %s', async (first, second, expected, code, repair) => {
    const objects = [web, pod(first), pod(second)];
    const resources = objects.flatMap((raw) => normalize(raw) ?? []);
    const path = join(directory, 'cluster.json');
    writeFileSync(path, encoded(ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(resources), everywhere));
    const told = await portcullis('explain', 'service/web', '--snapshot', path, '-n', 'shop', '-o', 'json');
    const { links, repair: found } = JSON.parse(told.out).routes[0];
    const { link, state, text } = links.at(-1);
    expect([told.code, `${link} ${state}: ${text}`, found && `-: ${found.text}`]).toEqual([code, expected, repair]);
  });
});

describe('what cannot be explained', () => {
  it.each([
    [['ingress/shp', '-n', 'shop'], 'there is no Ingress shp in namespace shop of FILE. Did you mean shop?'],
    [['ingress/shop'], 'there is no Ingress shop in namespace default of FILE. It is in shop: name the namespace with -n.'],
    [['pod/web'], '"pod/web" is no object of which the way could be told.'],
    [['ingress/shop', '--snapshot', 'x'], 'files and a cluster are given both.'],
    [['service-in-use'], 'too many arguments after service-in-use.'],
  ])('%j', async ([target = '', ...others], expected) => {
    const path = files([ingress(to('web'))]);
    const { code, error } = await portcullis('explain', target, path, ...others);
    expect(code).toBe(2);
    expect(error.replace(path, 'FILE')).toContain(expected);
  });
});
