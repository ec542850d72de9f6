/**
 * Outages at the real API server, each solved by what doctor prints: it must name the cause first, its commands are run as
 * they stand, and then it must be content.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { doctor } from '../../src/commands/doctor.ts';
import type { Diagnosis, Found } from '../../src/doctor/diagnose.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { fakeTerminal } from '../commands/terminal.ts';
import { newAuthority } from '../support/certificate.ts';
import { until } from '../support/child-process.ts';
import { type Cluster, connectCluster, describeOnCluster, pathOf } from '../support/cluster.ts';
import { type ControlPlane, kubeconfigOf, type User } from '../support/control-plane.ts';
import { newControlPlane } from '../support/control-plane-provider.ts';
import { type Kubelet, setBundles, startKubelet } from '../support/stand-in-kubelet.ts';

const registrationPath = pathOf('admissionregistration.k8s.io/v1', 'validatingwebhookconfigurations', '', 'portcullis');
const here = (apiVersion: string, resource: string, name = 'portcullis'): string => pathOf(apiVersion, resource, 'portcullis', name);
const deployment = here('apps/v1', 'deployments');
const service = here('v1', 'services');
const clusterRole = pathOf('rbac.authorization.k8s.io/v1', 'clusterroles', '', 'portcullis');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describeOnCluster('doctor', () => {
  let plane: ControlPlane;
  let cluster: Cluster;
  let kubelet: Kubelet;
  let directory = '';

  beforeAll(async () => {
    const controllers = 'endpointslice-controller,deployment-controller,replicaset-controller';
    plane = await newControlPlane(console.error, { controllers });
    cluster = connectCluster(plane.address);
    directory = mkdtempSync(join(tmpdir(), 'portcullis-doctor-'));
    symlinkSync(resolve('deploy'), join(directory, 'deploy'));
    await create(pathOf('v1', 'nodes', ''), { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
    await create(pathOf('discovery.k8s.io/v1', 'endpointslices', 'default'), apiServerSlice);
    const { code, output } = await sh('kubectl apply -k deploy/');
    if (code !== 0) throw new Error(output);
    kubelet = startKubelet(cluster);
  });
  afterAll(async () => {
    await kubelet?.stop();
    await cluster?.close();
    await plane?.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(() => untilContent());

  const create = async (path: string, object: RawObject): Promise<void> => {
    const { status, body } = await cluster.request('POST', path, object);
    if (status !== 201) throw new Error(`${path}: ${body.message}`);
  };
  const patch = async (path: string, change: RawObject): Promise<void> => {
    const { status, body } = await cluster.request('PATCH', path, change);
    if (status !== 200) throw new Error(`${path}: ${body.message}`);
  };
  /** Rewrites the entries of the registration. */
  // biome-ignore lint/suspicious/noExplicitAny: entries, which tests change
  const entries = async (change: (entry: any) => unknown): Promise<void> => {
    const { body } = await cluster.request('GET', registrationPath);
    await patch(registrationPath, { webhooks: body.webhooks.map(change) });
  };
  const failClosed = (more: (entry: RawObject) => RawObject = (entry) => entry): Promise<void> =>
    entries((entry) => (entry.name === 'validate.portcullis.dev' ? more({ ...entry, failurePolicy: 'Fail' }) : entry));

  /** Runs commands in one shell, as a person pastes them, and waits for their end. */
  const sh = (script: string): Promise<{ readonly code: number; readonly output: string }> =>
    new Promise((resolveWith) => {
      const { address } = cluster;
      const env = {
        PATH: `${dirname(address.kubectl)}:${process.env['PATH'] ?? ''}`,
        HOME: directory,
        KUBECONFIG: kubeconfigOf(address, 'admin'),
        KUBECACHEDIR: join(address.directory, 'kubectl-cache'),
      };
      execFile('sh', ['-c', script], { env, cwd: directory, timeout: 60_000 }, (error, stdout, stderr) =>
        resolveWith({ code: error === null ? 0 : 1, output: `${stdout}${stderr}` }),
      );
    });

  const diagnosis = async (user: User = 'admin'): Promise<Diagnosis & { readonly code: number; readonly text: string }> => {
    const terminal = { ...fakeTerminal(), now: () => Date.now() };
    const options = { kubeconfig: kubeconfigOf(cluster.address, user), namespace: 'portcullis', webhookConfiguration: 'portcullis' };
    const code = await doctor({ ...options, output: 'json' }, terminal);
    return { ...(JSON.parse(terminal.written.out) as Diagnosis), code, text: terminal.written.out };
  };

  const untilContent = async (): Promise<void> => {
    let last: readonly Found[] = [];
    const look = async (): Promise<boolean> => {
      const { problems, code } = await diagnosis();
      last = problems;
      return code === 0;
    };
    await until('doctor is content', look, { everyMs: 300 }).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last, null, 1)}`);
    });
  };

  /** Until doctor names this first. */
  const named = (check: string): Promise<Found> =>
    until(`doctor names ${check} first`, async () => {
      const [first] = (await diagnosis()).problems;
      return first?.check === check && first;
    }).catch(async (error: Error) => {
      throw new Error(`${error.message}: it says ${JSON.stringify((await diagnosis()).problems, null, 1)}`);
    });

  const repair = async ({ commands }: Found): Promise<void> => {
    expect(commands.length).toBeGreaterThan(0);
    const { code, output } = await sh(commands.join('\n'));
    expect({ code, output }).toMatchObject({ code: 0 });
  };

  const isBlocked = async (): Promise<boolean> => {
    const { code, output } = await sh('kubectl create service clusterip probe --tcp=80 --dry-run=server');
    if (code !== 0) expect(output).toContain('failed calling webhook "validate.portcullis.dev"');
    return code !== 0;
  };

  it('finds nothing in an installation that is well, and has looked at everything', async () => {
    const { problems, unseen, emergency, code } = await diagnosis();
    expect({ problems, unseen, emergency, code }).toEqual({ problems: [], unseen: [], emergency: undefined, code: 0 });
  });

  it('says what an operator without rights may not look at, and ends with 2 if that is the registration', async () => {
    await expect(diagnosis('blinkered')).rejects.toMatchObject({ code: 'PC0008' });
    await sh(
      'kubectl create clusterrole vwc --verb=get --resource=validatingwebhookconfigurations; kubectl create clusterrolebinding vwc --clusterrole=vwc --user=blinkered',
    );
    const { problems, unseen, code } = await diagnosis('blinkered');
    expect({ problems, code }).toEqual({ problems: [], code: 0 });
    expect(unseen.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['Pods', 'the Service', 'NetworkPolicies', "the API server's metrics"]),
    );
  });

  it('shows no byte of a Secret but what is public', async () => {
    const { body } = await cluster.request('GET', here('v1', 'secrets', 'portcullis-ca'));
    await setBundles(cluster, base64((await newAuthority('somebody else')).cert));
    const { text } = await diagnosis();
    expect(text).toContain('portcullis-ca');
    for (const value of Object.values(body.data as Record<string, string>)) {
      expect(text).not.toContain(value.slice(100, 160));
      expect(text).not.toContain(Buffer.from(value, 'base64').toString('utf8').slice(60, 100));
    }
    await setBundles(cluster, body.data['ca.crt']);
  });

  it('all Pods hang, and Fail: first the emergency, then the restart', async () => {
    await failClosed();
    await kubelet.hang();
    expect(await isBlocked()).toBe(true);
    const found = await named('readiness');
    const { emergency, problems } = await diagnosis();
    expect(problems.map(({ check }) => check)).toContain('writes-pass');
    expect((await sh(emergency ?? 'false')).code).toBe(0);
    await until('writes pass', async () => !(await isBlocked()));
    await repairAfterLogs(found);
    await untilContent();
  });

  /** There is no kubelet to give logs. */
  const repairAfterLogs = (found: Found): Promise<void> =>
    repair({ ...found, commands: [found.commands.find((command) => command.includes('rollout')) ?? 'false'] });

  it('scaled to nothing, and Fail', async () => {
    await failClosed();
    await patch(deployment, { spec: { replicas: 0 } });
    const found = await named('deployment');
    await sh((await diagnosis()).emergency ?? 'false');
    await repair(found);
    await untilContent();
  });

  const outages: readonly (readonly [string, string, () => Promise<unknown>])[] = [
    [
      'the caBundle is that of another authority',
      'ca-bundle-fits',
      async () => setBundles(cluster, base64((await newAuthority('somebody else')).cert)),
    ],
    ['the caBundle is empty', 'ca-bundle', () => setBundles(cluster, undefined)],
    ['the caBundle is none', 'ca-bundle', () => setBundles(cluster, base64('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'))],
    ['the authority has ended', 'certificate', expiredAuthority],
    ['the Secret is gone', 'certificate', () => cluster.request('DELETE', here('v1', 'secrets', 'portcullis-ca'))],
    ['NetworkPolicies let nobody in', 'policy-to-webhook', () => onlyPolicy('Ingress')],
    ['NetworkPolicies let nothing out', 'policy-to-api-server', () => onlyPolicy('Egress')],
    ['the Service selects nobody', 'service-selector', () => patch(service, { spec: { selector: { app: 'portcullis' } } })],
    ['the Service has another port', 'service-port', () => patch(service, { spec: { ports: [{ port: 8443, targetPort: 'webhook' }] } })],
    ['its port leads nowhere', 'target-port', () => patch(service, { spec: { ports: [{ port: 443, targetPort: 9443 }] } })],
    ['the Service is gone', 'service', () => cluster.request('DELETE', service)],
    ['the Deployment is gone', 'deployment', () => sh('kubectl -n portcullis delete deployments,replicasets,pods --all --wait=false')],
    ['the registration is gone', 'webhook-configuration', () => cluster.request('DELETE', registrationPath)],
    ['an entry is gone', 'webhook-entries', () => entriesWithout('delete.portcullis.dev')],
    ['two registrations lead to the Service', 'registered-once', twice],
    ['a kind may not be read', 'access', () => rulesWithout('networkpolicies')],
    ['Secrets may not be read', 'access', () => rulesWithout('secrets')],
    ['its own Secret may not be kept', 'access', () => cluster.request('DELETE', here('rbac.authorization.k8s.io/v1', 'roles'))],
    ['nothing may be read', 'access', () => cluster.request('DELETE', clusterRole.replace('clusterroles', 'clusterrolebindings'))],
    ['Secrets may not be read, and only `view` is bound', 'access', onlyViewIsBound],
    [
      'the new image cannot be pulled',
      'image',
      () => sh('kubectl -n portcullis set image deployment/portcullis portcullis=nowhere.invalid/portcullis:2'),
    ],
    ['the Lease is held by nobody who lives', 'lease', staleLease],
    ['the Lease is gone', 'lease-exists', goneLease],
    ['no node can be drained', 'disruption-budget', () => patch(here('policy/v1', 'poddisruptionbudgets'), { spec: { minAvailable: 2 } })],
    ['a label of a namespace has a typo', 'profile-labels', () => sh('kubectl label namespace default portcullis.dev/profile=strickt')],
  ];

  it.each(outages)('%s: %s', async (_, check, seed) => {
    await seed();
    const found = await named(check);
    expect(found.what).not.toMatch(/undefined|\[object|NaN/);
    await repair(found);
    await untilContent();
  });

  const dangers: readonly (readonly [string, string, (entry: RawObject) => RawObject])[] = [
    [
      'our own namespace waits for us',
      'own-namespace-excluded',
      (entry) => ({ ...entry, namespaceSelector: { matchExpressions: [{ key: 'x', operator: 'DoesNotExist' }] } }),
    ],
    [
      'the API server waits for us',
      'control-plane-excluded',
      (entry) => ({ ...entry, matchConditions: (entry['matchConditions'] as RawObject[]).slice(1) }),
    ],
    [
      'there is no emergency exit',
      'emergency-exit',
      (entry) => ({ ...entry, matchConditions: (entry['matchConditions'] as RawObject[]).slice(0, 2) }),
    ],
  ];

  it.each(dangers)('Fail, and %s: %s', async (_, check, seed) => {
    await failClosed(seed);
    const found = await until('doctor names it', async () => (await diagnosis()).problems.find((one) => one.check === check));
    await repair(found);
    // No Pod answers here, so writes are refused all along.
    expect((await diagnosis()).problems.map((one) => one.check)).toEqual(['writes-pass']);
    await sh((await diagnosis()).emergency ?? 'false');
    await untilContent();
  });

  it('a certificate of their own has ended: a new one, by openssl, in three commands', async () => {
    const { cert, private: key } = await ended('portcullis.portcullis.svc');
    const data = { 'tls.crt': base64(cert), 'tls.key': base64(key) };
    await create(pathOf('v1', 'secrets', 'portcullis'), {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'own' },
      type: 'kubernetes.io/tls',
      data,
    });
    const { body } = await cluster.request('GET', deployment);
    const [container] = body.spec.template.spec.containers;
    const args = container.args.map((word: string) => (word.startsWith('--tls-secret') ? '--tls-cert=/etc/portcullis/tls/tls.crt' : word));
    const volumeMounts = [...container.volumeMounts, { name: 'tls', mountPath: '/etc/portcullis/tls' }];
    const volumes = [...body.spec.template.spec.volumes, { name: 'tls', secret: { secretName: 'own' } }];
    await patch(deployment, { spec: { template: { spec: { containers: [{ ...container, args, volumeMounts }], volumes } } } });
    await repair(await named('certificate'));
    await untilContent();
  });

  async function expiredAuthority(): Promise<void> {
    const { cert, private: key } = await ended('portcullis-ca');
    await patch(here('v1', 'secrets', 'portcullis-ca'), { data: { 'ca.crt': base64(cert), 'ca.key': base64(key) } });
  }

  const ended = (name: string) =>
    generate([{ name: 'commonName', value: name }], {
      keyType: 'ec',
      algorithm: 'sha256',
      notBeforeDate: new Date(Date.now() - 200_000_000),
      notAfterDate: new Date(Date.now() - 100_000_000),
      extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
    });

  async function onlyPolicy(direction: 'Ingress' | 'Egress'): Promise<void> {
    await sh('kubectl -n portcullis delete networkpolicies --all');
    await create(pathOf('networking.k8s.io/v1', 'networkpolicies', 'portcullis'), {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'deny-all' },
      spec: { podSelector: {}, policyTypes: [direction] },
    });
  }

  async function entriesWithout(name: string): Promise<void> {
    const { body } = await cluster.request('GET', registrationPath);
    await patch(registrationPath, { webhooks: body.webhooks.filter((one: RawObject) => one['name'] !== name) });
  }

  async function twice(): Promise<void> {
    const { body } = await cluster.request('GET', registrationPath);
    const { webhooks } = body;
    await create(registrationPath.slice(0, registrationPath.lastIndexOf('/')), { ...body, metadata: { name: 'old' }, webhooks });
  }

  async function rulesWithout(resource: string): Promise<void> {
    const { body } = await cluster.request('GET', clusterRole);
    const rules = body.rules.map((rule: { resources: string[] }) => ({
      ...rule,
      resources: rule.resources.filter((one) => one !== resource),
    }));
    await patch(clusterRole, { rules: rules.filter((rule: { resources: string[] }) => rule.resources.length > 0) });
  }

  /** Its other rights are those of a role that is bound to somebody else too: neither may be widened. */
  async function onlyViewIsBound(): Promise<void> {
    await sh('kubectl create clusterrolebinding a-audit --clusterrole=view --serviceaccount=portcullis:portcullis');
    await sh('kubectl create clusterrolebinding somebody --clusterrole=portcullis --user=somebody');
    await rulesWithout('secrets');
  }

  async function staleLease(): Promise<void> {
    kubelet.stopRenewing();
    const renewTime = new Date(Date.now() - 3_600_000).toISOString().replace('Z', '000Z');
    await patch(here('coordination.k8s.io/v1', 'leases', 'portcullis-leader'), {
      spec: { holderIdentity: 'portcullis-gone_1', renewTime },
    });
  }

  async function goneLease(): Promise<void> {
    kubelet.stopRenewing();
    await cluster.request('DELETE', here('coordination.k8s.io/v1', 'leases', 'portcullis-leader'));
  }

  it('prints all that for a person', async () => {
    await failClosed();
    await patch(deployment, { spec: { replicas: 0 } });
    await named('deployment');
    const { output } = await sh(`${process.execPath} ${resolve('src/main.ts')} doctor`);
    expect(output).toMatch(
      /^Writes are refused while nobody answers\. To let them through at once, without judging:\n {2}\$ kubectl patch /,
    );
    expect(output).toContain('\ncritical  Deployment portcullis is scaled to nothing [deployment]\n');
    expect(output).toContain('\n  $ kubectl -n portcullis scale deployment/portcullis --replicas=2\n');
    await sh(/\$ (kubectl patch .*)/.exec(output)?.[1] ?? 'false');
    await sh('kubectl -n portcullis scale deployment/portcullis --replicas=2');
    await untilContent();
  });
});

/** As the API server keeps it of itself, where it is told to; here it is not (test/support/control-plane.ts). */
const apiServerSlice: RawObject = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'kubernetes', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.200.0.1'], conditions: { ready: true } }],
  ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
};
