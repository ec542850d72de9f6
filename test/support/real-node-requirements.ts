/** Whether this machine can have a node for tests, and what it lacks if not. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { whyNoDocker } from './image.ts';
import { newCgroup, removeCgroup } from './real-node-cgroup.ts';
import { nodeName } from './real-node-leftovers.ts';

/** Programs of the machine, and the Debian packages that they are in. */
const programs: ReadonlyMap<string, string> = new Map([
  ['unshare', 'util-linux'],
  ['nsenter', 'util-linux'],
  ['ip', 'iproute2'],
  ['iptables', 'iptables'],
  ['containerd', 'containerd'],
  ['ctr', 'containerd'],
  ['runc', 'runc'],
  ['busybox', 'busybox-static'],
]);

/** Where distributions put the network plugins. */
const pluginDirectories = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];

/** Throws if there are none: `whyNoNode` has been asked before. */
export function networkPlugins(): string {
  const directory = pluginDirectories.find((one) => existsSync(`${one}/bridge`));
  if (directory === undefined) throw new Error('no network plugins');
  return directory;
}

/** A busybox that needs no library: what keeps a Pod's network while its containers come and go. */
export const busybox = (): string => execFileSync('which', ['busybox'], { encoding: 'utf8' }).trim();

/** Why there can be no node here, or undefined if there can; tries what the kernel may forbid. */
export async function whyNoNode(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `a node needs Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'a node needs root';
  if (!isRootOfTheMachine()) return 'a node needs root of the machine, and this is root of a user namespace';
  return missingPackages() ?? whyNoDocker() ?? whyNoNamespaces() ?? (await whyNoCgroups());
}

/** Every user id stands for itself. */
const isRootOfTheMachine = (): boolean => /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));

function missingPackages(): string | undefined {
  const packages = [...programs].filter(([program]) => !answers('which', program)).map(([, name]) => name);
  if (!pluginDirectories.some((one) => existsSync(`${one}/bridge`))) packages.push('containernetworking-plugins');
  // The image that it is put into has no libraries.
  if (answers('which', 'busybox') && answers('ldd', busybox())) packages.push('busybox-static');
  return packages.length === 0 ? undefined : `not installed: ${[...new Set(packages)].join(', ')} (names of Debian packages)`;
}

/** What start.sh, the network plugins and kube-proxy do, in small. */
const rehearsal = `mount -t tmpfs tmpfs /run && mount --bind /run /var/lib && ip link add cable type veth peer name end &&
  ip link add pods type bridge && iptables -t nat -A OUTPUT -m addrtype --dst-type LOCAL -m comment --comment tried -j RETURN`;

function whyNoNamespaces(): string | undefined {
  try {
    execFileSync('unshare', ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', rehearsal], {
      stdio: 'pipe',
    });
    return undefined;
  } catch (error) {
    return `the kernel, or a sandbox, forbids what a node does: ${String((error as { stderr?: Buffer }).stderr ?? error).trim()}`;
  }
}

async function whyNoCgroups(): Promise<string | undefined> {
  try {
    newCgroup(nodeName);
    await removeCgroup(nodeName);
    return undefined;
  } catch (error) {
    return `control groups cannot be made: ${(error as Error).message}`;
  }
}

function answers(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
