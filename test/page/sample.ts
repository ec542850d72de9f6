/** Clusters as manifests: one with about forty findings, made of the examples; and one that is only large. */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const read = (pattern: string): readonly (readonly [string, string])[] =>
  globSync(pattern)
    .sort()
    .map((file) => [basename(file, '.yaml'), readFileSync(file, 'utf8')]);

/** Each team has the example cluster and, beside it, every broken example under the name of its file. */
const teams = ['payments', 'search', 'shop', 'storefront'];

function brokenFor(team: string): readonly string[] {
  const kinds = read('examples/broken/*.yaml').filter(([name]) => /selector|target-port|tls|node-port|two-defects/.test(name));
  return kinds.map(([name, text]) => text.replace(/^( {2}name:) .*$/m, `$1 ${name}\n  namespace: ${team}`).replace(/nodePort: \d+/, ''));
}

/** Four namespaces, of which one has no way to its DNS. Returns the directory. */
export function writeBroken(directory: string): string {
  mkdirSync(directory, { recursive: true });
  const cluster = read('examples/cluster/*.yaml');
  const once = cluster.filter(([name]) => /namespaces|coredns/.test(name));
  const each = cluster.filter(([name]) => !/namespaces|coredns|sandbox/.test(name));
  const own = teams.flatMap((team) => [
    ...each.map(([, text]) => text.replaceAll('namespace: shop', `namespace: ${team}`).replace(/nodePort: \d+/, '')),
    ...brokenFor(team),
  ]);
  const documents = [...once.map(([, text]) => text), ...own];
  const noDns = readFileSync('examples/broken/default-deny-egress.yaml', 'utf8').replace(
    'name: default-deny',
    'name: lock-down\n  namespace: legacy',
  );
  const lonely = namespaceWith('legacy', 3, '');
  writeFileSync(join(directory, 'all.yaml'), [...documents, noDns, lonely].join('\n---\n'));
  return directory;
}

/** A namespace of workloads that call each other in a row, each with its Service and, where asked for, its policy. */
function namespaceWith(namespace: string, count: number, policies: string): string {
  const names = Array.from({ length: count }, (_, index) => `app-${index}`);
  const workloads = names.map(
    (name) => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: main, image: registry.invalid/none, ports: [{ name: http, containerPort: 8080 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
spec: { selector: { app: ${name} }, ports: [{ port: 80, targetPort: http }] }`,
  );
  return [`apiVersion: v1\nkind: Namespace\nmetadata: { name: ${namespace} }`, ...workloads, ...(policies === '' ? [] : [policies])].join(
    '\n---\n',
  );
}

const policiesFor = (namespace: string, count: number): string =>
  [
    `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: default-deny, namespace: ${namespace} }
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  egress: [{ to: [{ namespaceSelector: {} }] }]`,
    ...Array.from(
      { length: count - 1 },
      (_, index) => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: to-app-${index + 1}, namespace: ${namespace} }
spec:
  podSelector: { matchLabels: { app: app-${index + 1} } }
  policyTypes: [Ingress]
  ingress: [{ from: [{ podSelector: { matchLabels: { app: app-${index} } } }], ports: [{ port: 8080 }] }]`,
    ),
  ].join('\n---\n');

/** So many workloads with a Service each in twelve namespaces, each closed but for the one before it in its row. Returns the directory. */
export function writeLarge(directory: string, workloads: number): string {
  mkdirSync(directory, { recursive: true });
  const each = Math.ceil(workloads / 12);
  for (let index = 0; index < 12; index += 1) {
    const name = `team-${index}`;
    writeFileSync(join(directory, `${name}.yaml`), namespaceWith(name, each, policiesFor(name, each)));
  }
  return directory;
}
