/** What `check` says where an operator may make what the files do not hold: the slip of a pen, and nothing else. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { check } from '../../src/commands/check.ts';
import { type FileFinding, quiet } from '../support/rule-drivers.ts';

const operated = { apiVersion: 'example.org/v1', kind: 'Thing', metadata: { name: 'thing', namespace: 'shop' } };
const workload = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'frontend', namespace: 'shop' },
  spec: {
    selector: { matchLabels: { app: 'frontend' } },
    template: { metadata: { labels: { app: 'frontend' } }, spec: { containers: [{ name: 'a', ports: [{ containerPort: 8080 }] }] } },
  },
};
const service = (name: string, app: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec: { selector: { app }, ports: [{ port: 80, targetPort: 8080 }] },
});
const ingressTo = (name: string, ingressClassName = 'nginx') => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: `to-${name}`, namespace: 'shop' },
  spec: {
    ingressClassName,
    rules: [{ host: 'shop.example.com', http: { paths: [{ path: `/${name}`, pathType: 'Prefix', backend: backendOf(name) }] } }],
  },
});
const backendOf = (name: string) => ({ service: { name, port: { number: 80 } } });
const nginx = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name: 'nginx' },
  spec: { controller: 'k8s.io/ingress-nginx' },
};

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-made-'));
});
afterAll(() => rm(directory, { recursive: true }));

interface Report {
  readonly findings: readonly FileFinding[];
  readonly skipped: readonly { readonly rule: string; readonly reason: string }[];
}

async function judged(...objects: readonly object[]) {
  const file = join(directory, 'all.json');
  await writeFile(file, objects.map((one) => JSON.stringify(one)).join('\n'));
  const printed: string[] = [];
  await check([file], { output: 'json', failOn: 'info', profile: 'strict' }, quiet(printed));
  const { findings, skipped }: Report = JSON.parse(printed.join(''));
  return {
    told: findings.filter(({ mode }) => mode !== 'audit').map(({ rule, mode }) => `${rule} ${mode}`),
    inPart: skipped.filter(({ reason }) => reason === 'partial').map(({ rule }) => rule),
  };
}

it.each([
  ['Pods', [workload, service('thing', 'thing')], 'service-selector-matches-no-pods'],
  ['a Service', [workload, service('frontend', 'frontend'), ingressTo('thing-http')], 'ingress-backend-service-missing'],
])('%s may come of a custom object', async (_, objects, rule) => {
  expect(await judged(...objects, operated)).toEqual({ told: [], inPart: [rule] });
  expect(await judged(...objects)).toEqual({ told: [`${rule} deny`], inPart: [] });
});

it.each([
  ['a label', [workload, service('frontend', 'frontned')], 'service-selector-matches-no-pods'],
  ['a Service', [workload, service('frontend', 'frontend'), ingressTo('fronted')], 'ingress-backend-service-missing'],
])('%s is misspelt, whatever may come', async (_, objects, rule) => {
  expect(await judged(...objects, operated)).toEqual({ told: [`${rule} deny`], inPart: [] });
});

it('tells of a Service in another namespace, where the files hold none in this one', async () => {
  const elsewhere = { ...service('web', 'frontend'), metadata: { name: 'web', namespace: 'shop-eu' } };
  expect((await judged(elsewhere, ingressTo('web'))).told).toEqual(['ingress-backend-service-missing deny']);
  expect(await judged(elsewhere, ingressTo('api'))).toEqual({ told: [], inPart: ['ingress-backend-service-missing'] });
});

it('takes the classes in files for some of those that there are', async () => {
  const rest = [workload, service('frontend', 'frontend'), nginx];
  expect(await judged(...rest, ingressTo('frontend', 'alb'))).toMatchObject({ told: [], inPart: ['ingress-class-missing'] });
  expect((await judged(...rest, ingressTo('frontend', 'ngixn'))).told).toContain('ingress-class-missing deny');
});

it('judges what is there beside what may come', async () => {
  const wrongPort = { ...ingressTo('frontend'), spec: { defaultBackend: { service: { name: 'frontend', port: { number: 81 } } } } };
  expect((await judged(workload, service('frontend', 'frontend'), wrongPort, operated)).told).toContain(
    'ingress-backend-port-missing deny',
  );
});
