/** What the chart renders to, whatever the values: by both Helms the same, and nothing that peers' charts got wrong. */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { deployFiles } from '../../scripts/chart/deploy-files.ts';
import { helms, versions } from '../support/control-plane-build.ts';
import { chart, describeWithHelm, helmPath, type Rendered, render, renderText, runHelm } from '../support/helm.ts';
import { everythingOn } from './values.ts';

const templates = globSync(`${chart}/templates/**/*`, { withFileTypes: true })
  .filter((one) => one.isFile())
  .map((one) => readFileSync(join(one.parentPath, one.name), 'utf8'));
const labelsOfAll = (objects: readonly Rendered[]): readonly Rendered[] => objects.map(({ metadata }) => metadata.labels);
const find = (objects: readonly Rendered[], kind: string): Rendered => objects.find((one) => one.kind === kind);

describeWithHelm('both Helms', () => {
  it.each(helms)('%s is of the version that the suite names; if not, remove it from the cache', (helm) => {
    expect(`v${versions[helm]}`).toContain(runHelm(helm, ['version', '--template', '{{.Version}}']).split('+')[0]);
  });

  it.each([
    ['the defaults', {}],
    ['all that can be switched on', everythingOn],
  ])('render %s alike, and twice to the same bytes', (_, values) => {
    for (const helm of helms) expect(renderText(values, { helm })).toBe(renderText(values, { helm }));
    expect(render(values, { helm: 'helm3' })).toEqual(render(values, { helm: 'helm4' }));
  });

  it.each(helms)('%s finds nothing to complain of', (helm) => {
    const directory = mkdtempSync(join(tmpdir(), 'portcullis-lint-'));
    try {
      writeFileSync(join(directory, 'values.json'), JSON.stringify(everythingOn));
      for (const flags of [[], ['--values', join(directory, 'values.json')]])
        expect(runHelm(helm, ['lint', '--strict', chart, ...flags])).toContain('0 chart(s) failed');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.each(helms)('deploy/ is what %s renders; if not: npm run deploy', (helm) => {
    for (const { file, text } of deployFiles(helmPath(helm))) expect(readFileSync(file, 'utf8'), file).toBe(text);
    expect(globSync('deploy/*').sort()).toEqual(
      deployFiles(helmPath(helm))
        .map(({ file }) => file)
        .sort(),
    );
  });

  it.each(helms)('%s refuses a cluster without stable matchConditions', (helm) => {
    expect(() => renderText({}, { helm, flags: ['--kube-version', '1.29.9'] })).toThrow(/requires kubeVersion: >=1\.30/);
    expect(renderText({}, { helm, flags: ['--kube-version', 'v1.30.0-gke.100'] })).toContain('kind: Deployment');
  });
});

describeWithHelm('the chart', () => {
  const objects = () => render();

  it('makes at most 15 objects by default, the test Pod among them, and asks for no definition of others', () => {
    expect(objects().map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'ClusterRole portcullis',
      'ClusterRoleBinding portcullis',
      'ConfigMap portcullis',
      'Deployment portcullis',
      'Lease portcullis-leader',
      'NetworkPolicy portcullis',
      'Pod portcullis-selftest',
      'PodDisruptionBudget portcullis',
      'Role portcullis',
      'RoleBinding portcullis',
      'Secret portcullis-ca',
      'Service portcullis',
      'ServiceAccount portcullis',
      'ValidatingWebhookConfiguration portcullis',
    ]);
  });

  it('has no certificate of its own making, nothing that changes from one rendering to the next, and no hook but the test', () => {
    const text = templates.join('\n');
    const actions = text.match(/\{\{[^`]*?\}\}/g)?.join('\n') ?? '';
    expect(actions).toContain('include "portcullis.labels"');
    expect(actions).not.toMatch(
      /\b(lookup|genCA\w*|genSelfSigned\w*|genSigned\w*|genPrivateKey|rand\w+|uuidv4|now|Release\.(Revision|IsInstall|IsUpgrade))\b/,
    );
    expect(renderText({}).match(/caBundle:/)).toBeNull();
    expect(text.match(/helm\.sh\/hook: .*/g)).toEqual(['helm.sh/hook: test']);
    expect(renderText(everythingOn)).not.toMatch(/kind: (Job|CronJob|CustomResourceDefinition)/);
  });

  it('has one image', () => {
    const images = new Set(renderText(everythingOn).match(/image: .*/g));
    expect([...images]).toEqual(['image: "mirror.invalid/team/portcullis@sha256:abc"']);
  });

  it('is of the version of the program', () => {
    expect(load(readFileSync(`${chart}/Chart.yaml`, 'utf8'))).toMatchObject({
      version: packageJson.version,
      appVersion: packageJson.version,
    });
  });

  it('puts labels on every object, by which an uninstall can be checked', () => {
    const ours = { 'app.kubernetes.io/name': 'portcullis', 'app.kubernetes.io/instance': 'net' };
    for (const labels of labelsOfAll(render(everythingOn, { release: 'net' }))) expect(labels).toMatchObject(ours);
  });

  it('lets commonLabels and podLabels add, and never replace what selectors rest on', () => {
    const stolen = { 'app.kubernetes.io/name': 'other', 'app.kubernetes.io/component': 'other', team: 'net' };
    const found = render({ commonLabels: stolen, podLabels: { ...stolen, tier: 'edge' } });
    for (const labels of labelsOfAll(found)) expect(labels).toMatchObject({ 'app.kubernetes.io/name': 'portcullis', team: 'net' });
    expect(find(found, 'Deployment').spec.template.metadata.labels).toEqual({ ...frozen, team: 'net', tier: 'edge' });
  });

  /** Never change this: a Deployment's selector is immutable, so that every upgrade would fail. */
  const frozen = {
    'app.kubernetes.io/component': 'webhook',
    'app.kubernetes.io/instance': 'portcullis',
    'app.kubernetes.io/name': 'portcullis',
  };

  it.each([{}, everythingOn])('selects its Pods by the same three labels for ever', (values) => {
    const found = render(values);
    expect(find(found, 'Deployment').spec.selector).toEqual({ matchLabels: frozen });
    expect(find(found, 'Service').spec.selector).toEqual(frozen);
    expect(find(found, 'PodDisruptionBudget').spec.selector).toEqual({ matchLabels: frozen });
    expect(find(found, 'NetworkPolicy').spec.podSelector).toEqual({ matchLabels: frozen });
    expect(find(found, 'Deployment').spec.template.metadata.labels).toMatchObject(frozen);
    // Else the Service would send reviews to the test.
    expect(find(found, 'Pod').metadata.labels['app.kubernetes.io/component']).toBe('selftest');
  });

  it('binds its roles to accounts and roles that are there (Gatekeeper bound its own to an empty name)', () => {
    for (const [values, release] of [
      [{}, 'portcullis'],
      [everythingOn, 'portcullis'],
      [{ serviceAccount: { name: 'other' }, rbac: { secretNamespaces: ['shop'] } }, 'net'],
      [{ fullnameOverride: 'guard', namespaceOverride: 'elsewhere' }, 'net'],
    ] as const) {
      const found = render(values, { release });
      const names = found.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
      const bindings = found.filter(({ kind }) => kind.endsWith('RoleBinding') || kind === 'RoleBinding');
      expect(bindings.length).toBeGreaterThan(1);
      for (const { metadata, roleRef, subjects } of bindings) {
        const namespace = roleRef.kind === 'Role' ? metadata.namespace : '';
        expect(names).toContain(`${roleRef.kind} ${namespace}/${roleRef.name}`);
        for (const { kind, name, namespace: home } of subjects) expect(names).toContain(`${kind} ${home}/${name}`);
      }
      const [account] = found.filter(({ kind }) => kind === 'ServiceAccount');
      for (const pod of [find(found, 'Deployment').spec.template, find(found, 'Pod')])
        expect(pod.spec.serviceAccountName).toBe(account.metadata.name);
    }
  });

  it('stands in whichever namespace it is installed to, and is never judged there (Pepr has a fixed one)', () => {
    const found = render({}, { release: 'portcullis', namespace: 'guards' });
    for (const { metadata } of found) expect([undefined, 'guards']).toContain(metadata.namespace);
    const { webhooks } = find(found, 'ValidatingWebhookConfiguration');
    expect(webhooks[0].namespaceSelector.matchExpressions[0].values[0]).toBe('guards');
    expect(webhooks[2].namespaceSelector.matchExpressions[0].values).toEqual(['guards']);
    for (const { clientConfig } of webhooks) expect(clientConfig.service.namespace).toBe('guards');
    expect(render({ namespaceOverride: 'guards' }).map(({ metadata }) => metadata.namespace)).not.toContain('portcullis');
  });

  it('says in every name and flag which release it is', () => {
    const found = render({}, { release: 'net' });
    for (const { metadata } of found) expect(metadata.name).toMatch(/^net-portcullis(-ca|-leader|-selftest)?$/);
    const { args } = find(found, 'Deployment').spec.template.spec.containers[0];
    expect(args.filter((arg: string) => arg.includes('net-portcullis'))).toEqual([
      '--service=net-portcullis',
      '--webhook-configuration=net-portcullis',
      '--lease=net-portcullis-leader',
      '--tls-secret=net-portcullis-ca',
    ]);
    const { matchConditions } = find(found, 'ValidatingWebhookConfiguration').webhooks[0];
    const { expression } = matchConditions.find(({ name }: Rendered) => name === 'not-break-glass');
    expect(expression).toContain(".name('net-portcullis').check('breakglass')");
  });

  it('asks a port of its own whether a replica lives and is ready (Polaris looked for a process)', () => {
    const [{ readinessProbe, livenessProbe }] = find(objects(), 'Deployment').spec.template.spec.containers;
    expect(readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'health' });
    expect(livenessProbe.httpGet).toEqual({ path: '/livez', port: 'health' });
  });

  it('leaves nothing behind of its test, which Helm does not remove with a release', () => {
    const { metadata, spec } = find(objects(), 'Pod');
    expect(metadata.annotations['helm.sh/hook-delete-policy'].split(',')).toEqual([
      'before-hook-creation',
      'hook-succeeded',
      'hook-failed',
    ]);
    expect(spec).toMatchObject({ restartPolicy: 'Never', activeDeadlineSeconds: 60 });
    expect(spec.containers[0].args).toEqual([
      '/app/portcullis.js',
      'selftest',
      '--config=/etc/portcullis/config/portcullis.yaml',
      '--webhook-configuration=portcullis',
    ]);
  });

  it('keeps two replicas apart, drains one at a time, and never takes one away before another is ready', () => {
    const { replicas, strategy, template } = find(objects(), 'Deployment').spec;
    expect({ replicas, strategy }).toEqual({ replicas: 2, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } });
    expect(template.spec.topologySpreadConstraints.map((one: Rendered) => [one.topologyKey, one.whenUnsatisfiable])).toEqual([
      ['topology.kubernetes.io/zone', 'ScheduleAnyway'],
      ['kubernetes.io/hostname', 'ScheduleAnyway'],
    ]);
    for (const { labelSelector } of template.spec.topologySpreadConstraints) expect(labelSelector).toEqual({ matchLabels: frozen });
    expect(template.spec).toMatchObject({ priorityClassName: 'system-cluster-critical', terminationGracePeriodSeconds: 30 });
    expect(find(objects(), 'PodDisruptionBudget').spec.minAvailable).toBe(1);
    expect(find(render({ replicaCount: 1 }), 'PodDisruptionBudget')).toBeUndefined();
  });

  it('runs its Pods as the standard "restricted" demands', () => {
    for (const { spec } of [find(objects(), 'Deployment').spec.template, find(objects(), 'Pod')]) {
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } });
      expect([spec.hostNetwork, spec.hostPID, spec.hostIPC]).toEqual([undefined, undefined, undefined]);
      expect(spec.volumes.filter((volume: Rendered) => !('configMap' in volume))).toEqual([]);
      for (const { securityContext } of spec.containers)
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
    }
  });

  it('pleases ourselves, beside the resolver of a cluster too', () => {
    const directory = mkdtempSync(join(tmpdir(), 'portcullis-chart-'));
    try {
      const fine = 'No findings in 3 objects of 2 files';
      for (const [name, values, said] of [
        ['default', {}, new RegExp(`^${fine}\n$`)],
        // It names the namespaces of who may come, and files never hold all those of a cluster.
        ['everything', everythingOn, new RegExp(`^Not checked\n {2}Namespace is not among the files:\n( {4}.+\n){2}\n${fine}; 2 checks`)],
      ] as const) {
        const file = join(directory, `${name}.yaml`);
        writeFileSync(file, renderText(values));
        const args = ['src/main.ts', 'check', '--profile', 'strict', '--fail-on', 'info', file, 'test/e2e/fixtures/dns.yaml'];
        const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
        expect([status, stderr, stdout]).toEqual([0, '', expect.stringMatching(said)]);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('starts anew for other kinds of workloads, which are settled at the start, and for no other configuration', () => {
    const template = (config: object): Rendered => find(render({ config }), 'Deployment').spec.template;
    const rollouts = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', resource: 'rollouts' };
    expect(template({ profile: 'strict' })).toEqual(template({}));
    expect(template({ workloads: [rollouts] })).not.toEqual(template({}));
  });

  it('tells what to do next, and in which mode it is', () => {
    const notes = (values: object): string => {
      const flags = Object.entries(values).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
      return runHelm('helm4', ['install', 'net', chart, '--dry-run=client', '--namespace', 'guards', ...flags]).split('NOTES:')[1] ?? '';
    };
    expect(notes({})).toContain('profile guided, failurePolicy Ignore');
    expect(notes({}).match(/^ {2}(kubectl|helm) .*/gm)).toEqual([
      '  kubectl rollout status deployment/net-portcullis --namespace guards',
      '  helm test net --namespace guards',
      '  kubectl label namespace NAMESPACE portcullis.dev/profile=strict',
    ]);
    expect(notes({ 'webhook.failurePolicy': 'Fail', replicaCount: 3 })).toContain('guards, kube-system, kube-public, kube-node-lease');
    expect(notes({})).toMatch(/first seconds, also after `--wait`, none may answer yet/);
  });
});
