/** A real control plane on loopback: etcd, kube-apiserver and the EndpointSlice controller, ready in seconds. */
import { generateKeyPairSync, randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newAuthority, newCertificate } from './certificate.ts';
import { type RunningProcess, startProcess, until } from './child-process.ts';
import type { BinaryPaths } from './control-plane-binaries.ts';

/**
 * Who may ask. `portcullis` is the ServiceAccount of deploy/, so that its own roles decide what it may read; the
 * others but `admin` have no rights until a test binds them.
 */
const users = {
  admin: { name: 'admin', groups: ['system:masters'] },
  portcullis: {
    name: 'system:serviceaccount:portcullis:portcullis',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:portcullis', 'system:authenticated'],
  },
  blinkered: { name: 'blinkered', groups: ['system:authenticated'] },
  'tenant-a': { name: 'tenant-a', groups: ['tenants', 'system:authenticated'] },
  'tenant-b': { name: 'tenant-b', groups: ['tenants', 'system:authenticated'] },
} as const;
export type User = keyof typeof users;

/** What a test file needs to talk to the control plane; plain data, since vitest hands it from one process to others. */
export interface ControlPlaneAddress {
  readonly directory: string;
  readonly url: string;
  readonly caFile: string;
  readonly auditLog: string;
  readonly kubectl: string;
  /** What the API server calls the machine of the tests, and where one has to listen so that it gets through. */
  readonly here: { readonly name: string; readonly listen: string };
}

export interface ControlPlane {
  readonly address: ControlPlaneAddress;
  /** Its programs, for tests of faults; undefined where a container runs them. */
  readonly programs?: { readonly etcd: Program; readonly apiServer: Program; readonly controllerManager: Program };
  stop(): Promise<void>;
}

/** A program that can fail. */
export interface Program {
  /** SIGSTOP: it holds its connections and answers nobody. */
  pause(): void;
  resume(): void;
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Again, with the same flags and more; resolves when it is ready. */
  start(moreFlags?: Readonly<Record<string, string>>): Promise<void>;
}

export interface ControlPlaneOptions {
  /** Flags of the API server beside those that every test has, or in their place. */
  readonly apiServerFlags?: Readonly<Record<string, string>>;
  /** What the controller manager runs; the EndpointSlice controller alone, if left out. */
  readonly controllers?: string;
}

export const kubeconfigOf = ({ directory }: ControlPlaneAddress, user: User): string => join(directory, `${user}.kubeconfig`);
export const tokenOf = (user: User): string => `token-of-${user}`;

/** Starts everything in a temporary directory, or throws with the last words of what did not start, all processes ended. */
export async function startControlPlane(binaries: BinaryPaths, options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-control-plane-'));
  const stops: (() => Promise<unknown>)[] = [];
  const run = async (binary: string, flags: Flags, isUp?: (process: RunningProcess) => Promise<void>): Promise<Program> => {
    const { program, stop } = await startProgram(binary, flags, isUp);
    stops.push(stop);
    return program;
  };
  const stop = async (): Promise<void> => {
    for (const end of stops.toReversed()) await end();
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const etcdUrl = `http://127.0.0.1:${await freePort()}`;
    const etcd = await run(binaries.etcd, await etcdFlags(directory, etcdUrl));
    const port = await freePort();
    const address: ControlPlaneAddress = {
      directory,
      url: `https://127.0.0.1:${port}`,
      caFile: join(directory, 'ca.crt'),
      auditLog: join(directory, 'audit.log'),
      kubectl: binaries.kubectl,
      here: { name: 'localhost', listen: '127.0.0.1' },
    };
    await writeServerFiles(address);
    writeTestFiles(directory);
    writeClientFiles(address);
    const flags = { ...apiServerFlags(address, port, etcdUrl), ...options.apiServerFlags };
    const apiServer = await run(binaries['kube-apiserver'], flags, (process) => isReady(address, process));
    const controllers = options.controllers === undefined ? {} : { controllers: options.controllers };
    const controllerManager = await run(binaries['kube-controller-manager'], { ...controllerFlags(address), ...controllers });
    return { address, programs: { etcd, apiServer, controllerManager }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Flags = Readonly<Record<string, string>>;

async function startProgram(binary: string, flags: Flags, isUp: (process: RunningProcess) => Promise<void> = async () => {}) {
  const begin = async (all: Flags): Promise<RunningProcess> => {
    const begun = startProcess(binary, flagsOf(all));
    await isUp(begun).catch(async (error: unknown) => {
      await begun.stop('SIGKILL');
      throw error;
    });
    return begun;
  };
  let running = await begin(flags);
  const resume = (): void => void process.kill(running.pid, 'SIGCONT');
  const program: Program = {
    pause: () => void process.kill(running.pid, 'SIGSTOP'),
    resume,
    kill: async (signal = 'SIGKILL') => void (await running.stop(signal)),
    start: async (moreFlags = {}) => {
      running = await begin({ ...flags, ...moreFlags });
    },
  };
  const stop = async (): Promise<void> => {
    // What is paused hears of no SIGTERM.
    if (!running.hasEnded()) resume();
    await running.stop();
  };
  return { program, stop };
}

async function etcdFlags(directory: string, url: string): Promise<Flags> {
  const peers = `http://127.0.0.1:${await freePort()}`;
  return {
    'data-dir': join(directory, 'etcd'),
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peers,
    'initial-advertise-peer-urls': peers,
    'initial-cluster': `default=${peers}`,
    'log-level': 'error',
    'unsafe-no-fsync': 'true',
  };
}

/** Its authority, its serving certificate, for `addresses` beside loopback, and the keys of ServiceAccount tokens. */
export async function writeServerFiles({ directory, caFile }: ControlPlaneAddress, addresses: readonly string[] = []): Promise<void> {
  const write = writerIn(directory);
  const authority = await newAuthority('control plane of a test');
  const { cert, key } = await newCertificate(authority, ['localhost', 'kubernetes', 'kubernetes.default.svc'], { addresses });
  writeFileSync(caFile, authority.cert);
  write('server.crt', cert);
  write('server.key', key);
  const accounts = generateKeyPairSync('rsa', { modulusLength: 2048 });
  write('accounts.key', accounts.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  write('accounts.pub', accounts.publicKey.export({ type: 'spki', format: 'pem' }) as string);
}

const writerIn =
  (directory: string) =>
  (name: string, content: string): void =>
    writeFileSync(join(directory, name), content, { mode: 0o600 });

const people = Object.entries(users) as readonly [User, (typeof users)[User]][];

/** What `testFlags` name, all that the API server has to know before it starts: who may ask, and what is written down. */
export function writeTestFiles(directory: string): void {
  const write = writerIn(directory);
  write('tokens.csv', people.map(([user, { name, groups }]) => `${tokenOf(user)},${name},${name},"${groups.join(',')}"\n`).join(''));
  write('audit-policy.json', JSON.stringify(auditPolicy));
}

/** What a user needs to reach it. */
export function writeClientFiles({ directory, url, caFile }: ControlPlaneAddress): void {
  const write = writerIn(directory);
  for (const [user] of people) write(`${user}.kubeconfig`, JSON.stringify(kubeconfig(url, caFile, user)));
  mkdirSync(join(directory, 'kubectl-cache'));
}

/** JSON is YAML. */
const kubeconfig = (server: string, ca: string, user: User): unknown => ({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'test',
  contexts: [{ name: 'test', context: { cluster: 'test', user } }],
  clusters: [{ name: 'test', cluster: { server, 'certificate-authority': ca } }],
  users: [{ name: user, user: { token: tokenOf(user) } }],
});

/** The writes that a webhook may be called for: the annotations of a failed call and our own stand in these entries. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'Metadata',
      verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'],
      resources: [
        { group: '', resources: ['services'] },
        { group: 'networking.k8s.io', resources: ['ingresses', 'networkpolicies'] },
      ],
    },
    { level: 'None' },
  ],
};

const apiServerFlags = ({ directory, auditLog }: ControlPlaneAddress, port: number, etcd: string): Flags => ({
  'etcd-servers': etcd,
  'bind-address': '127.0.0.1',
  'secure-port': String(port),
  // Loopback cannot be an endpoint address, and a sandbox may have no other: one that nobody has, and no reconciler for it.
  'advertise-address': '10.200.0.1',
  'endpoint-reconciler-type': 'none',
  'service-cluster-ip-range': serviceRange,
  'tls-cert-file': join(directory, 'server.crt'),
  'tls-private-key-file': join(directory, 'server.key'),
  'service-account-issuer': 'https://kubernetes.default.svc',
  'service-account-key-file': join(directory, 'accounts.pub'),
  'service-account-signing-key-file': join(directory, 'accounts.key'),
  'authorization-mode': 'RBAC',
  'allow-privileged': 'true',
  ...testFlags({ directory, auditLog }),
});

/** Flags of the API server that are the same for every provider. */
export const testFlags = ({ directory, auditLog }: Pick<ControlPlaneAddress, 'directory' | 'auditLog'>) => ({
  'token-auth-file': join(directory, 'tokens.csv'),
  // No controller makes ServiceAccounts here, and without one this plugin refuses every Pod.
  'disable-admission-plugins': 'ServiceAccount',
  'audit-policy-file': join(directory, 'audit-policy.json'),
  'audit-log-path': auditLog,
  'audit-log-mode': 'blocking',
});

/** Some tests write cluster IPs down. */
export const serviceRange = '10.96.0.0/12';

/** Only what writes EndpointSlices: node-lifecycle would call Pods of a Node without kubelet not ready, pod-gc would delete them. */
export const controllerTestFlags = {
  controllers: 'endpointslice-controller',
  'concurrent-service-endpoint-syncs': '10',
  'kube-api-qps': '2000',
  'kube-api-burst': '4000',
} as const;

const controllerFlags = (address: ControlPlaneAddress): Flags => ({
  kubeconfig: kubeconfigOf(address, 'admin'),
  'leader-elect': 'false',
  'secure-port': '0',
  ...controllerTestFlags,
});

const flagsOf = (flags: Flags): readonly string[] => Object.entries(flags).map(([name, value]) => `--${name}=${value}`);

/** `/readyz` waits for the default roles too. */
export async function isReady({ url, caFile }: ControlPlaneAddress, apiServer: Pick<RunningProcess, 'hasEnded' | 'output'>): Promise<void> {
  const ca = readFileSync(caFile);
  const ask = (): Promise<boolean> =>
    new Promise((resolve) => {
      const headers = { authorization: `Bearer ${tokenOf('admin')}` };
      request(`${url}/readyz`, { ca, headers, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      })
        .on('error', () => resolve(false))
        .end();
    });
  try {
    await until('kube-apiserver is ready', async () => apiServer.hasEnded() || (await ask()), { withinMs: 90_000 });
    if (apiServer.hasEnded()) throw new Error('kube-apiserver ended');
  } catch (error) {
    throw new Error(`${(error as Error).message}; its last words:\n${apiServer.output().slice(-4000)}`);
  }
}

/**
 * A port of the loopback address on which nobody listens. Not one that the system hands out by itself (from 32768 on):
 * until our process listens there, a connection of some other one could take it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    if (await isFree(port)) return port;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
