/** Every key of values.yaml does something, and no other key is taken. */
import { globSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { defaultValues, valuesJsonSchema } from '../../scripts/chart/values.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import { isObject, objectAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { helms } from '../support/control-plane-build.ts';
import { chart, describeWithHelm, refusal, render, renderText } from '../support/helm.ts';
import { everythingOn } from './values.ts';

const standard = load(readFileSync(`${chart}/values.yaml`, 'utf8')) as RawObject;
const schema = valuesJsonSchema();

const certManager = { tls: { mode: 'certManager', certManager: { issuerRef: { name: 'ca' } } } };
const existing = { tls: { mode: 'existingSecret', existingSecret: 'tls' } };
const pem = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
const peers = [{ namespaceSelector: {} }];
const clientCa = { webhook: { clientCa: { configMap: 'ca' } } };
const on = (kind: string) => ({ metrics: { [kind]: { enabled: true } } });

/** For each key another value than its default, and the values beside which it counts. */
const others: Readonly<Record<string, readonly [value: unknown, beside?: RawObject]>> = {
  'global.imageRegistry': ['mirror.invalid'],
  nameOverride: ['guard'],
  fullnameOverride: ['guard'],
  namespaceOverride: ['guards'],
  clusterDomain: ['example.invalid'],
  commonLabels: [{ team: 'net' }],
  replicaCount: [3],
  'image.registry': ['mirror.invalid'],
  'image.repository': ['other'],
  'image.tag': ['9.9.9'],
  'image.digest': ['sha256:abc'],
  'image.pullPolicy': ['Always'],
  imagePullSecrets: [[{ name: 'pull' }]],
  config: [{ profile: 'strict' }],
  'webhook.port': [9443],
  'webhook.failurePolicy': ['Fail', { replicaCount: 3 }],
  'webhook.allowFewReplicas': [true],
  'webhook.timeoutSeconds': [5],
  'webhook.excludeNamespaces': [['legacy']],
  'webhook.namespaceSelector': [{ matchLabels: { judged: 'yes' } }],
  'webhook.objectSelector': [{ matchLabels: { judged: 'yes' } }],
  'webhook.matchConditions': [[{ name: 'never', expression: 'false' }]],
  'webhook.annotations': [{ note: 'one' }],
  'webhook.callerNamespaces': [['tunnel']],
  'webhook.anyCaller': [true],
  'webhook.clientCa.configMap': ['ca'],
  'webhook.clientCa.key': ['other.crt', clientCa],
  'webhook.clientCa.names': [['apiserver'], clientCa],
  'tls.mode': ['certManager', { tls: { certManager: { issuerRef: { name: 'ca' } } } }],
  'tls.certManager.issuerRef': [{ name: 'other' }, certManager],
  'tls.certManager.duration': ['720h', certManager],
  'tls.existingSecret': ['other', existing],
  'tls.caBundle': [pem, existing],
  'logging.level': ['debug'],
  healthPort: [8082],
  'metrics.serviceMonitor.enabled': [true],
  'metrics.serviceMonitor.labels': [{ release: 'prometheus' }, on('serviceMonitor')],
  'metrics.serviceMonitor.interval': ['15s', on('serviceMonitor')],
  'metrics.serviceMonitor.scrapeTimeout': ['5s', on('serviceMonitor')],
  'metrics.podMonitor.enabled': [true],
  'metrics.podMonitor.labels': [{ release: 'prometheus' }, on('podMonitor')],
  'metrics.podMonitor.interval': ['15s', on('podMonitor')],
  'metrics.podMonitor.scrapeTimeout': ['5s', on('podMonitor')],
  'metrics.prometheusRule.enabled': [true],
  'metrics.prometheusRule.labels': [{ release: 'prometheus' }, on('prometheusRule')],
  'metrics.dashboards.enabled': [true],
  'metrics.dashboards.labels': [{ folder: 'net' }, on('dashboards')],
  'metrics.namespaceLabel': [true],
  'reports.enabled': [false],
  'reports.format': ['both'],
  'reports.maxResultsPerObject': [10],
  'reports.limit': [100],
  'reports.intervalSeconds': [60],
  'events.enabled': [false],
  'events.minSeverity': ['high'],
  'networkPolicy.enabled': [false],
  'networkPolicy.apiServerCIDRs': [['10.0.0.0/28']],
  'networkPolicy.webhookFrom': [peers],
  'networkPolicy.metricsFrom': [peers],
  'networkPolicy.apiServerPorts': [[8443]],
  'networkPolicy.extraEgress': [[{ ports: [{ port: 4317 }] }]],
  'serviceAccount.create': [false, { serviceAccount: { name: 'given' } }],
  'serviceAccount.name': ['other'],
  'serviceAccount.annotations': [{ role: 'reader' }],
  'rbac.create': [false],
  'rbac.secretNamespaces': [['shop']],
  resources: [{ limits: { memory: '1Gi' } }],
  'podDisruptionBudget.enabled': [false],
  'podDisruptionBudget.minAvailable': [2, { replicaCount: 3 }],
  priorityClassName: [''],
  topologySpreadConstraints: [[]],
  affinity: [{ nodeAffinity: {} }],
  nodeSelector: [{ pool: 'system' }],
  tolerations: [[{ operator: 'Exists' }]],
  podSecurityContext: [{ runAsUser: 1000 }],
  securityContext: [{ runAsUser: 1000 }],
  hostNetwork: [true, { webhook: { port: 9443 } }],
  dnsPolicy: ['Default'],
  podLabels: [{ tier: 'edge' }],
  podAnnotations: [{ note: 'two' }],
  extraArgs: [['--drain-seconds=20']],
  extraEnv: [[{ name: 'TZ', value: 'UTC' }]],
  extraVolumes: [[{ name: 'more', emptyDir: {} }]],
  extraVolumeMounts: [[{ name: 'more', mountPath: '/more' }]],
  extraObjects: [[{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'extra' } }]],
};

/** This one only lets other values pass. */
const changesNothing = ['webhook.allowFewReplicas'];

/** Keys without a key of ours below: what stands in them is Kubernetes' own, or the configuration's. */
function leaves(values: RawObject, at: RawObject, prefix = ''): readonly string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const own = objectAt(objectAt(at, 'properties'), key);
    const isSection = key !== 'config' && isObject(value) && Object.keys(objectAt(own, 'properties')).length > 0;
    return isSection ? leaves(value, own, `${prefix}${key}.`) : [`${prefix}${key}`];
  });
}

const nested = (path: string, value: unknown): RawObject =>
  path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as RawObject;

function merged(a: RawObject, b: RawObject): RawObject {
  const both = Object.entries(b).map(([key, value]) => [key, isObject(a[key]) && isObject(value) ? merged(a[key], value) : value]);
  return { ...a, ...Object.fromEntries(both) };
}

describe('values.yaml', () => {
  it('holds the defaults of the schema, in less than 280 lines', () => {
    expect(standard).toEqual(defaultValues());
    expect(readFileSync(`${chart}/values.yaml`, 'utf8').split('\n').length).toBeLessThan(280);
  });

  it('says of every key what it is', () => {
    const lines = readFileSync(`${chart}/values.yaml`, 'utf8').split('\n');
    const names = new Set(leaves(standard, schema).flatMap((path) => path.split('.')));
    const bare = lines.filter((line, index) => {
      const [, key = ''] = /^ *([A-Za-z]+):/.exec(line) ?? [];
      return names.has(key) && !/^ *# \S/.test(lines[index - 1] ?? '');
    });
    // Below these stands Kubernetes' own: `resources.limits` is not ours to explain.
    expect(bare).toEqual([]);
  });

  it('says of the resources what the image does, and of a busy node', () => {
    const [, heap] = /--max-old-space-size=(\d+)/.exec(readFileSync('Dockerfile', 'utf8')) ?? [];
    const { description } = objectAt(objectAt(schema, 'properties'), 'resources');
    expect(description).toContain(`the heap of Node to ${heap} MB`);
    expect(description).toMatch(/request of CPU is its share while a node is busy/);
    // With 50m, writes went through unjudged beside a load of 23.
    expect(standard).toMatchObject({ resources: { requests: { cpu: '100m' } } });
  });

  it('says that the port behind the Service of the API server counts', () => {
    const { apiServerPorts } = objectAt(objectAt(objectAt(schema, 'properties'), 'networkPolicy'), 'properties');
    expect(apiServerPorts).toMatchObject({ description: expect.stringMatching(/behind it.*8443, 16443/) });
  });
});

describeWithHelm('a value', () => {
  it('is tried here for every key there is', () => expect(Object.keys(others)).toEqual(leaves(standard, schema)));

  const rendered = new Map<string, string>();
  const outputOf = (values: RawObject): string => {
    const key = JSON.stringify(values);
    const text = rendered.get(key) ?? renderText(values);
    rendered.set(key, text);
    return text;
  };

  it.each(Object.entries(others).filter(([path]) => !changesNothing.includes(path)))(
    '%s changes what is rendered',
    (path, [value, beside = {}]) => {
      expect(outputOf(merged(beside, nested(path, value)))).not.toBe(outputOf(beside));
    },
  );

  it('is never in a template and not in values.yaml', () => {
    const used = globSync(`${chart}/templates/**/*.{yaml,tpl,txt}`).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/\.Values\.([A-Za-z.]+)/g)].map(([, path = '']) => [file, path] as const),
    );
    expect(used.length).toBeGreaterThan(50);
    const known = (path: string): boolean =>
      path.startsWith('config.') ||
      path.split('.').reduce<unknown>((at, key) => (isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined), standard) !== undefined;
    expect(used.filter(([, path]) => !known(path) && !path.startsWith('webhook.namespaceSelector.'))).toEqual([]);
  });
});

describe('the schema', () => {
  const validate = new Ajv({ strict: true, allowUnionTypes: true, validateFormats: false }).compile(schema);

  it('takes the defaults, and all that can be switched on', () => {
    for (const values of [standard, merged(standard, everythingOn)]) expect([validate(values), validate.errors]).toEqual([true, null]);
  });

  it('takes a bare off, which is false in the YAML of Helm', () => {
    for (const mode of ['off', false])
      expect(validate(merged(standard, { config: { rules: { 'tls-secret-missing': { mode } }, secrets: { level: mode } } }))).toBe(true);
    expect(validate(merged(standard, { config: { rules: { 'tls-secret-missing': { mode: true } } } }))).toBe(false);
  });

  it('leaves a parent chart its own', () => {
    expect(validate({ ...standard, enabled: true, global: { imageRegistry: '', storageClass: 'fast' } })).toBe(true);
  });
});

describeWithHelm('what is refused', () => {
  const unknown: readonly (readonly [RawObject, string])[] = [
    [{ replicas: 3 }, 'replicas'],
    [{ webhook: { timeout: 3 } }, 'timeout'],
    [{ tls: { certManager: { issuer: 'ca' } } }, 'issuer'],
    [{ config: { profil: 'strict' } }, 'profil'],
    [{ config: { rules: { 'tls-secret-mising': { mode: 'off' } } } }, 'tls-secret-mising'],
    [{ config: { rules: { 'service-node-port-policy': { options: { range: [] } } } } }, 'range'],
    [{ metrics: { serviceMonitor: { on: true } } }, 'on'],
  ];
  it.each(helms.flatMap((helm) => unknown.map(([values, key]) => [helm, key, values] as const)))(
    'by %s: the key %s, by its name',
    (helm, key, values) => {
      const said = refusal(values, { helm });
      expect(said).toMatch(/additional properties/i);
      expect(said).toContain(key);
    },
  );

  const senseless: readonly (readonly [what: string, RawObject, RegExp])[] = [
    [
      'Fail with two replicas',
      { webhook: { failurePolicy: 'Fail' } },
      /Fail with 2 replicas.*Set replicaCount to 3 or more, or webhook\.allowFewReplicas/,
    ],
    ['a Secret without a name', { tls: { mode: 'existingSecret' } }, /set tls\.existingSecret/],
    ['a certificate without an issuer', { tls: { mode: 'certManager' } }, /set tls\.certManager\.issuerRef\.name/],
    ['a Secret that nobody would read', { tls: { existingSecret: 'tls' } }, /no effect in tls\.mode auto/],
    ['an authority that is not PEM', { tls: { ...existing.tls, caBundle: 'QUJD' } }, /--set-file tls\.caBundle/],
    ["the kubelet's port on the node's network", { hostNetwork: true }, /the kubelet listens there.*Set webhook\.port/],
    ['one port for two things', { healthPort: 10250 }, /both 10250/],
    ['names of certificates that nobody asks for', { webhook: { clientCa: { names: ['a'] } } }, /Name the ConfigMap/],
    ["everybody's account", { serviceAccount: { create: false } }, /set serviceAccount\.name/],
    ['a budget that stops every drain', { podDisruptionBudget: { enabled: true, minAvailable: 2 } }, /no node could be drained/],
    ['a word that is no mode', { tls: { mode: 'Auto' } }, /tls[./]mode|tls\.mode/],
    ['nobody to answer', { replicaCount: 0 }, /replicaCount/],
    ['a name of which there can be no Service', { fullnameOverride: '1234' }, /fullnameOverride/],
    ['a namespace that cannot be', { namespaceOverride: 'Net_1' }, /namespaceOverride/],
    ['a word in names that cannot be in them', { nameOverride: 'a.b' }, /nameOverride/],
    ['to leave out a namespace that cannot be', { webhook: { excludeNamespaces: ['kube-*'] } }, /excludeNamespaces/],
    ['callers of a namespace that cannot be', { webhook: { callerNamespaces: [''] } }, /callerNamespaces/],
    ['Secrets of a namespace that cannot be', { rbac: { secretNamespaces: ['a b'] } }, /secretNamespaces/],
    ['no time at all', { webhook: { timeoutSeconds: 0 } }, /timeoutSeconds/],
  ];
  it.each(helms.flatMap((helm) => senseless.map(([what, values, said]) => [helm, what, values, said] as const)))(
    'by %s: %s',
    (helm, _, values, said) => {
      expect(refusal(values, { helm })).toMatch(said);
    },
  );

  it.each(helms)('by %s: a release of whose name there can be no Service, unless it is called otherwise', (helm) => {
    for (const release of ['1234', 'a.b']) {
      expect(refusal({}, { helm, release })).toMatch(/Set fullnameOverride to a word that begins with a letter/);
      expect(renderText({ fullnameOverride: 'guard' }, { helm, release })).toContain('name: guard');
    }
  });

  it('not Fail with two replicas, where somebody insists', () => {
    expect(renderText({ webhook: { failurePolicy: 'Fail', allowFewReplicas: true } })).toContain('failurePolicy: Fail');
  });

  it('nothing that the process would refuse: a bare off reaches it as false, and it knows what that means', () => {
    const off = { profile: 'strict', rules: { 'tls-secret-missing': { mode: false } } };
    const map = render({ config: off }).find(({ kind }) => kind === 'ConfigMap');
    const configuration = parseConfiguration(load(map.data['portcullis.yaml']), rules);
    expect(configuration.profile).toBe('strict');
    expect(configuration.rules.map(({ meta }) => meta.id)).not.toContain('tls-secret-missing');
    expect(configuration.rules.length).toBe(rules.length - 1);
  });
});
