/** The files of a node: who it is, whom it trusts, and the configuration of its programs (the directory real-node/). */
import { appendFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ControlPlaneAddress, serviceRange, testFlags, writeClientFiles, writeServerFiles, writeTestFiles } from './control-plane.ts';

const sources = join(import.meta.dirname, 'real-node');
/** Where start.sh mounts the directory. */
const inside = '/run/node';
/** The Service kubernetes.default, the first address of the range. */
const firstServiceAddress = '10.96.0.1';

/** As what the programs of a node act: the node authorizer and the plugin NodeRestriction know kubelet by this name and group. */
const components = {
  kubelet: { name: 'system:node:node', groups: ['system:nodes', 'system:authenticated'] },
  'kube-proxy': { name: 'system:kube-proxy', groups: ['system:authenticated'] },
} as const;

/** Writes everything that start.sh reads into the directory of the address. */
export async function writeNodeFiles(address: ControlPlaneAddress, nodeAddress: string): Promise<void> {
  const { directory } = address;
  const file = (name: string): string => join(directory, name);
  cpSync(sources, directory, { recursive: true });
  mkdirSync(file('logs'));
  mkdirSync(file('cni'));
  cpSync(file('cni.conflist'), file('cni/pods.conflist'));
  // Without an upstream: the node reaches nothing but itself.
  writeFileSync(file('resolv.conf'), '');

  await writeServerFiles(address, [nodeAddress, firstServiceAddress]);
  writeTestFiles(directory);
  writeClientFiles(address);
  for (const [component, { name, groups }] of Object.entries(components)) {
    const token = `token-of-${component}`;
    appendFileSync(file('tokens.csv'), `${token},${name},${name},"${groups.join(',')}"\n`);
    writeFileSync(file(`${component}.kubeconfig`), JSON.stringify(kubeconfig(address, token)), { mode: 0o600 });
  }
  const flags = Object.entries(apiServerFlags(nodeAddress)).map(([name, value]) => `--${name}=${value}\n`);
  writeFileSync(file('kube-apiserver.flags'), flags.join(''));
}

function apiServerFlags(nodeAddress: string): Readonly<Record<string, string>> {
  const { 'disable-admission-plugins': _ours, ...shared } = testFlags({ directory: inside, auditLog: join(inside, 'audit.log') });
  return {
    ...shared,
    // The rest of the plugins, ServiceAccount and PodSecurity among them, is on by default.
    'enable-admission-plugins': 'NodeRestriction',
    'authorization-mode': 'Node,RBAC',
    'etcd-servers': 'http://127.0.0.1:2379',
    'bind-address': '0.0.0.0',
    'advertise-address': nodeAddress,
    'secure-port': String(apiServerPort),
    'service-cluster-ip-range': serviceRange,
    'tls-cert-file': join(inside, 'server.crt'),
    'tls-private-key-file': join(inside, 'server.key'),
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': join(inside, 'accounts.pub'),
    'service-account-signing-key-file': join(inside, 'accounts.key'),
    'allow-privileged': 'true',
    'kubelet-preferred-address-types': 'InternalIP',
  };
}

export const apiServerPort = 6443;

/** JSON is YAML. */
const kubeconfig = ({ url }: ControlPlaneAddress, token: string): unknown => ({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'node',
  contexts: [{ name: 'node', context: { cluster: 'node', user: 'node' } }],
  clusters: [{ name: 'node', cluster: { server: url, 'certificate-authority': join(inside, 'ca.crt') } }],
  users: [{ name: 'node', user: { token } }],
});
