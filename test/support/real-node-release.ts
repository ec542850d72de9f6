/** Portcullis on a real node as a person puts it there: by Helm, from charts/portcullis. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, inject } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { newAuthority, newCertificate } from './certificate.ts';
import { until } from './child-process.ts';
import { type Cluster, connectCluster } from './cluster.ts';
import { kubeconfigOf } from './control-plane.ts';
import type { Helm } from './control-plane-build.ts';
import { chart, helmPath } from './helm.ts';
import type { NodeAddress } from './real-node.ts';
import { nodeImages } from './real-node-images.ts';
import { service } from './shop.ts';
import { addressOf, create } from './stage.ts';

const run = promisify(execFile);

/** `describe` for what needs a node: `test/node/global-setup.ts` has said loudly what is left out, or has failed. */
export const describeOnNode = describe.runIf(inject('node') !== null);

/** Also the name of the release. */
export const home = 'portcullis';
const labels = `app.kubernetes.io/instance=${home}`;

/** Of our Pods, but not of the one of `helm test`. */
export const podLabels = `${labels},app.kubernetes.io/component=webhook`;

export interface OnNode {
  readonly cluster: Cluster;
  readonly node: NodeAddress;
  /** What Helm prints; throws with what it says if it fails. */
  helm(helm: Helm, ...args: readonly string[]): Promise<string>;
  /** `helm install` or `helm upgrade` with these values beside those that the node needs; waits until all Pods are ready. */
  apply(helm: Helm, verb: 'install' | 'upgrade', values?: RawObject): Promise<void>;
  /** kubectl, whose failure is an error; gives what it prints. */
  kubectl(...args: readonly string[]): Promise<string>;
  /** Our Pods that are not being deleted, the oldest first. */
  // biome-ignore lint/suspicious/noExplicitAny: Pods, which tests pick apart
  pods(): Promise<readonly any[]>;
  /** `kind/name` of everything that carries the label of our release. */
  leftovers(): Promise<readonly string[]>;
  /** Ends the connections; the release stays. */
  close(): Promise<void>;
}

/** To the node that all files share. */
export function connectNode(): OnNode {
  const node = inject('node');
  if (node === null) throw new Error('there is no node: use describeOnNode');
  const cluster = connectCluster(node);
  const helm: OnNode['helm'] = (which, ...args) => runHelm(node, helmPath(which), args);
  const kubectl: OnNode['kubectl'] = async (...args) => {
    const { code, stdout, stderr } = await cluster.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  return {
    cluster,
    node,
    helm,
    kubectl,
    apply: (which, verb, values = {}) =>
      withFile({ ...onThisNode, ...values }, async (file) => {
        await helm(which, verb, home, chart, '--namespace', home, '--values', file, '--wait', '--timeout', '60s').catch(
          async (error: Error) => {
            throw new Error(`${error.message}\n${await lastWords(cluster)}`);
          },
        );
      }),
    async pods() {
      const { items } = JSON.parse(
        await kubectl('get', 'pods', '-n', home, '-l', podLabels, '--sort-by=.metadata.creationTimestamp', '-o', 'json'),
      );
      return items.filter(({ metadata }: { metadata: { deletionTimestamp?: string } }) => metadata.deletionTimestamp === undefined);
    },
    async leftovers() {
      const kinds = (await kubectl('api-resources', '--verbs=list', '-o', 'name')).trim().split('\n');
      // Events have no labels, and are not ours; metrics have no store.
      const asked = kinds.filter((kind) => !kind.startsWith('events')).join(',');
      return (await kubectl('get', asked, '--all-namespaces', '-l', labels, '-o', 'name', '--ignore-not-found'))
        .split('\n')
        .filter(Boolean);
    },
    close: () => cluster.close(),
  };
}

/** Why Pods are not what they should be. */
async function lastWords(cluster: Cluster): Promise<string> {
  const questions = [
    `get pods,events -n ${home}`,
    `logs -n ${home} -l ${podLabels} --tail=5`,
    `logs -n ${home} -l ${podLabels} --tail=5 --previous`,
  ];
  const answers = await Promise.all(questions.map((question) => cluster.kubectl(question.split(' '))));
  return answers.map(({ stdout }) => stdout).join('\n');
}

/** Nothing can be pulled there. */
const onThisNode: RawObject = { image: { repository: nodeImages.portcullis, tag: 'latest', pullPolicy: 'Never' } };

async function runHelm(node: NodeAddress, program: string, args: readonly string[]): Promise<string> {
  const { directory } = node;
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfigOf(node, 'admin'),
    HELM_CACHE_HOME: directory,
    HELM_CONFIG_HOME: directory,
    HELM_DATA_HOME: directory,
  };
  try {
    return (await run(program, args, { env })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    throw new Error(`helm ${args.join(' ')}: ${stdout}${stderr}`);
  }
}

async function withFile(values: RawObject, act: (file: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-values-'));
  try {
    const file = join(directory, 'values.json');
    writeFileSync(file, JSON.stringify(values));
    await act(file);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A namespace like the one that docs/running.md makes: it takes only Pods that meet the restricted Pod security standard. */
export async function makeHome({ kubectl, cluster }: OnNode): Promise<void> {
  await cluster.kubectl(['create', 'namespace', home]);
  await kubectl('label', '--overwrite', 'namespace', home, 'pod-security.kubernetes.io/enforce=restricted');
}

/**
 * Waits until the API server gets answers from us for writes in a strict namespace. Helm waits for Pods that are ready; they
 * take up to a second more to stand in kube-proxy's rules, and until then connections are refused.
 */
export async function untilAnswered({ cluster }: OnNode, namespace: string): Promise<void> {
  const broken = service({ name: 'probe', selector: { app: 'nobody' } });
  const ask = () => cluster.request('POST', `${addressOf('Service', namespace)}?dryRun=All`, broken);
  await until('our Pods answer', async () => (await ask()).warnings.length > 0);
}

/** A certificate of one's own in a Secret, and the values that name it. */
export async function existingCertificate({ cluster, kubectl }: OnNode): Promise<RawObject> {
  const authority = await newAuthority('somebody else');
  const { cert, key } = await newCertificate(authority, [`${home}.${home}.svc`]);
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'own-tls' },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': cert, 'tls.key': key },
  };
  await kubectl('delete', 'secret', 'own-tls', '-n', home, '--ignore-not-found');
  await create(cluster, home, secret);
  return { tls: { mode: 'existingSecret', existingSecret: 'own-tls', caBundle: authority.cert } };
}

/** Removes the release, whoever installed it, and waits until nothing of it is left. */
export async function removeRelease({ helm, leftovers }: OnNode): Promise<void> {
  await helm('helm4', 'uninstall', home, '--namespace', home, '--ignore-not-found');
  await until('nothing of the release is left', async () => (await leftovers()).length === 0, { withinMs: 60_000, everyMs: 1000 });
}
