/** What can go wrong with us, with the way to us and with the API server, each begun and ended by a test. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import type { Balancer } from './balancer.ts';
import { newAuthority } from './certificate.ts';
import { until } from './child-process.ts';
import type { Cluster } from './cluster.ts';
import type { ControlPlane } from './control-plane.ts';
import { runs } from './figures.ts';
import type { Replica, Webhook } from './webhook.ts';

/** Where outages happen: two replicas behind a balancer, and the control plane that asks them. */
export interface Scene {
  readonly cluster: Cluster;
  readonly programs: NonNullable<ControlPlane['programs']>;
  readonly webhook: Webhook;
  /** Their names; the way to us is the same for all. */
  readonly registrations: readonly string[];
  readonly balancer: Balancer;
  replica(index: 0 | 1): Replica;
  /** As kubelet does it: the container again, at the address of its Pod. */
  restart(index: 0 | 1): Promise<void>;
}

export interface Outage {
  readonly name: string;
  /** How long it is held, in milliseconds. */
  readonly lastsMs: number;
  /** Nobody of ours can be reached; otherwise some or all writes are still judged. */
  readonly total: boolean;
  /** The API server itself is out: what it does not answer is not our doing. */
  readonly ofTheApiServer?: boolean;
  begin(scene: Scene): Promise<void>;
  end(scene: Scene): Promise<void>;
}

const lasts = (shortMs: number, longMs = 10_000): { readonly lastsMs: number } => ({ lastsMs: runs(shortMs, longMs) });

export const outages: readonly Outage[] = [
  {
    name: 'no replicas',
    ...lasts(1500),
    total: true,
    begin: (scene) => both((index) => scene.replica(index).process.stop('SIGTERM', 1000)),
    end: restartBoth,
  },
  {
    name: 'one of two killed (-9)',
    ...lasts(1500),
    total: false,
    begin: async (scene) => void (await scene.replica(0).process.stop('SIGKILL')),
    end: (scene) => scene.restart(0),
  },
  {
    name: 'both killed (-9)',
    ...lasts(1500),
    total: true,
    begin: (scene) => both((index) => scene.replica(index).process.stop('SIGKILL')),
    end: restartBoth,
  },
  {
    name: 'one of two hangs (SIGSTOP)',
    ...lasts(3500),
    total: false,
    begin: async (scene) => signal(scene.replica(0), 'SIGSTOP'),
    end: async (scene) => signal(scene.replica(0), 'SIGCONT'),
  },
  {
    name: 'both hang (SIGSTOP)',
    ...lasts(3500),
    total: true,
    begin: (scene) => both(async (index) => signal(scene.replica(index), 'SIGSTOP')),
    end: (scene) => both(async (index) => signal(scene.replica(index), 'SIGCONT')),
  },
  {
    name: 'certificate expired',
    ...lasts(1000),
    total: true,
    // An expired one is never taken from files: it has to expire while it is served. Connections that are there live on.
    async begin(scene) {
      await serving(scene, new Date(Date.now() + 6000));
      await until('the certificate has expired', async () => (await servedUntil(scene.replica(0))) < Date.now());
      scene.balancer.cut();
    },
    end: async (scene) => scene.webhook.certify(await scene.webhook.newCertificate()),
  },
  {
    name: 'wrong CA in caBundle',
    ...lasts(1000),
    total: true,
    begin: async (scene) => trust(scene, (await newAuthority('somebody else')).cert),
    end: (scene) => trust(scene, scene.webhook.authority.cert),
  },
  { name: 'connection refused', ...lasts(1000), total: true, ...failing('refuses') },
  { name: 'connection reset', ...lasts(1000), total: true, ...failing('resets') },
  { name: 'blackhole: nothing comes back', ...lasts(3500), total: true, ...failing('swallows') },
  { name: 'TLS handshake stalls', ...lasts(3500), total: true, ...failing('stalls') },
  {
    name: 'API server killed and started',
    ...lasts(500),
    total: false,
    ofTheApiServer: true,
    begin: ({ programs }) => programs.apiServer.kill(),
    end: ({ programs }) => programs.apiServer.start(),
  },
  {
    name: 'etcd paused (SIGSTOP)',
    ...lasts(5000, 40_000),
    total: false,
    ofTheApiServer: true,
    begin: async ({ programs }) => programs.etcd.pause(),
    end: async ({ programs }) => programs.etcd.resume(),
  },
];

const both = async (act: (index: 0 | 1) => Promise<unknown>): Promise<void> => {
  await Promise.all([act(0), act(1)]);
};

function restartBoth(scene: Scene): Promise<void> {
  return both((index) => scene.restart(index));
}

const signal = ({ process: { pid } }: Replica, name: NodeJS.Signals): void => void process.kill(pid, name);

function failing(how: Parameters<Balancer['fail']>[0]): Pick<Outage, 'begin' | 'end'> {
  return { begin: ({ balancer }) => balancer.fail(how), end: ({ balancer }) => balancer.fail() };
}

async function serving(scene: Scene, notAfter: Date): Promise<void> {
  scene.webhook.certify(await scene.webhook.newCertificate({ notAfter }));
  const second = Math.floor(notAfter.getTime() / 1000) * 1000;
  await until('both serve the new certificate', async () => {
    const ends = await Promise.all([servedUntil(scene.replica(0)), servedUntil(scene.replica(1))]);
    return ends.every((end) => end === second);
  });
}

/** When the certificate ends that a replica serves now. */
async function servedUntil({ port }: Replica): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerX509Certificate()?.validToDate.getTime() ?? 0;
  } finally {
    socket.destroy();
  }
}

async function trust({ cluster, registrations }: Scene, ca: string): Promise<void> {
  const caBundle = Buffer.from(ca).toString('base64');
  for (const name of registrations) {
    const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${name}`;
    const { body } = await cluster.request('GET', path);
    for (const { clientConfig } of body.webhooks) clientConfig.caBundle = caBundle;
    const { status, body: refusal } = await cluster.request('PUT', path, body);
    if (status !== 200) throw new Error(`${name} keeps its caBundle: ${refusal.message}`);
  }
  // The API server's own view of it follows in milliseconds.
  await sleep(50);
}
