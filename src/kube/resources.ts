/**
 * Kubernetes objects as rules read them: slim, read-only, defaulted as the API server would, and shaped like the
 * originals, so that a field path of one is a field path of the other. `normalize` makes them.
 */

/** Keys are whatever people write, `__proto__` and `constructor` included: always made by `labelsOf`, without prototype. */
export type Labels = Readonly<Record<string, string>>;

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

/** A parsed object of unknown shape, as it comes from a file, a watch or an AdmissionReview. */
export type RawObject = Readonly<Record<string, unknown>>;

export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for what has no namespace. */
  readonly namespace: string;
  readonly name: string;
}

export interface ObjectMeta {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly deletionTimestamp?: string;
  /** Of what rules judge, where an API server keeps it. Both moments in epoch milliseconds, by its clock; no change is one of the status. */
  readonly uid?: string;
  readonly createdMs?: number;
  readonly changedMs?: number;
  /** The controller that made the object and keeps it, as `Kind/name`. */
  readonly owner?: string;
}

interface Base<ApiVersion extends string, K extends string> {
  readonly apiVersion: ApiVersion;
  readonly kind: K;
  readonly metadata: ObjectMeta;
}

export interface ServicePort {
  readonly name?: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly targetPort: number | string;
  /** Absent while none is allocated; the API server writes 0 for that (rules.md D.2, 24). */
  readonly nodePort?: number;
  /** True if the writer named the nodePort, false if the API server chose it (only a named one stands in managedFields). */
  readonly nodePortNamed?: boolean;
  /** The managers that claim a nodePort, also one that a change of type has taken away. */
  readonly nodePortOwners?: string;
  readonly appProtocol?: string;
}

export interface Service extends Base<'v1', 'Service'> {
  readonly spec: {
    readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
    readonly selector: Labels;
    readonly ports: readonly ServicePort[];
    readonly clusterIPs: readonly string[];
    readonly externalName?: string;
    readonly publishNotReadyAddresses: boolean;
    /** Absent where there are none, and where a policy is `Cluster`, the default of both. */
    readonly externalIPs?: readonly string[];
    readonly internalTrafficPolicy?: 'Local';
    readonly externalTrafficPolicy?: 'Local';
    readonly loadBalancerClass?: string;
  };
  /** Absent until a controller has given an address. */
  readonly status?: { readonly loadBalancer: { readonly ingress: readonly { readonly ip?: string }[] } };
}

export interface IngressBackend {
  readonly service?: { readonly name: string; readonly port: { readonly name?: string; readonly number?: number } };
  readonly resource?: { readonly kind: string; readonly name: string };
}

export interface Ingress extends Base<'networking.k8s.io/v1', 'Ingress'> {
  readonly spec: {
    readonly ingressClassName?: string;
    readonly defaultBackend?: IngressBackend;
    readonly tls: readonly { readonly hosts: readonly string[]; readonly secretName?: string }[];
    readonly rules: readonly {
      readonly host?: string;
      readonly http?: {
        readonly paths: readonly { readonly path?: string; readonly pathType: string; readonly backend: IngressBackend }[];
      };
    }[];
  };
}

/** Which controller an Ingress is for. */
export interface IngressClass extends Base<'networking.k8s.io/v1', 'IngressClass'> {
  readonly spec: { readonly controller: string };
  /** The API server writes its name into Ingresses that are created without a class. */
  readonly isDefault: boolean;
}

export interface LabelSelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

export interface LabelSelector {
  readonly matchLabels: Labels;
  readonly matchExpressions: readonly LabelSelectorRequirement[];
}

export interface NetworkPolicyPort {
  readonly protocol: Protocol;
  readonly port?: number | string;
  readonly endPort?: number;
}

export interface NetworkPolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except: readonly string[] };
}

/** An absent and an empty list of peers or ports both mean "any" (rules.md D.4, 33); `normalize` leaves both out. */
export interface NetworkPolicyIngressRule {
  readonly from?: readonly NetworkPolicyPeer[];
  readonly ports?: readonly NetworkPolicyPort[];
}

export interface NetworkPolicyEgressRule {
  readonly to?: readonly NetworkPolicyPeer[];
  readonly ports?: readonly NetworkPolicyPort[];
}

export interface NetworkPolicy extends Base<'networking.k8s.io/v1', 'NetworkPolicy'> {
  readonly spec: {
    readonly podSelector: LabelSelector;
    readonly policyTypes: readonly string[];
    readonly ingress: readonly NetworkPolicyIngressRule[];
    readonly egress: readonly NetworkPolicyEgressRule[];
  };
}

export interface Namespace extends Base<'v1', 'Namespace'> {}

/** What is known of a Secret: that it is there, and its type and what was derived from its content, where that was read. */
export interface Secret extends Base<'v1', 'Secret'> {
  readonly type?: string;
  readonly tls?: TlsContent;
}

/** What a certificate and its key say, and nothing of their bytes: `sources/secret-content.ts` makes it, and drops them. */
export interface TlsContent {
  /** Keys of the Secret that controllers look for, and that are not there or empty. */
  readonly lacks: readonly ('tls.crt' | 'tls.key')[];
  /** The first certificate, which servers present as theirs. */
  readonly leaf?: CertificateFacts;
  /** Whether the key is that of the certificate; undefined where one of them is lacking. */
  readonly pair?: 'match' | 'differ' | 'badCertificate' | 'badKey' | 'encryptedKey';
  /** `rsa`, `ec`, `ed25519`: of the key that is there. */
  readonly keyType?: string;
  /** Where the key is that of another certificate of the chain: which one of how many, from 1. */
  readonly belongsTo?: { readonly position: number; readonly of: number };
}

export interface CertificateFacts {
  /** The DNS names for which it is, in lower case. */
  readonly names: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly keyType: string;
}

/** An object whose controller writes a Secret: cert-manager's Certificate, an ExternalSecret, a SealedSecret. */
export interface SecretSource extends Base<string, SecretSourceKind> {
  readonly secretName: string;
  /** The reason and message of a condition `Ready: False`. */
  readonly notReady?: string;
}

export type SecretSourceKind = 'Certificate' | 'ExternalSecret' | 'SealedSecret';

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol: Protocol;
  /** The port of the node that leads here; absent where none does, and for Pods on the host network, whose ports are all the node's. */
  readonly hostPort?: number;
}

/** What Pods of one kind have in common, whoever makes them. */
export interface PodShape {
  /** The labels that the Pods carry, without those that differ from Pod to Pod: see `perPodLabels`. */
  readonly labels: Labels;
  /** In the order in which Kubernetes looks for a named port: containers, then init containers that keep running. */
  readonly ports: readonly ContainerPort[];
  /** Port numbers (or names) that probes use: evidence that something listens there. */
  readonly probePorts: readonly (number | string)[];
  readonly hostNetwork: boolean;
  readonly dnsPolicy: string;
  readonly nameservers: readonly string[];
}

/**
 * Something that is, or makes, Pods: an object with a Pod template, or the Pods that exist. Pods that are alike are one
 * Workload of kind `Pod`, however many they are; `ClusterView.pods` counts and names them.
 */
export interface Workload {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly pod: PodShape;
  /** Of a template, how many Pods it asks for; of Pods, undefined. */
  readonly replicas?: number;
  /** Of a StatefulSet, the Service under whose name its Pods have names in DNS. */
  readonly serviceName?: string;
  /** What people know as the maker of the Pods, as `Kind/name`: a Deployment, not the ReplicaSet between. */
  readonly owner?: string;
}

/** One Pod as it comes from a source, before alike ones are put together. */
export interface Pod extends Workload {
  readonly kind: 'Pod';
  readonly record: PodRecord;
}

/** What differs from Pod to Pod. */
export interface PodRecord {
  /** `status.podIPs`, joined by commas to keep 100,000 of them small. */
  readonly ips: string;
  readonly ready: boolean;
  readonly terminating: boolean;
  /** On a node: without one it is no endpoint yet. */
  readonly scheduled: boolean;
  /** Values of the labels that differ from Pod to Pod. */
  readonly labels: Labels;
}

/** The objects a view holds, by collection. Templates and Pods are apart, since each may be known without the other. */
export interface Collections {
  readonly Service: Service;
  readonly Ingress: Ingress;
  readonly IngressClass: IngressClass;
  readonly NetworkPolicy: NetworkPolicy;
  readonly Namespace: Namespace;
  readonly Secret: Secret;
  readonly Certificate: SecretSource;
  readonly ExternalSecret: SecretSource;
  readonly SealedSecret: SecretSource;
  readonly Template: Workload;
  readonly Pod: Workload;
}
export type Collection = keyof Collections;

/** The kinds that rules judge. */
export interface Judged {
  readonly Service: Service;
  readonly Ingress: Ingress;
  readonly NetworkPolicy: NetworkPolicy;
}
export type Kind = keyof Judged;
/** In the order in which everything is judged. */
export const judgedKinds: readonly Kind[] = ['Ingress', 'NetworkPolicy', 'Service'];
export type JudgedResource = Judged[Kind];

export type Resource = Service | Ingress | IngressClass | NetworkPolicy | Namespace | Secret | SecretSource | Workload;

export const refOf = ({ apiVersion, kind, metadata }: Resource): ObjectRef => ({
  apiVersion,
  kind,
  namespace: metadata.namespace,
  name: metadata.name,
});

/** How people write it: `Service shop/web`, and `Namespace shop` for what has no namespace. */
export const formatRef = ({ kind, namespace, name }: ObjectRef): string => `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;

const collectionsByKind: Readonly<Record<string, Collection>> = {
  Service: 'Service',
  Ingress: 'Ingress',
  IngressClass: 'IngressClass',
  NetworkPolicy: 'NetworkPolicy',
  Namespace: 'Namespace',
  Secret: 'Secret',
  Certificate: 'Certificate',
  ExternalSecret: 'ExternalSecret',
  SealedSecret: 'SealedSecret',
  Pod: 'Pod',
};

export const collectionOf = (resource: Resource): Collection =>
  'pod' in resource && resource.kind !== 'Pod' ? 'Template' : (collectionsByKind[resource.kind] ?? 'Template');

/** Of no namespace: all of them are one short list. */
export const isClusterWide = (collection: Collection): boolean => collection === 'Namespace' || collection === 'IngressClass';

/** One Pod from a source, not yet put together with its like. */
export const isPod = (resource: Resource): resource is Pod => resource.kind === 'Pod' && 'record' in resource;

export const isJudged = (resource: Resource): resource is JudgedResource =>
  !('pod' in resource) && (resource.kind === 'Service' || resource.kind === 'Ingress' || resource.kind === 'NetworkPolicy');
