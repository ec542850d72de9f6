/** The rights that the chart asks for: what the rules need that the configuration leaves on, written out line by line. */
import { expect, it } from 'vitest';
import { parseConfiguration } from '../../src/config/settings.ts';
import { groupOf } from '../../src/kube/normalize.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { readAlways, watchedKinds } from '../../src/sources/watched.ts';
import { describeWithHelm, type Rendered, render } from '../support/helm.ts';

/** `ClusterRole portcullis: get,patch validatingwebhookconfigurations.admissionregistration.k8s.io/portcullis` */
function rights(values: RawObject): readonly string[] {
  const roles = render(values).filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role');
  return roles.flatMap(({ kind, metadata, rules: granted }) =>
    granted.flatMap(({ apiGroups, resources, resourceNames = [''], verbs }: Rendered) =>
      apiGroups.flatMap((group: string) =>
        resources.flatMap((resource: string) =>
          resourceNames.map(
            (name: string) =>
              `${kind} ${metadata.name}: ${verbs.join()} ${resource}${group === '' ? '' : `.${group}`}${name === '' ? '' : `/${name}`}`,
          ),
        ),
      ),
    ),
  );
}

const off = (...ids: readonly string[]): RawObject => ({ rules: Object.fromEntries(ids.map((id) => [id, { mode: 'off' }])) });
const allBut = (...on: readonly string[]): RawObject => off(...rules.map(({ meta }) => meta.id).filter((id) => !on.includes(id)));

const readingSecrets = rules.filter(({ meta }) => meta.reads.some((collection) => collection === 'Secret')).map(({ meta }) => meta.id);

/** What a configuration needs to watch, by the rules that it really runs. */
function needed(config: RawObject): readonly string[] {
  const configuration = parseConfiguration({ apiVersion: 'portcullis.dev/v1', ...config }, rules);
  const read = new Set([...readAlways, ...configuration.rules.flatMap(({ meta }) => meta.reads)]);
  return watchedKinds(configuration.workloads)
    .filter(({ collection }) => read.has(collection))
    .map(({ apiVersions, resource }) => `${resource}${groupOf(apiVersions[0]) === '' ? '' : `.${groupOf(apiVersions[0])}`}`)
    .sort();
}
const watched = (config: RawObject): readonly string[] =>
  rights({ config })
    .flatMap((line) => line.match(/get,list,watch (.*)/)?.[1] ?? [])
    .sort();

const rollouts = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', resource: 'rollouts' };

/** What the audit writes. */
const isTold = (line: string): boolean => /\.(openreports\.io|wgpolicyk8s\.io|events\.k8s\.io)$/.test(line);

describeWithHelm('the rights', () => {
  it('by default', () => {
    expect(rights({})).toMatchInlineSnapshot(`
      [
        "ClusterRole portcullis: get,list,watch namespaces",
        "ClusterRole portcullis: get,list,watch pods",
        "ClusterRole portcullis: get,list,watch replicationcontrollers",
        "ClusterRole portcullis: get,list,watch services",
        "ClusterRole portcullis: get,list,watch mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "ClusterRole portcullis: get,list,watch validatingwebhookconfigurations.admissionregistration.k8s.io",
        "ClusterRole portcullis: get,list,watch apiservices.apiregistration.k8s.io",
        "ClusterRole portcullis: get,list,watch daemonsets.apps",
        "ClusterRole portcullis: get,list,watch deployments.apps",
        "ClusterRole portcullis: get,list,watch replicasets.apps",
        "ClusterRole portcullis: get,list,watch statefulsets.apps",
        "ClusterRole portcullis: get,list,watch cronjobs.batch",
        "ClusterRole portcullis: get,list,watch jobs.batch",
        "ClusterRole portcullis: get,list,watch sealedsecrets.bitnami.com",
        "ClusterRole portcullis: get,list,watch certificates.cert-manager.io",
        "ClusterRole portcullis: get,list,watch externalsecrets.external-secrets.io",
        "ClusterRole portcullis: get,list,watch ingressclasses.networking.k8s.io",
        "ClusterRole portcullis: get,list,watch ingresses.networking.k8s.io",
        "ClusterRole portcullis: get,list,watch networkpolicies.networking.k8s.io",
        "ClusterRole portcullis: get secrets",
        "ClusterRole portcullis: create subjectaccessreviews.authorization.k8s.io",
        "ClusterRole portcullis: get,patch validatingwebhookconfigurations.admissionregistration.k8s.io/portcullis",
        "ClusterRole portcullis: create,delete,get,list,patch clusterreports.openreports.io",
        "ClusterRole portcullis: create,delete,get,list,patch reports.openreports.io",
        "ClusterRole portcullis: create,delete,get,list,patch clusterpolicyreports.wgpolicyk8s.io",
        "ClusterRole portcullis: create,delete,get,list,patch policyreports.wgpolicyk8s.io",
        "ClusterRole portcullis: create,delete,patch events.events.k8s.io",
        "Role portcullis: get,update leases.coordination.k8s.io/portcullis-leader",
        "Role portcullis: get,update secrets/portcullis-ca",
      ]
    `);
  });

  it('are what the enabled rules need, no more and no less', () => {
    const configs: readonly RawObject[] = [
      {},
      { profile: 'strict' },
      ...rules.map(({ meta }) => allBut(meta.id)),
      ...rules.map(({ meta }) => off(meta.id)),
      allBut(),
      { workloads: [rollouts] },
      { ...allBut('tls-secret-missing'), workloads: [rollouts] },
    ];
    for (const config of configs) expect(watched(config), JSON.stringify(config)).toEqual(needed(config));
  });

  it('stay where an override turns the rule on somewhere', () => {
    const id = 'tls-secret-missing';
    const somewhere = { rules: { [id]: { mode: 'off', overrides: [{ namespaces: ['shop'], mode: 'warn' }] } } };
    expect(watched(somewhere)).toEqual(needed(somewhere));
    expect(watched(somewhere)).toContain('certificates.cert-manager.io');
    expect(rights({ config: somewhere })).toContain('ClusterRole portcullis: get secrets');
  });

  it('with every rule off are those to know what is audited, callers and what they may read, our own certificate, and to clear what was told', () => {
    expect(rights({ config: allBut() })).toMatchInlineSnapshot(`
      [
        "ClusterRole portcullis: get,list,watch namespaces",
        "ClusterRole portcullis: get,list,watch pods",
        "ClusterRole portcullis: get,list,watch services",
        "ClusterRole portcullis: get,list,watch ingresses.networking.k8s.io",
        "ClusterRole portcullis: get,list,watch networkpolicies.networking.k8s.io",
        "ClusterRole portcullis: create subjectaccessreviews.authorization.k8s.io",
        "ClusterRole portcullis: get,patch validatingwebhookconfigurations.admissionregistration.k8s.io/portcullis",
        "ClusterRole portcullis: create,delete,get,list,patch clusterreports.openreports.io",
        "ClusterRole portcullis: create,delete,get,list,patch reports.openreports.io",
        "ClusterRole portcullis: create,delete,get,list,patch clusterpolicyreports.wgpolicyk8s.io",
        "ClusterRole portcullis: create,delete,get,list,patch policyreports.wgpolicyk8s.io",
        "ClusterRole portcullis: create,delete,patch events.events.k8s.io",
        "Role portcullis: get,update leases.coordination.k8s.io/portcullis-leader",
        "Role portcullis: get,update secrets/portcullis-ca",
      ]
    `);
  });

  it.each([
    ['by default', {}, ['ClusterRole portcullis: get secrets']],
    ['at level full', { config: { secrets: { level: 'full' } } }, ['ClusterRole portcullis: get secrets']],
    ['at level off', { config: { secrets: { level: 'off' } } }, []],
    ['at a bare off', { config: { secrets: { level: false } } }, []],
    ['without one of the rules that ask', { config: off('tls-secret-missing') }, ['ClusterRole portcullis: get secrets']],
    ['without the rules that ask', { config: off(...readingSecrets) }, []],
    ['in some namespaces', { rbac: { secretNamespaces: ['shop', 'bank'] } }, ['ClusterRole portcullis-secrets: get secrets']],
    ['in some, at level off', { config: { secrets: { level: 'off' } }, rbac: { secretNamespaces: ['shop'] } }, []],
  ] as const)('to read Secrets by name: %s', (_, values, expected) => {
    expect(rights(values).filter((line) => line.endsWith(' secrets'))).toEqual(expected);
  });

  it('to read Secrets in some namespaces are bound there and nowhere else', () => {
    const bindings = render({ rbac: { secretNamespaces: ['shop', 'bank', 'shop'] } }).filter(
      ({ metadata }) => metadata.name === 'portcullis-secrets',
    );
    expect(bindings.map(({ kind, metadata }) => `${kind} ${metadata.namespace}`)).toEqual([
      'ClusterRole undefined',
      'RoleBinding bank',
      'RoleBinding shop',
    ]);
  });

  it('to ask for the rights of writers are there only where an answer depends on them', () => {
    const asks = 'ClusterRole portcullis: create subjectaccessreviews.authorization.k8s.io';
    for (const [privacy, byAnnotation, isGranted] of [
      ['tenant', 'never', true],
      ['open', 'never', false],
      ['open', 'always', false],
      ['open', 'permitted', true],
    ] as const)
      expect(rights({ config: { privacy, exemptions: { byAnnotation } } }).includes(asks)).toBe(isGranted);
    expect(rights({}).includes(asks)).toBe(true);
  });

  it.each(['certManager', 'existingSecret'])('to write caBundle or our Secret are not there in mode %s', (mode) => {
    const tls = mode === 'certManager' ? { mode, certManager: { issuerRef: { name: 'ca' } } } : { mode, existingSecret: 'tls' };
    const own = rights({ tls }).filter((line) => line.includes('/portcullis'));
    expect(own).toEqual([
      'ClusterRole portcullis: get validatingwebhookconfigurations.admissionregistration.k8s.io/portcullis',
      'Role portcullis: get,update leases.coordination.k8s.io/portcullis-leader',
    ]);
  });

  it.each([
    [
      'at one API',
      { reports: { format: 'openreports' } },
      ['clusterreports.openreports.io', 'reports.openreports.io', 'events.events.k8s.io'],
    ],
    [
      'without Events',
      { reports: { format: 'policyreport' }, events: { enabled: false } },
      ['clusterpolicyreports.wgpolicyk8s.io', 'policyreports.wgpolicyk8s.io'],
    ],
    ['without either', { reports: { enabled: false }, events: { enabled: false } }, []],
  ] as const)('to tell what the audit finds: %s', (_, values, expected) => {
    expect(
      rights(values)
        .filter(isTold)
        .map((line) => line.split(' ').at(-1)),
    ).toEqual(expected);
  });

  it('never hold a star, a list of Secrets, or a write to anything but our own, reports and Events', () => {
    const all = rights({ config: { exemptions: { byAnnotation: 'permitted' } } });
    for (const line of all.filter((one) => !isTold(one))) {
      expect(line).not.toMatch(/\*|escalate|bind|impersonate|delete|create (?!subjectaccessreviews)/);
      expect(line).not.toMatch(/(list|watch).* secrets/);
      if (/patch|update/.test(line)) expect(line).toMatch(/\/portcullis(-ca|-leader)?$/);
    }
    for (const line of all.filter(isTold))
      expect(line).toMatch(/: (create,delete,get,list,patch (cluster)?(policy)?reports|create,delete,patch events)\./);
  });

  it('are somebody else’s business where rbac.create is false', () => {
    expect(render({ rbac: { create: false } }).filter(({ kind }) => /Role/.test(kind))).toEqual([]);
  });
});
