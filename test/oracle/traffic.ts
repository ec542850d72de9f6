/**
 * May one Pod reach another, by the text of the NetworkPolicy API documentation
 * (kubernetes.io/docs/concepts/services-networking/network-policies and the field comments of networking/v1 types.go),
 * on raw objects and without any cleverness. What the documentation leaves to the network plugin is read twice: once as
 * strictly, once as generously as possible; where both readings agree, that is the answer.
 */
import ipaddr from 'ipaddr.js';

export interface RawSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}

interface RawPeer {
  readonly podSelector?: RawSelector;
  readonly namespaceSelector?: RawSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

interface RawPort {
  readonly protocol?: string;
  readonly port?: number | string;
  readonly endPort?: number;
}

export interface RawPolicy {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: {
    readonly podSelector: RawSelector;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly { readonly from?: readonly RawPeer[]; readonly ports?: readonly RawPort[] }[];
    readonly egress?: readonly { readonly to?: readonly RawPeer[]; readonly ports?: readonly RawPort[] }[];
  };
}

export interface OraclePod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined: not known. */
  readonly ips: readonly string[] | undefined;
  readonly hostNetwork: boolean;
  readonly ports: readonly { readonly name?: string; readonly containerPort: number; readonly protocol: string }[];
}

export interface OracleWorld {
  readonly namespaces: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[];
  readonly policies: readonly RawPolicy[];
}

export interface OracleConnection {
  readonly from: OraclePod;
  readonly to: OraclePod;
  readonly protocol: string;
  readonly port: number;
  /** Addresses of Services that lead to the destination; undefined: not known. */
  readonly serviceAddresses: readonly string[] | undefined;
}

export function oracleAnswer(world: OracleWorld, connection: OracleConnection): 'allowed' | 'denied' | 'depends' {
  const strictly = isAllowed(world, connection, false);
  const generously = isAllowed(world, connection, true);
  if (strictly === generously) return strictly ? 'allowed' : 'denied';
  return 'depends';
}

function isAllowed(world: OracleWorld, connection: OracleConnection, generous: boolean): boolean {
  // "For a connection from a source pod to a destination pod to be allowed, both the egress policy on the source pod and
  // the ingress policy on the destination pod need to allow the connection."
  return egressAllows(world, connection, generous) && ingressAllows(world, connection, generous);
}

function egressAllows(world: OracleWorld, connection: OracleConnection, generous: boolean): boolean {
  // "NetworkPolicy behaviour for hostNetwork pods is undefined": policies may bind them, or not.
  if (generous && connection.from.hostNetwork) return true;
  // "A Pod cannot block access to itself."
  if (generous && isSamePod(connection.from, connection.to)) return true;
  const isolating: RawPolicy[] = [];
  for (const policy of world.policies) {
    if (policy.metadata.namespace !== connection.from.namespace) continue;
    if (!fits(policy.spec.podSelector, connection.from.labels)) continue;
    if (typesOf(policy).includes('Egress')) isolating.push(policy);
  }
  // "By default, a pod is non-isolated for egress; all outbound connections are allowed."
  if (isolating.length === 0) return true;
  for (const policy of isolating)
    for (const rule of policy.spec.egress ?? []) {
      const addresses =
        connection.to.ips === undefined || connection.serviceAddresses === undefined
          ? undefined
          : [...connection.to.ips, ...connection.serviceAddresses];
      if (peersAllow(world, policy, rule.to, connection.to, addresses, generous) && portsAllow(rule.ports, connection)) return true;
    }
  return false;
}

function ingressAllows(world: OracleWorld, connection: OracleConnection, generous: boolean): boolean {
  if (generous && connection.to.hostNetwork) return true;
  if (generous && isSamePod(connection.from, connection.to)) return true;
  // "The traffic to and from the node where a Pod is running is always allowed": a hostNetwork Pod may be on that node.
  if (generous && connection.from.hostNetwork) return true;
  const isolating: RawPolicy[] = [];
  for (const policy of world.policies) {
    if (policy.metadata.namespace !== connection.to.namespace) continue;
    if (!fits(policy.spec.podSelector, connection.to.labels)) continue;
    if (typesOf(policy).includes('Ingress')) isolating.push(policy);
  }
  if (isolating.length === 0) return true;
  for (const policy of isolating)
    for (const rule of policy.spec.ingress ?? [])
      if (peersAllow(world, policy, rule.from, connection.from, connection.from.ips, generous) && portsAllow(rule.ports, connection))
        return true;
  return false;
}

const isSamePod = (a: OraclePod, b: OraclePod): boolean => a.namespace === b.namespace && a.name === b.name;

/** "If this field is not specified, it will default based on the existence of ingress or egress rules": types.go, PolicyTypes. */
function typesOf({ spec }: RawPolicy): readonly string[] {
  if (spec.policyTypes !== undefined && spec.policyTypes.length > 0) return spec.policyTypes;
  return spec.egress !== undefined && spec.egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
}

/** "If this field is empty or missing, this rule matches all sources." "Items in this list are combined using a logical OR." */
function peersAllow(
  world: OracleWorld,
  policy: RawPolicy,
  peers: readonly RawPeer[] | undefined,
  pod: OraclePod,
  addresses: readonly string[] | undefined,
  generous: boolean,
): boolean {
  if (peers === undefined || peers.length === 0) return true;
  for (const peer of peers) if (peerAllows(world, policy, peer, pod, addresses, generous)) return true;
  return false;
}

function peerAllows(
  world: OracleWorld,
  policy: RawPolicy,
  peer: RawPeer,
  pod: OraclePod,
  addresses: readonly string[] | undefined,
  generous: boolean,
): boolean {
  if (peer.ipBlock !== undefined) {
    // "These should be cluster-external IPs": whether one counts that is a Pod's is the plugin's affair.
    if (!generous) return false;
    if (addresses === undefined) return true;
    for (const address of addresses) if (blockHolds(peer.ipBlock, address)) return true;
    return false;
  }
  // A hostNetwork Pod's packets carry the node's address: whether a selector sees the Pod in them is the plugin's affair.
  if (pod.hostNetwork && !generous) return false;
  if (peer.namespaceSelector === undefined) {
    // "... selects the Pods matching podSelector in the policy's own namespace."
    if (pod.namespace !== policy.metadata.namespace) return false;
  } else {
    const namespace = world.namespaces.find(({ name }) => name === pod.namespace);
    if (namespace === undefined) return false;
    if (!fits(peer.namespaceSelector, { ...namespace.labels, 'kubernetes.io/metadata.name': namespace.name })) return false;
  }
  return peer.podSelector === undefined || fits(peer.podSelector, pod.labels);
}

function blockHolds({ cidr, except = [] }: { readonly cidr: string; readonly except?: readonly string[] }, address: string): boolean {
  if (!inBlock(cidr, address)) return false;
  for (const one of except) if (inBlock(one, address)) return false;
  return true;
}

function inBlock(cidr: string, address: string): boolean {
  const parsed = ipaddr.parse(address);
  const [base, length] = ipaddr.parseCIDR(cidr);
  return parsed.kind() === base.kind() && parsed.match(base as ipaddr.IPv4, length);
}

/** "If this field is empty or missing, this rule matches all ports." */
function portsAllow(ports: readonly RawPort[] | undefined, connection: OracleConnection): boolean {
  if (ports === undefined || ports.length === 0) return true;
  for (const port of ports) {
    // "If not specified, this field defaults to TCP."
    if ((port.protocol ?? 'TCP') !== connection.protocol) continue;
    // "If this field is not provided, this matches all port names and numbers."
    if (port.port === undefined) return true;
    if (typeof port.port === 'string') {
      // "a numerical or named port on a pod": the one that receives.
      for (const declared of connection.to.ports)
        if (declared.name === port.port && declared.protocol === connection.protocol && declared.containerPort === connection.port)
          return true;
      continue;
    }
    // "endPort indicates that the range of ports from port to endPort if set, inclusive, should be allowed."
    if (port.endPort === undefined ? connection.port === port.port : connection.port >= port.port && connection.port <= port.endPort)
      return true;
  }
  return false;
}

/** meta/v1 LabelSelector: "The result of matchLabels and matchExpressions are ANDed. An empty label selector matches all objects." */
function fits(selector: RawSelector, labels: Readonly<Record<string, string>>): boolean {
  const has = (key: string): boolean => Object.hasOwn(labels, key);
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (!has(key) || labels[key] !== value) return false;
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (operator === 'In' && !(has(key) && values.includes(labels[key] as string))) return false;
    if (operator === 'NotIn' && has(key) && values.includes(labels[key] as string)) return false;
    if (operator === 'Exists' && !has(key)) return false;
    if (operator === 'DoesNotExist' && has(key)) return false;
  }
  return true;
}
