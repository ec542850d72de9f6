/** Builds the control plane, the parts of a node, and Helm, from their Go modules: the module proxy is all it needs, which a machine without a container engine has too. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const versions = { kubernetes: '1.36.3', etcd: '3.7.3', helm3: '3.22.0', helm4: '4.3.1', coredns: '1.15.0' } as const;

export const binaries = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;
export type Binary = (typeof binaries)[number];
export const helms = ['helm3', 'helm4'] as const;
export type Helm = (typeof helms)[number];
/** What a node needs beside its control plane. */
export const nodeParts = ['kube-scheduler', 'kubelet', 'kube-proxy', 'coredns'] as const;
export type NodePart = (typeof nodeParts)[number];
/** Whatever can be built here. */
export type Program = Binary | Helm | NodePart;

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
  readonly only: readonly Program[];
}

/** Builds programs into a directory; each appears there whole or not at all. Throws with Go's own output. */
export async function buildPrograms(directory: string, { log, only }: BuildOptions): Promise<void> {
  const work = join(directory, `.work-${process.pid}`);
  await mkdir(work, { recursive: true });
  try {
    for (const name of only) {
      const started = Date.now();
      log(`building ${name} ${versionOf(name)} from its Go module (${expected[name]} on two cores when nothing is cached) …`);
      await build(work, name);
      await rename(join(work, name), join(directory, name));
      log(`built ${name} in ${Math.round((Date.now() - started) / 1000)} s`);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const versionOf = (name: Program): string => (name === 'etcd' || name === 'coredns' || isHelm(name) ? versions[name] : versions.kubernetes);

const isHelm = (name: Program): name is Helm => name === 'helm3' || name === 'helm4';

const expected: Readonly<Record<Program, string>> = {
  etcd: '1 minute',
  'kube-apiserver': '5 minutes',
  'kube-controller-manager': '2 minutes',
  kubectl: '1 minute',
  helm3: '2 minutes',
  helm4: '2 minutes',
  'kube-scheduler': '1 minute',
  kubelet: '5 minutes',
  'kube-proxy': '1 minute',
  coredns: '2 minutes',
};

async function build(work: string, name: Program): Promise<void> {
  if (name === 'etcd') await buildModule(work, name, 'go.etcd.io/etcd/server/v3');
  else if (name === 'coredns') await buildModule(work, name, 'github.com/coredns/coredns');
  else if (isHelm(name)) await buildModule(work, name, `helm.sh/helm/v${versions[name].charAt(0)}/cmd/helm`);
  else await buildKubernetes(work, name);
}

/** A command that its module requires nothing unusual for. */
async function buildModule(work: string, name: 'etcd' | 'coredns' | Helm, command: string): Promise<void> {
  const module = join(work, `${name}-module`);
  await initialise(module);
  await go(module, 'get', '-tool', `${command}@v${versions[name]}`);
  // These tags keep C's libraries out: CoreDNS runs in an image that has nothing else.
  await go(module, 'build', '-tags', 'netgo,osusergo', '-ldflags', '-s -w', '-o', join(work, name), command);
}

async function buildKubernetes(work: string, name: Exclude<Program, 'etcd' | 'coredns' | Helm>): Promise<void> {
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
