/**
 * A real Kubernetes node for the time of a test: control plane, containerd, kubelet and kube-proxy as processes in
 * namespaces of their own, which a cable joins to the machine. What they do to mounts, interfaces and firewall rules
 * they do to themselves, and it is gone when they are, even if the tests are killed.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type RunningProcess, startProcess, until } from './child-process.ts';
import { type ControlPlaneAddress, isReady, kubeconfigOf } from './control-plane.ts';
import { freeCable, plugIn, unplug } from './real-node-cable.ts';
import { newCgroup, removeCgroup } from './real-node-cgroup.ts';
import { apiServerPort, writeNodeFiles } from './real-node-files.ts';
import { nodeName, removeLeftovers } from './real-node-leftovers.ts';

const run = promisify(execFile);

/** Plain data, since vitest hands it from one process to others. */
export interface NodeAddress extends ControlPlaneAddress {
  /** The process whose namespaces are those of the node. */
  readonly pid: number;
}

export interface RealNode {
  readonly address: NodeAddress;
  stop(): Promise<void>;
}

export interface NodeOptions {
  /** Programs of Kubernetes, by name. */
  readonly programs: Readonly<Record<string, string>>;
  /** Where the network plugins are. */
  readonly networkPlugins: string;
  /** A tar of images in Docker's format. */
  readonly images: string;
}

/** Starts a node and waits until it runs Pods, with a resolver. Throws with the last words of what has failed, and leaves nothing. */
export async function startRealNode({ programs, networkPlugins, images }: NodeOptions): Promise<RealNode> {
  await removeLeftovers();
  const directory = mkdtempSync(join(tmpdir(), `${nodeName}-`));
  const cable = freeCable();
  const cgroup = newCgroup(nodeName);
  linkPrograms(join(directory, 'bin'), programs);
  const address = { ...addressIn(directory, cable.nodeAddress), pid: 0 };
  await writeNodeFiles(address, cable.nodeAddress);

  const node = startProcess(
    'unshare',
    [...'--mount --net --pid --fork --kill-child --mount-proc sh'.split(' '), join(directory, 'start.sh')],
    {
      env: {
        DIRECTORY: directory,
        BIN: join(directory, 'bin'),
        CNI: networkPlugins,
        NODE_ADDRESS: cable.nodeAddress,
        CGROUP: cgroup,
      },
    },
  );
  const stop = async (): Promise<void> => {
    await node.stop('SIGKILL');
    unplug(cable.name);
    await removeCgroup(nodeName);
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  const running = { ...address, pid: node.pid };
  try {
    await plugIn(cable, node);
    await isReady(running, { hasEnded: () => node.hasEnded() || endedOf(directory) !== '', output: () => lastWords(directory, node) });
    await Promise.all([importImages(running, images), isNodeReady(running)]);
    await startResolver(running);
    return { address: running, stop };
  } catch (error) {
    const words = lastWords(directory, node);
    await stop();
    throw new Error(`${(error as Error).message}\n${words}`);
  }
}

/** Runs a program of the machine within the node, and gives what it prints. */
export async function withinNode({ pid }: NodeAddress, command: string, ...args: readonly string[]): Promise<string> {
  // Of the node are only the children of its process, as far as process ids are concerned.
  const [first = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const { stdout } = await run('nsenter', ['--target', first, '--mount', '--net', '--pid', command, ...args], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

function linkPrograms(directory: string, programs: Readonly<Record<string, string>>): void {
  mkdirSync(directory);
  for (const [name, path] of Object.entries(programs)) symlinkSync(path, join(directory, name));
}

const addressIn = (directory: string, nodeAddress: string): ControlPlaneAddress => ({
  directory,
  url: `https://${nodeAddress}:${apiServerPort}`,
  caFile: join(directory, 'ca.crt'),
  auditLog: join(directory, 'audit.log'),
  kubectl: join(directory, 'bin', 'kubectl'),
  here: { name: 'localhost', listen: '127.0.0.1' },
});

/** The names of programs that have ended, which none of them should. */
const endedOf = (directory: string): string => (existsSync(join(directory, 'ended')) ? readFileSync(join(directory, 'ended'), 'utf8') : '');

function lastWords(directory: string, node: RunningProcess): string {
  const names = endedOf(directory)
    .split('\n')
    .filter((name) => name !== '');
  const logs = (names.length === 0 ? ['kubelet', 'containerd'] : names).map((name) => join(directory, 'logs', `${name}.log`));
  const tails = logs.filter((log) => existsSync(log)).map((log) => `${log}:\n${readFileSync(log, 'utf8').slice(-3000)}`);
  return [`ended: ${names.join(', ') || 'nothing'}`, node.output().slice(-2000), ...tails].join('\n');
}

async function importImages(address: NodeAddress, images: string): Promise<void> {
  await until('containerd answers', () =>
    withinNode(address, 'ctr', 'version').then(
      () => true,
      () => false,
    ),
  );
  await withinNode(address, 'ctr', '--namespace', 'k8s.io', 'images', 'import', images);
}

const isNodeReady = (address: NodeAddress): Promise<void> =>
  asAdmin(address, ['wait', 'node/node', '--for=create', '--timeout=60s'], ['wait', 'node/node', '--for=condition=Ready', '--timeout=60s']);

const startResolver = (address: NodeAddress): Promise<void> =>
  asAdmin(
    address,
    ['apply', '-f', join(address.directory, 'coredns.yaml')],
    ['rollout', 'status', 'deployment/coredns', '--namespace=kube-system', '--timeout=60s'],
  );

async function asAdmin(address: NodeAddress, ...commands: readonly (readonly string[])[]): Promise<void> {
  for (const args of commands) await run(address.kubectl, ['--kubeconfig', kubeconfigOf(address, 'admin'), ...args]);
}
