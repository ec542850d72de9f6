/**
 * failurePolicy Fail, and nobody of ours alive: what must pass passes, what is blocked says by whom, and the ways out lead
 * out. Then with a replica that lives and one that hangs; and every step of an uninstall.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { type Balancer, startBalancer } from '../support/balancer.ts';
import { until } from '../support/child-process.ts';
import { type Cluster, connectCluster, describeOnCluster, pathOf } from '../support/cluster.ts';
import { type ControlPlane, freePort, type User } from '../support/control-plane.ts';
import { newControlPlane } from '../support/control-plane-provider.ts';
import { hasFailedOpen } from '../support/load.ts';
import { deleted, fillNamespace, finalizersTaken, gatedObjects } from '../support/namespace-end.ts';
import { deployment, ingress, service } from '../support/shop.ts';
import { addressOf, configurationOf, create, untilViewIsTrue } from '../support/stage.ts';
import { removedWithUs, uninstallOrders } from '../support/uninstall.ts';
import { installWebhook, type Registration, type Replica, type Webhook, withFail } from '../support/webhook.ts';
import { others } from '../support/writes.ts';

const registrationPath = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/portcullis';
const typo = (name: string, annotations: RawObject = {}): RawObject =>
  service({ name, selector: { app: 'wbe' }, metadata: { annotations } });
const breakGlass = { 'portcullis.dev/break-glass': 'INC-42: the gate is down' };

describeOnCluster('with failurePolicy Fail', () => {
  let plane: ControlPlane;
  let cluster: Cluster;
  let balancer: Balancer;
  let webhook: Webhook;
  let deployed: Registration;
  let shop: string;

  beforeAll(async () => {
    plane = await newControlPlane(console.error, {
      controllers: 'namespace-controller,garbage-collector-controller,endpointslice-controller',
    });
    // Each as its own ServiceAccount, as kubeadm has it: what is denied to whom depends on who asks.
    await plane.programs?.controllerManager.kill();
    await plane.programs?.controllerManager.start({ 'use-service-account-credentials': 'true' });
    cluster = connectCluster(plane.address, { connections: 100 });
    const port = await freePort();
    balancer = await startBalancer(port, { listen: plane.address.here.listen });
    const registrations = (given: Registration): readonly Registration[] => {
      deployed = given;
      return [withFail(deployed)];
    };
    // The only way to have a removal denied.
    const configuration = configurationOf({ rules: { 'service-in-use': { mode: 'deny' } } });
    webhook = await installWebhook(cluster, { purpose: 'portcullis', configuration, port, registrations });
    shop = await cluster.newNamespace('shop', { 'portcullis.dev/profile': 'strict' });
    await cluster.request('POST', addressOf('Deployment', shop), deployment);
    const { code, stderr } = await cluster.kubectl(['apply', '-f', '-'], { input: grants(shop) });
    expect(code, stderr).toBe(0);
    await until('nobody answers', async () => (await written(service({ name: 'probe' }), 'admin', '?dryRun=All')).status === 500);
  });
  afterAll(async () => {
    await webhook?.remove();
    await balancer?.close();
    await cluster?.close();
    await plane?.stop();
  });

  const written = (object: RawObject, as: User = 'admin', query = '') =>
    cluster.request('POST', `${addressOf('Service', shop)}${query}`, object, as);
  const changed = (name: string, patch: RawObject, as: User) => cluster.request('PATCH', addressOf('Service', shop, name), patch, as);
  const blocked = 'failed calling webhook "validate.portcullis.dev"';

  describe('and nobody alive', () => {
    it('the API server makes default/kubernetes again', async () => {
      const path = pathOf('v1', 'services', 'default', 'kubernetes');
      const { body } = await until('the Service is there', async () => {
        const found = await cluster.request('GET', path);
        return found.status === 200 && found;
      });
      expect((await cluster.request('DELETE', path)).status).toBe(200);
      const again = await until('it is made again', async () => {
        const found = await cluster.request('GET', path);
        return found.status === 200 && found.body.metadata.uid !== body.metadata.uid && found;
      });
      expect(again.body.spec.clusterIP).toBe(body.spec.clusterIP);
    });

    it('what is not networking of users is created, changed and deleted', async () => {
      for (const { namespace, resource, object } of others(shop)) {
        const collection = pathOf(String(object['apiVersion']), resource, namespace);
        const name = 'needed';
        expect(await statusOf(cluster.request('POST', collection, { ...object, metadata: { name } })), collection).toBe(201);
        const labels = { metadata: { labels: { colour: 'blue' } } };
        expect(await statusOf(cluster.request('PATCH', `${collection}/${name}`, labels)), collection).toBe(200);
        expect(await statusOf(cluster.request('DELETE', `${collection}/${name}`)), collection).toBeLessThan(300);
      }
    });

    it('what is stays as it is, is deleted, and has its status written', async () => {
      await cluster.request('POST', addressOf('Service', shop), service({ name: 'old', spec: { type: 'LoadBalancer' } }), 'unjudged');
      const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
      expect(await statusOf(cluster.request('PATCH', `${addressOf('Service', shop, 'old')}/status`, { status }))).toBe(200);
      const change = await changed('old', { spec: { selector: { app: 'other' } } }, 'admin');
      expect(change.body.message).toContain(blocked);
      expect(await statusOf(cluster.request('DELETE', addressOf('Service', shop, 'old')))).toBe(200);
    });

    it('who is blocked reads which webhook, and of which Service, does not answer', async () => {
      const { code, stderr } = await cluster.kubectl(['create', '-n', shop, '-f', '-'], { input: service() });
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^Error from server \(InternalError\): .*failed calling webhook "validate\.portcullis\.dev": .*https:\/\/portcullis\.portcullis\.svc:/,
      );
    });

    it('the emergency exit takes the right and the annotation, and nothing else', async () => {
      const exit = (name: string, user: User, annotations = {}) => written(typo(name, annotations), user);
      expect((await exit('by-right', 'tenant-a', breakGlass)).status).toBe(201);
      expect((await changed('by-right', { spec: { selector: { app: 'ewb' } } }, 'tenant-a')).status).toBe(200);
      expect((await exit('silently', 'tenant-a')).body.message).toContain(blocked);
      expect((await exit('without-right', 'tenant-b', breakGlass)).body.message).toContain(blocked);
      expect((await changed('by-right', { spec: { selector: { app: 'web' } } }, 'tenant-b')).body.message).toContain(blocked);
      expect((await exit('by-admin', 'admin')).body.message).toContain(blocked);
      expect((await exit('by-admin', 'admin', breakGlass)).status).toBe(201);
      const left = cluster.audit(shop).filter(({ objectRef }) => objectRef.name === 'by-right' || objectRef.name === 'by-admin');
      expect(left.filter(hasFailedOpen)).toEqual([]);
    });

    it('a namespace of 300 objects ends', () => endsWhole());

    it('the cluster starts, and takes everything that starts us', async () => {
      await plane.programs?.apiServer.kill();
      await plane.programs?.apiServer.start();
      for (const { object, path } of removedWithUs()) {
        const { status, body } = await cluster.request('POST', path, object);
        expect([201, 409], body.message).toContain(status);
      }
      expect((await written(service({ name: 'early' }))).body.message).toContain(blocked);
    });
  });

  describe('and a replica', () => {
    let replica: Replica;
    beforeAll(async () => {
      replica = await webhook.startReplica({ port: await freePort() });
      await untilViewIsTrue(cluster, replica);
      balancer.setReady([replica.port]);
      await until('it is asked', async () => (await written(service({ name: 'probe' }), 'admin', '?dryRun=All')).status === 201);
    });

    it('the administrator is judged as anybody, but for the annotation', async () => {
      expect((await written(typo('typo'))).status).toBe(422);
      expect((await written(typo('typo'), 'tenant-a')).status).toBe(422);
      expect((await written(typo('typo', breakGlass), 'tenant-b')).status).toBe(422);
      expect((await written(typo('typo', breakGlass), 'tenant-a')).status).toBe(201);
      expect((await changed('typo', { spec: { selector: { app: 'wbe', tier: 'x' } } }, 'admin')).status).toBe(200);
    });

    it('a namespace of 300 objects ends', () => endsWhole());

    it('a Service in use is kept from who removes it by hand, and not from the garbage collector', async () => {
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owner' } };
      const owners = pathOf('v1', 'configmaps', shop);
      const { uid } = (await cluster.request('POST', owners, owner)).body.metadata;
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }];
      for (const object of [service({ metadata: { ownerReferences } }), ingress('tls')]) await create(cluster, shop, object);
      await untilViewIsTrue(cluster, replica);
      const web = addressOf('Service', shop, 'web');
      const refused = await cluster.request('DELETE', web, undefined, 'tenant-a');
      expect([refused.status, refused.body.message]).toEqual([422, expect.stringContaining('still named by Ingress web')]);
      expect((await cluster.request('DELETE', `${owners}/owner`)).status).toBe(200);
      await until('it is collected', async () => (await cluster.request('GET', web)).status === 404);
    });

    it('that hangs, a namespace of 300 objects ends', async () => {
      process.kill(replica.process.pid, 'SIGSTOP');
      try {
        await endsWhole();
      } finally {
        process.kill(replica.process.pid, 'SIGCONT');
      }
    });
  });

  /** With finalizers on some, which their owners take off, and some in the foreground, which the garbage collector does. */
  async function endsWhole(): Promise<void> {
    const namespace = await cluster.newNamespace('crowded', { 'portcullis.dev/profile': 'strict' });
    await fillNamespace(cluster, namespace, gatedObjects(100));
    expect((await cluster.request('DELETE', `/api/v1/namespaces/${namespace}`)).status).toBe(200);
    await finalizersTaken(cluster, namespace);
    await deleted(cluster, namespace);
    expect(cluster.audit(namespace).filter(({ responseStatus }) => responseStatus?.code === 422)).toEqual([]);
  }

  describe.each(Object.entries(uninstallOrders))('an uninstall by %s, whose replicas are gone first', (_, order) => {
    it('stops nobody under Ignore, wherever it ends half-way', async () => {
      const { passed } = await uninstalled(deployed, order);
      expect(passed).not.toContain(false);
    });

    it('stops networking under Fail as long as the registration is there, and no longer', async () => {
      const { kinds, passed } = await uninstalled(withFail(deployed), order);
      const registration = kinds.indexOf('ValidatingWebhookConfiguration');
      expect(passed).toEqual(kinds.map((_kind, step) => step >= registration));
    });
  });

  /** Whether a Service could be created after each step. Puts everything there first, for which nobody of ours is needed. */
  async function uninstalled(registration: Registration, order: (object: RawObject) => number) {
    balancer.setReady([]);
    // A connection that is there outlives even the Service: it is looked up for dialling alone.
    balancer.cut();
    const all = removedWithUs().map((one) =>
      one.object['kind'] === 'ValidatingWebhookConfiguration' ? { ...one, object: registration } : one,
    );
    await cluster.request('DELETE', registrationPath);
    for (const { object, path } of all) expect([201, 409]).toContain(await statusOf(cluster.request('POST', path, object)));
    const passed: boolean[] = [];
    const steps = all.toSorted((a, b) => order(a.object) - order(b.object));
    for (const { object, path } of steps) {
      expect(await statusOf(cluster.request('DELETE', `${path}/${(object['metadata'] as RawObject)['name']}`))).toBe(200);
      await sleep(50); // until the API server's own view has followed
      passed.push((await written(service({ name: 'step' }), 'admin', '?dryRun=All')).status === 201);
    }
    return { kinds: steps.map(({ object }) => object['kind']), passed };
  }

  it('no condition of the registration ever failed to be evaluated', async () => {
    const { body } = await cluster.request('GET', '/metrics');
    expect(String(body)).toContain('apiserver_admission_match_condition_exclusions_total');
    expect(String(body)).not.toContain('apiserver_admission_match_condition_evaluation_errors_total{');
  });
});

const statusOf = async (answer: Promise<{ readonly status: number }>): Promise<number> => (await answer).status;

/** Both tenants may write Services; one of them may also break the glass. */
const grants = (namespace: string): readonly RawObject[] => {
  const role = (name: string, rule: RawObject): RawObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name },
    rules: [rule],
  });
  const binding = (kind: string, name: string, subject: User, more: RawObject = {}): RawObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { name: `${name}-${subject}`, ...more },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: subject }],
  });
  return [
    role('writes-services', { apiGroups: [''], resources: ['services'], verbs: ['*'] }),
    role('breaks-glass', {
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['validatingwebhookconfigurations'],
      resourceNames: ['portcullis'],
      verbs: ['breakglass'],
    }),
    binding('RoleBinding', 'writes-services', 'tenant-a', { namespace }),
    binding('RoleBinding', 'writes-services', 'tenant-b', { namespace }),
    binding('ClusterRoleBinding', 'breaks-glass', 'tenant-a'),
  ];
};
