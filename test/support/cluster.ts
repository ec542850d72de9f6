/** What a test file does with the control plane that the e2e suite has started: kubectl, and requests without it where there are many. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'undici';
import { describe, inject } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { type ControlPlaneAddress, kubeconfigOf, tokenOf, type User } from './control-plane.ts';

/** `describe` for what needs the API server: `test/e2e/global-setup.ts` has said loudly what is left out, or has failed. */
export const describeOnCluster = describe.runIf(inject('controlPlane') !== null);

export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface KubectlOptions {
  readonly user?: User;
  /** Objects for `-f -`, or text as it stands. */
  readonly input?: string | RawObject | readonly RawObject[];
}

export interface ApiAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: objects of every kind, which tests pick apart
  readonly body: any;
  readonly warnings: readonly string[];
}

/** Whom the administrator impersonates; the API server tells its webhooks of nobody else. */
export interface Impersonated {
  readonly name: string;
  readonly groups?: readonly string[];
  readonly extra?: ReadonlyMap<string, string>;
}

/** A user, or the administrator in the name of another one: `unjudged` is the API server, whose own writes no webhook of deploy/ is asked about. */
type Caller = User | 'unjudged' | Impersonated;

export interface Cluster {
  readonly address: ControlPlaneAddress;
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult>;
  request(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, as?: Caller): Promise<ApiAnswer>;
  /** A new namespace, called after what it is for. */
  newNamespace(purpose: string, labels?: Readonly<Record<string, string>>): Promise<string>;
  /** Audit entries of writes in a namespace, oldest first. */
  audit(namespace: string): readonly AuditEntry[];
  close(): Promise<void>;
}

export interface AuditEntry {
  readonly verb: string;
  readonly stageTimestamp: string;
  readonly objectRef: { readonly resource: string; readonly namespace?: string; readonly name?: string };
  readonly annotations?: Readonly<Record<string, string>>;
  readonly responseStatus?: { readonly code: number };
}

/** To the control plane that all files share, or to another one, with at most so many requests at a time. */
export function connectCluster(address = inject('controlPlane'), { connections = 24 } = {}): Cluster {
  if (address === null) throw new Error('there is no control plane: use describeOnCluster');
  const connect = { ca: readFileSync(address.caFile, 'utf8') };
  const pool = new Pool(address.url, { connections, connect });
  // Over HTTP/2 undici joins the values of one header with commas, and of many groups makes one.
  const impersonating = new Pool(address.url, { connections, connect, allowH2: false });
  const request = requester((as) => (typeof as === 'object' ? impersonating : pool));
  return {
    address,
    request,
    kubectl: (args, options) => kubectl(address, args, options),
    async newNamespace(purpose, labels = {}) {
      const name = `${purpose}-${randomBytes(3).toString('hex')}`;
      const { status, body } = await request('POST', '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, labels },
      });
      if (status !== 201) throw new Error(`namespace ${name}: ${body.message}`);
      return name;
    },
    audit: (namespace) =>
      readFileSync(address.auditLog, 'utf8')
        .split('\n')
        .filter((line) => line.includes(`"namespace":"${namespace}"`))
        .map((line) => JSON.parse(line) as AuditEntry),
    close: async () => void (await Promise.all([pool.close(), impersonating.close()])),
  };
}

const requester =
  (poolOf: (as: Caller) => Pool): Cluster['request'] =>
  async (method, path, body, as = 'admin') => {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await poolOf(as).request({
      method,
      path,
      headers: [...identity(as), 'content-type', contentType, 'accept', 'application/json'],
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    const { warning = [] } = answer.headers;
    const warnings = (Array.isArray(warning) ? warning : [warning]).flatMap(eachWarning);
    return { status: answer.statusCode, body: parsed(text), warnings };
  };

const apiServer: Impersonated = { name: 'system:apiserver', groups: ['system:masters'] };

/** Names and values of headers in turn, as undici takes them. */
function identity(as: Caller): readonly string[] {
  if (as === 'unjudged') return identity(apiServer);
  if (typeof as === 'string') return ['authorization', `Bearer ${tokenOf(as)}`];
  const { name, groups = [], extra = new Map() } = as;
  return [
    ...[...identity('admin'), 'impersonate-user', name],
    ...groups.flatMap((group) => ['impersonate-group', group]),
    ...[...extra].flatMap(([key, value]) => [`impersonate-extra-${key}`, value]),
  ];
}

/** `299 - "text"` (apimachinery net.NewWarningHeader), quotes and backslashes escaped; one after the other, commas between, where they were joined. */
const eachWarning = (header: string): readonly string[] =>
  Array.from(header.matchAll(/299 - "((?:[^"\\]|\\.)*)"/gs), ([, text = '']) => text.replaceAll(/\\(["\\])/g, '$1'));

const parsed = (text: string): unknown => (text.startsWith('{') ? JSON.parse(text) : text);

function kubectl(
  address: ControlPlaneAddress,
  args: readonly string[],
  { user = 'admin', input }: KubectlOptions = {},
): Promise<KubectlResult> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: address.directory,
    KUBECONFIG: kubeconfigOf(address, user),
    KUBECACHEDIR: join(address.directory, 'kubectl-cache'),
  };
  return new Promise((resolve) => {
    const child = execFile(address.kubectl, args, { env, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input === undefined ? '' : textOf(input));
  });
}

const textOf = (input: string | RawObject | readonly RawObject[]): string => {
  if (typeof input === 'string') return input;
  return (Array.isArray(input) ? (input as readonly RawObject[]) : [input as RawObject])
    .map((object) => JSON.stringify(object))
    .join('\n---\n');
};

/** The address of one object, or of a namespace's objects of its kind. */
export function pathOf(apiVersion: string, resource: string, namespace: string, name = ''): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const within = namespace === '' ? '' : `/namespaces/${namespace}`;
  return `${root}${within}/${resource}${name === '' ? '' : `/${name}`}`;
}
