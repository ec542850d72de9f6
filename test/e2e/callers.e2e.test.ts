/** Who may call: the API server by its certificate, from the file that its administrator gives it; Pods of others not at all. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newAuthority, newCertificate, newClientCertificate, type ServingCertificate } from '../support/certificate.ts';
import { until } from '../support/child-process.ts';
import { type Cluster, connectCluster } from '../support/cluster.ts';
import { type ControlPlane, freePort } from '../support/control-plane.ts';
import { newControlPlane } from '../support/control-plane-provider.ts';
import { deployment, service } from '../support/shop.ts';
import { addressOf, configurationOf, create } from '../support/stage.ts';
import { installWebhook, type Registration, type Replica, type Webhook, withFail, withSelector } from '../support/webhook.ts';

/** The API server reads files of ours, which it cannot from within a container. */
const describeWithFiles = describe.runIf(inject('controlPlane')?.here.name === 'localhost');

const hourMs = 3_600_000;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const apiServer = 'kube-apiserver';

/** Each is a Service by which the API server calls the same webhook, since it chooses its credentials by the Service's name. */
const refused = ['none', 'other-authority', 'other-name', 'expired'] as const;
type Case = 'right' | (typeof refused)[number];

describeWithFiles('callers', () => {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-callers-'));
  const file = (called: string, content: string): string => {
    writeFileSync(join(directory, called), content, { mode: 0o600 });
    return join(directory, called);
  };
  const namespaces = new Map<string, string>();
  let plane: ControlPlane;
  let cluster: Cluster;
  let webhook: Webhook;
  let replica: Replica;

  beforeAll(async () => {
    const port = await freePort();
    const authority = await newAuthority('clients');
    const issued = new Map<Case, ServingCertificate>([
      ['right', await newClientCertificate(authority, apiServer)],
      ['other-authority', await newClientCertificate(await newAuthority('others'), apiServer)],
      ['other-name', await newClientCertificate(authority, 'kubelet')],
      ['expired', await newClientCertificate(authority, apiServer, { notAfter: new Date(Date.now() - hourMs) })],
    ]);
    plane = await newControlPlane(console.error, {
      apiServerFlags: { 'admission-control-config-file': admissionConfiguration(issued, port) },
    });
    cluster = connectCluster(plane.address);
    webhook = await installWebhook(cluster, { purpose: 'callers', configuration: configurationOf(), port, registrations: oneForEach });
    webhook.certify(
      await newCertificate(
        webhook.authority,
        ['right', ...refused].map((one) => `${one}.portcullis.svc`),
      ),
    );
    for (const one of ['right', ...refused] as const) await create(cluster, 'portcullis', alias(one));
    replica = await webhook.startReplica({ flags: ['--client-ca', file('ca.crt', authority.cert), '--client-names', apiServer] });
    for (const one of ['right', 'fail', ...refused]) {
      const namespace = await cluster.newNamespace(one, { caller: one, 'portcullis.dev/profile': 'strict' });
      await create(cluster, namespace, deployment);
      namespaces.set(one, namespace);
    }
  });
  afterAll(async () => {
    await webhook?.remove();
    await cluster?.close();
    await plane?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  /** As docs/callers.md has it. */
  function admissionConfiguration(issued: ReadonlyMap<Case, ServingCertificate>, port: number): string {
    const users = [...issued].map(([one, { cert, key }]) => ({
      name: `${one}.portcullis.svc:${port}`,
      user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) },
    }));
    const kubeConfigFile = file('webhooks.kubeconfig', JSON.stringify({ apiVersion: 'v1', kind: 'Config', users }));
    const configuration = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'WebhookAdmissionConfiguration', kubeConfigFile };
    const plugins = [{ name: 'ValidatingAdmissionWebhook', configuration }];
    return file('admission.json', JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins }));
  }

  const alias = (one: string) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: one },
    spec: { type: 'ExternalName', externalName: plane.address.here.name },
  });

  const oneForEach = (deployed: Registration): readonly Registration[] => [
    ...(['right', ...refused] as const).map((one) => called(deployed, one, one)),
    called(withFail(deployed), 'none', 'fail'),
  ];

  /** The entries for namespaces with a label of their own, by a Service of their own. */
  function called(deployed: Registration, by: Case, label: string): Registration {
    const { webhooks } = withSelector(deployed, { key: 'caller', operator: 'In', values: [label] });
    const entries = webhooks.map((entry) => {
      const { clientConfig } = entry as unknown as { readonly clientConfig: { readonly service: object } };
      return { ...entry, clientConfig: { ...clientConfig, service: { ...clientConfig.service, name: by } } };
    });
    return { ...deployed, metadata: { name: `portcullis-${label}` }, webhooks: entries };
  }

  let written = 0;
  async function writeBroken(one: string) {
    const namespace = namespaces.get(one) as string;
    const name = `web-${written++}`;
    const object = service({ name, selector: { app: 'wbe' } });
    const { status, body } = await cluster.request('POST', addressOf('Service', namespace), object);
    const entry = cluster.audit(namespace).findLast(({ objectRef }) => objectRef.name === name);
    return { status, message: String(body.message ?? ''), annotations: Object.keys(entry?.annotations ?? {}) };
  }

  it('with the right certificate are answered', async () => {
    const { message } = await until('a broken Service is denied', async () => {
      const answer = await writeBroken('right');
      return answer.status === 422 && answer;
    });
    expect(message).toContain('[service-selector-matches-no-pods]');
  });

  it.each(refused)('with a wrong one are refused, so that the write passes unjudged, which the audit log says: %s', async (one) => {
    const { status, annotations } = await until('the API server calls', async () => {
      const answer = await writeBroken(one);
      return answer.annotations.length > 0 && answer;
    });
    expect({ status, failedOpen: annotations.filter((key) => key.startsWith('failed-open.')).length }).toEqual({
      status: 201,
      failedOpen: 1,
    });
    expect(annotations).not.toContain('validate.portcullis.dev/decision');
  });

  it('without one are told why, where they fail', async () => {
    const { status, message } = await until('the API server calls', async () => {
      const answer = await writeBroken('fail');
      return answer.status !== 201 && answer;
    });
    expect({ status, message }).toEqual({
      status: 500,
      message: expect.stringMatching(/"validate\.portcullis\.dev": .*: a client certificate is needed that this webhook trusts$/),
    });
    expect(replica.process.output()).toContain('"address":"127.0.0.1","why":"no certificate"');
  });

  it('are Pods of others, known by their addresses as long as they run', async () => {
    const open = await webhook.startReplica({ port: await freePort() });
    const namespace = namespaces.get('right') as string;
    const path = `${addressOf('Pod', namespace)}/caller`;
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'caller' } };
    await create(cluster, namespace, { ...pod, spec: { nodeName: 'nowhere', containers: [{ name: 'main', image: 'none' }] } });
    const is = async (status: unknown): Promise<void> => {
      expect((await cluster.request('PATCH', `${path}/status`, { status })).status).toBe(200);
    };
    expect(await outcomeFrom('127.0.0.2', open)).toBe(400);
    await is({ phase: 'Running', podIP: '127.0.0.2', podIPs: [{ ip: '127.0.0.2' }] });
    await until('it is refused', async () => (await outcomeFrom('127.0.0.2', open)) === 'ECONNRESET');
    expect(await outcomeFrom('127.0.0.3', open)).toBe(400);
    await is({ phase: 'Succeeded' });
    await until('its address is nobody’s', async () => (await outcomeFrom('127.0.0.2', open)) === 400);
  });

  /** The status of a bad request, if we read it. */
  const outcomeFrom = (localAddress: string, { port }: Replica): Promise<unknown> =>
    new Promise((resolve) => {
      const options = { method: 'POST', headers: { 'content-type': 'application/json' }, rejectUnauthorized: false };
      const agent = new Agent({ localAddress } as object);
      const sent = request(`https://127.0.0.1:${port}/validate`, { ...options, agent }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
      sent.end('{}');
    });
});
