/**
 * A control plane where there are no programs and no Go but a Docker that can pull: the API server and the EndpointSlice
 * controller of K3s in a container, with the users, the audit log and the controllers that control-plane.ts has.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import * as plane from './control-plane.ts';
import { cachedKubectl, NoControlPlane } from './control-plane-binaries.ts';
import { versions } from './control-plane-build.ts';

const port = 6443;
const kubeconfig = '/etc/rancher/k3s/k3s.yaml';
/** The machine that Docker runs on, seen from the container, which cannot reach what listens on our loopback alone. */
const here = { name: 'host.docker.internal', listen: '0.0.0.0' } as const;

class K3s extends GenericContainer {
  isPulled = false;
  lastWords = '';

  constructor(image: string) {
    super(image);
    this.withExposedPorts(port);
    // On loopback alone: the tokens of the users are known to everybody.
    this.hostConfig.PortBindings = { [`${port}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '0' }] };
    this.withLogConsumer((stream) => {
      stream.on('data', (chunk) => {
        this.lastWords = (this.lastWords + String(chunk)).slice(-4000);
      });
    });
  }

  protected override async beforeContainerCreated(): Promise<void> {
    this.isPulled = true;
  }
}

/** Throws NoControlPlane if Docker does not answer or cannot pull; if K3s does not start, with its last words. */
export async function startK3s(log: (line: string) => void): Promise<plane.ControlPlane> {
  const image = process.env['PORTCULLIS_K3S_IMAGE'] || `rancher/k3s:v${versions.kubernetes}-k3s1`;
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-k3s-'));
  const k3s = configured(new K3s(image), directory);
  let container: StartedTestContainer | undefined;
  const stop = async (): Promise<void> => {
    await container?.stop();
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    log(`starting ${image} in Docker, which may have to pull it …`);
    container = await k3s.start();
    return { address: await reached(container, directory, k3s), stop };
  } catch (error) {
    await stop();
    const { message } = error as Error;
    if (!k3s.isPulled) throw new NoControlPlane(`${image} cannot be had from Docker: ${message}`);
    throw new Error(`${image} does not start: ${message}; its last words:\n${k3s.lastWords}`);
  }
}

const auditLogIn = (directory: string): string => join(directory, 'audit.log');

function configured(k3s: K3s, directory: string): K3s {
  plane.writeTestFiles(directory);
  // Made by us, so that we may read it: the API server, which is root there, appends to a log that exists.
  writeFileSync(auditLogIn(directory), '', { mode: 0o600 });
  // kubectl in the container reads the files of the repository, and what tests write into the directory.
  const root = { source: process.cwd(), target: process.cwd(), mode: 'ro' } as const;
  return k3s
    .withCommand(['server', ...serverFlags(directory)])
    .withBindMounts([...(cachedKubectl() === undefined ? [root] : []), { source: directory, target: directory, mode: 'rw' }])
    .withExtraHosts([{ host: here.name, ipAddress: 'host-gateway' }])
    .withWaitStrategy(Wait.forSuccessfulCommand(`test -s ${kubeconfig}`))
    .withStartupTimeout(180_000);
}

/**
 * No agent, so no Node, no kubelet, and no need for a privileged container; and the API server itself connects to
 * webhooks, which it would do through the tunnel of an agent.
 */
function serverFlags(directory: string): readonly string[] {
  const passed = (component: string, flags: Readonly<Record<string, string>>): readonly string[] =>
    Object.entries(flags).map(([name, value]) => `--${component}-arg=${name}=${value}`);
  return [
    ...['--disable-agent', '--egress-selector-mode=disabled', '--disable-scheduler', '--disable-cloud-controller'],
    ...['--flannel-backend=none', '--disable-network-policy', '--disable-kube-proxy', '--disable-helm-controller'],
    '--disable=traefik,servicelb,metrics-server,local-storage,coredns',
    ...[`--service-cidr=${plane.serviceRange}`, '--tls-san=127.0.0.1'],
    ...passed('kube-apiserver', plane.testFlags({ directory, auditLog: auditLogIn(directory) })),
    ...passed('kube-controller-manager', plane.controllerTestFlags),
  ];
}

async function reached(container: StartedTestContainer, directory: string, k3s: K3s): Promise<plane.ControlPlaneAddress> {
  const { stdout } = await container.exec(['cat', kubeconfig]);
  const { clusters } = load(stdout) as { readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[] };
  const authority = clusters[0]?.cluster['certificate-authority-data'] ?? '';
  const address: plane.ControlPlaneAddress = {
    directory,
    url: `https://127.0.0.1:${container.getMappedPort(port)}`,
    caFile: join(directory, 'ca.crt'),
    auditLog: auditLogIn(directory),
    kubectl: cachedKubectl() ?? kubectlIn(container, directory),
    here,
  };
  writeFileSync(address.caFile, Buffer.from(authority, 'base64'));
  plane.writeClientFiles(address);
  await plane.isReady(address, { hasEnded: () => false, output: () => k3s.lastWords });
  return address;
}

/** The kubectl of K3s, with the environment that tests give it; the docker beneath gets its own back. */
function kubectlIn(container: StartedTestContainer, directory: string): string {
  const path = join(directory, 'kubectl');
  const docker = ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG'].flatMap((name) =>
    process.env[name] === undefined ? [] : [`${name}='${process.env[name]}'`],
  );
  const command = `docker exec -i -w "$PWD" -e KUBECONFIG -e KUBECACHEDIR ${container.getId()} k3s kubectl --server=https://127.0.0.1:${port} "$@"`;
  writeFileSync(path, `#!/bin/sh\nexec env HOME='${homedir()}' ${docker.join(' ')} ${command}\n`, { mode: 0o700 });
  return path;
}
