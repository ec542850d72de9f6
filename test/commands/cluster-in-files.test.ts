/** What `check` says of files that hold parts of the cluster's own: an Ingress controller, the DNS, the API server's Service. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check } from '../../src/commands/check.ts';
import { type FileFinding, quiet } from '../support/rule-drivers.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-parts-'));
});
afterAll(() => rm(directory, { recursive: true }));

interface Report {
  readonly findings: readonly FileFinding[];
  readonly skipped: readonly { readonly rule: string }[];
}

/** What one rule says of the files. */
async function said(rule: string, ...objects: readonly object[]) {
  const file = join(directory, 'all.json');
  await writeFile(file, objects.map((one) => JSON.stringify(one)).join('\n'));
  const printed: string[] = [];
  await check([file], { output: 'json', failOn: 'info', profile: 'strict' }, quiet(printed));
  const { findings, skipped }: Report = JSON.parse(printed.join(''));
  return {
    told: findings.filter((one) => one.rule === rule).map(({ message, mode }) => `${message} ${mode}`),
    skipped: skipped.filter((one) => one.rule === rule).length,
  };
}

const made = (kind: string, namespace: string, name: string, labels: object, containers: readonly object[] = [], more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { namespace, name },
  spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers, ...more } } },
});
const service = (namespace: string, name: string, spec: object) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace, name },
  spec,
});
const policy = (spec: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { namespace: 'shop', name: 'web' },
  spec: { podSelector: { matchLabels: { app: 'web' } }, ...spec },
});
const web = made('Deployment', 'shop', 'web', { app: 'web' }, [{ name: 'web', ports: [{ containerPort: 8080 }] }]);

describe('an Ingress controller', () => {
  const rule = 'ingress-controller-blocked-by-policy';
  const controller = made('Deployment', 'ingress-nginx', 'controller', {
    'app.kubernetes.io/name': 'ingress-nginx',
    'app.kubernetes.io/component': 'controller',
  });
  const application = [
    web,
    service('shop', 'web', { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] }),
    { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'nginx' }, spec: { controller: 'k8s.io/ingress-nginx' } },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { namespace: 'shop', name: 'web' },
      spec: { ingressClassName: 'nginx', defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
    },
  ];
  const isolating = policy({ policyTypes: ['Ingress'] });
  const from = (matchLabels: object) => policy({ ingress: [{ from: [{ namespaceSelector: { matchLabels } }] }] });

  it('is shut out', async () => {
    expect(await said(rule, ...application, controller, isolating)).toEqual({ told: ['notLetIn warn'], skipped: 0 });
  });

  it('is let in by its namespace', async () => {
    const policyForIt = from({ 'kubernetes.io/metadata.name': 'ingress-nginx' });
    expect(await said(rule, ...application, controller, policyForIt)).toEqual({ told: [], skipped: 0 });
  });

  it('may be let in by a label of its namespace, of which the files say nothing', async () => {
    expect(await said(rule, ...application, controller, from({ team: 'edge' }))).toEqual({ told: [], skipped: 1 });
  });

  it.each([
    ['there is none', [isolating]],
    ['there are two', [controller, { ...controller, metadata: { namespace: 'ingress-internal', name: 'controller' } }, isolating]],
    ['there is no policy', [controller]],
  ])('is nothing to speak of where %s', async (_, rest) => {
    expect(await said(rule, ...application, ...rest)).toEqual({ told: [], skipped: 0 });
  });
});

describe("the cluster's DNS", () => {
  const dns = (port: number) => [{ name: 'dns', ports: [{ name: 'dns', containerPort: port, protocol: 'UDP' }] }];
  const ports = [{ name: 'dns', port: 53, protocol: 'UDP', targetPort: 'dns' }];
  const labels = { 'k8s-app': 'kube-dns' };
  const kubeDns = service('kube-system', 'kube-dns', { clusterIP: '10.96.0.10', selector: labels, ports });
  const coredns = made('Deployment', 'kube-system', 'coredns', labels, dns(53));
  const toBlock = (cidr: string) => policy({ egress: [{ to: [{ ipBlock: { cidr } }], ports: [{ port: 53, protocol: 'UDP' }] }] });

  it('of OpenShift is found where kube-system is not given', async () => {
    const own = { 'dns.operator.openshift.io/daemonset-dns': 'default' };
    const openshift = [
      service('openshift-dns', 'dns-default', { selector: own, ports }),
      made('DaemonSet', 'openshift-dns', 'dns-default', own, dns(5353)),
    ];
    const toDns = (port: number) => policy({ egress: [{ ports: [{ port, protocol: 'UDP' }] }] });
    expect(await said('dns-port-not-pod-port', web, ...openshift, toDns(53))).toEqual({ told: ['otherPort deny'], skipped: 0 });
    expect(await said('dns-port-not-pod-port', web, ...openshift, toDns(5353))).toEqual({ told: [], skipped: 0 });
    expect(await said('dns-port-not-pod-port', web, toDns(53))).toEqual({ told: [], skipped: 1 });
  });

  it('has no link-local address, but a cache on the node has', async () => {
    const rule = 'network-policy-isolates-dns';
    const cache = made('DaemonSet', 'kube-system', 'node-local-dns', { 'k8s-app': 'node-local-dns' }, [], { hostNetwork: true });
    expect(await said(rule, web, kubeDns, coredns, toBlock('169.254.20.10/32'))).toEqual({
      told: ['onlyAddressesAllowed warn'],
      skipped: 0,
    });
    expect(await said(rule, web, kubeDns, coredns, toBlock('10.244.0.0/16'))).toEqual({ told: [], skipped: 0 });
    expect(await said(rule, web, kubeDns, coredns, cache, toBlock('169.254.20.10/32'))).toEqual({ told: [], skipped: 0 });
  });

  it('may be asked by the address of its Service where the files do not tell of caches', async () => {
    const rule = 'network-policy-ip-block-covers-cluster';
    expect(await said(rule, web, kubeDns, coredns, toBlock('10.96.0.10/32'))).toEqual({ told: ['isServiceElsewhere warn'], skipped: 0 });
    expect(await said(rule, web, kubeDns, toBlock('10.96.0.10/32'))).toEqual({ told: [], skipped: 0 });
  });
});

it("leaves the API server's Service alone", async () => {
  const rule = 'statefulset-service-name';
  expect(await said(rule, service('default', 'kubernetes', { clusterIP: '10.96.0.1', ports: [{ port: 443 }] }))).toEqual({
    told: [],
    skipped: 0,
  });
  expect(await said(rule, service('default', 'web', { selector: { app: 'web' }, ports: [{ port: 80 }] }))).toEqual({
    told: [],
    skipped: 1,
  });
});
