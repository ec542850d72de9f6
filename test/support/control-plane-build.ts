/** Builds the control plane from its Go modules: the module proxy is all it needs, which a machine without a container engine has too. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const versions = { kubernetes: '1.36.3', etcd: '3.7.3' } as const;

export const binaries = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;
export type Binary = (typeof binaries)[number];

/** Go fetches a newer toolchain by itself from 1.21 on. */
const oldestGo = 21;

/** Why Go cannot build here, or undefined if it can. */
export async function whyNoGo(): Promise<string | undefined> {
  try {
    const { stdout } = await run('go', ['env', 'GOVERSION']);
    const minor = Number(/^go1\.(\d+)/.exec(stdout)?.[1]);
    return minor >= oldestGo ? undefined : `go is too old (${stdout.trim()}, 1.${oldestGo} or newer is needed)`;
  } catch {
    return 'go is not installed';
  }
}

export interface BuildOptions {
  readonly log: (line: string) => void;
  /** Names a binary to build instead of all. */
  readonly only?: readonly Binary[];
}

/** Builds binaries into a directory; each appears there whole or not at all. Throws with Go's own output. */
export async function buildControlPlane(directory: string, { log, only = binaries }: BuildOptions): Promise<void> {
  const work = join(directory, `.work-${process.pid}`);
  await mkdir(work, { recursive: true });
  try {
    for (const name of only) {
      const started = Date.now();
      log(`building ${name} ${versionOf(name)} from its Go module (${expected[name]} on two cores when nothing is cached) …`);
      await (name === 'etcd' ? buildEtcd(work) : buildKubernetes(work, name));
      await rename(join(work, name), join(directory, name));
      log(`built ${name} in ${Math.round((Date.now() - started) / 1000)} s`);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const versionOf = (name: Binary): string => (name === 'etcd' ? versions.etcd : versions.kubernetes);

const expected: Readonly<Record<Binary, string>> = {
  etcd: '1 minute',
  'kube-apiserver': '5 minutes',
  'kube-controller-manager': '2 minutes',
  kubectl: '1 minute',
};

async function buildEtcd(work: string): Promise<void> {
  const module = join(work, 'etcd-module');
  await initialise(module);
  await go(module, 'get', '-tool', `go.etcd.io/etcd/server/v3@v${versions.etcd}`);
  await go(module, 'build', '-ldflags', '-s -w', '-o', join(work, 'etcd'), 'go.etcd.io/etcd/server/v3');
}

async function buildKubernetes(work: string, name: Binary): Promise<void> {
  const module = join(work, 'kubernetes-module');
  const command = `k8s.io/kubernetes/cmd/${name}`;
  await initialise(module, async () => {
    await go(module, 'mod', 'edit', ...(await replacements(module)), `-require=k8s.io/kubernetes@v${versions.kubernetes}`);
  });
  await go(module, 'get', '-tool', `${command}@v${versions.kubernetes}`);
  await go(module, 'build', '-ldflags', stamps(), '-o', join(work, name), command);
}

/** Makes an empty module once; its requirements grow with what is built in it. */
async function initialise(module: string, prepare = async (): Promise<void> => {}): Promise<void> {
  const isNew = (await mkdir(module, { recursive: true })) !== undefined;
  if (!isNew) return;
  await writeFile(join(module, 'go.mod'), 'module example.com/control-plane\n');
  await prepare();
}

/** Kubernetes requires its staging modules at v0.0.0 and replaces them by folders, which do not exist outside its repository. */
async function replacements(module: string): Promise<readonly string[]> {
  const { stdout } = await go(module, 'mod', 'download', '-json', `k8s.io/kubernetes@v${versions.kubernetes}`);
  const { GoMod } = JSON.parse(stdout) as { readonly GoMod: string };
  const staging = new Set([...(await readFile(GoMod, 'utf8')).matchAll(/^\s*(k8s\.io\/\S+) v0\.0\.0(?![-\d])/gm)].map(([, path]) => path));
  const version = `v0${versions.kubernetes.slice(1)}`;
  return [...staging].map((path) => `-replace=${path}=${path}@${version}`);
}

/** Without these the server calls itself v0.0.0-master, `kubectl version` fails and charts with a kubeVersion are refused. */
function stamps(): string {
  const [major, minor] = versions.kubernetes.split('.');
  const values = {
    gitVersion: `v${versions.kubernetes}`,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: 'unknown',
    buildDate: '1970-01-01T00:00:00Z',
  };
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  const flags = packages.flatMap((path) => Object.entries(values).map(([name, value]) => `-X ${path}.${name}=${value}`));
  return ['-s', '-w', ...flags].join(' ');
}

async function go(module: string, ...args: readonly string[]): Promise<{ readonly stdout: string }> {
  try {
    return await run('go', args, {
      cwd: module,
      env: { ...process.env, GOWORK: 'off', GOFLAGS: '-mod=mod' },
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (cause) {
    const { stderr = '' } = cause as { readonly stderr?: string };
    throw new Error(`go ${args[0]} failed:\n${stderr.split('\n').slice(-20).join('\n')}`);
  }
}
