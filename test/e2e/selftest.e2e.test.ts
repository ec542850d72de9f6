/** selftest as a process before our server as a process, by the configuration that the real API server holds. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newAuthority } from '../support/certificate.ts';
import { startProcess } from '../support/child-process.ts';
import { type Cluster, connectCluster, describeOnCluster, pathOf } from '../support/cluster.ts';
import { kubeconfigOf } from '../support/control-plane.ts';
import { installWebhook, type Webhook } from '../support/webhook.ts';

const purpose = 'selftest';
const registrationPath = pathOf('admissionregistration.k8s.io/v1', 'validatingwebhookconfigurations', '', `portcullis-${purpose}`);

describeOnCluster('selftest', () => {
  let cluster: Cluster;
  let webhook: Webhook;
  beforeAll(async () => {
    cluster = connectCluster();
    webhook = await installWebhook(cluster, { purpose, configuration: { apiVersion: 'portcullis.dev/v1' } });
    await webhook.startReplica();
  });
  afterAll(async () => {
    await webhook?.remove();
    await cluster?.close();
  });

  async function selftest(): Promise<{ readonly code: unknown; readonly output: string }> {
    const started = startProcess(process.execPath, [
      ...[resolve('src/main.ts'), 'selftest', '--webhook-configuration', `portcullis-${purpose}`],
      ...['--kubeconfig', kubeconfigOf(cluster.address, 'admin'), '--address', `localhost:${webhook.port}`],
    ]);
    const code = await started.ended;
    return { code, output: started.output() };
  }

  it.each(['guided', 'strict', 'observe'])('finds that it judges, in profile %s', async (profile) => {
    webhook.configure({ apiVersion: 'portcullis.dev/v1', profile });
    const { code, output } = await selftest();
    expect(output).toMatch(
      /^ok {4}validate\.portcullis\.dev: judges \(service-selector-matches-no-pods (found|denied)\)\n(ok {4}(system|delete)\.portcullis\.dev: reaches what judges\n){2}$/,
    );
    expect(code).toBe(0);
  });

  it('finds that a caBundle does not fit', async () => {
    const { body } = await cluster.request('GET', registrationPath);
    const other = Buffer.from((await newAuthority('somebody else')).cert).toString('base64');
    const [first, ...rest] = body.webhooks;
    const webhooks = [{ ...first, clientConfig: { ...first.clientConfig, caBundle: other } }, ...rest];
    await cluster.request('PATCH', registrationPath, { webhooks });
    const { code, output } = await selftest();
    expect(output).toMatch(
      /^FAIL {2}validate\.portcullis\.dev: .*not signed by the authority in caBundle.*\nok {4}system.*\nok {4}delete.*\n$/,
    );
    expect(code).toBe(1);
  });
});
