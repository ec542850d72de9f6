/**
 * Kubernetes objects as rules read them: slim, read-only, defaulted as the API server would, and shaped like the
 * originals, so that a field path of one is a field path of the other. `normalize` makes them.
 */
import type { NetworkPolicyEgressRule, NetworkPolicyIngressRule, PolicyOmissions } from './policy-parts.ts';
import type { TlsContent } from './tls-facts.ts';

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

export interface NetworkPolicy extends Base<'networking.k8s.io/v1', 'NetworkPolicy'> {
  /** Absent where there are none, so for all that an API server has stored. */
  readonly omits?: PolicyOmissions;
  readonly spec: {
    readonly podSelector: LabelSelector;
    readonly policyTypes: readonly string[];
    readonly ingress: readonly NetworkPolicyIngressRule[];
    readonly egress: readonly NetworkPolicyEgressRule[];
  };
}

export interface Namespace extends Base<'v1', 'Namespace'> {}

/** A Service that the API server calls, and the port of it. */
export interface CalledService {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

export interface Webhook {
  readonly name: string;
  readonly failurePolicy: 'Fail' | 'Ignore';
  /** Absent where it is called by an address. */
  readonly service?: CalledService;
  readonly rules: readonly { readonly apiGroups: readonly string[]; readonly resources: readonly string[] }[];
  readonly namespaceSelector: LabelSelector;
}

/** Whom the API server asks before it stores something. */
export interface WebhookConfiguration
  extends Base<'admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration' | 'MutatingWebhookConfiguration'> {
  readonly webhooks: readonly Webhook[];
}

/** A part of the API that somebody else serves. */
export interface ApiService extends Base<'apiregistration.k8s.io/v1', 'APIService'> {
  readonly spec: { readonly service: CalledService };
}

/** What is known of a Secret: that it is there, and its type and what was derived from its content, where that was read. */
export interface Secret extends Base<'v1', 'Secret'> {
  readonly type?: string;
  readonly tls?: TlsContent;
}

/** An object whose controller writes a Secret: cert-manager's Certificate, an ExternalSecret, a SealedSecret. */
export interface SecretSource extends Base<string, 'Certificate' | 'ExternalSecret' | 'SealedSecret'> {
  readonly secretName: string;
  /** The reason and message of a condition `Ready: False`. */
  readonly notReady?: string;
}

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
  /** Addresses of the node under which they answer DNS, of NodeLocal DNSCache (`-localip`); absent where there are none. */
  readonly localAddresses?: readonly string[];
  /** One of the two that Kubernetes has for what a cluster or a node rests on; absent for all others. */
  readonly priorityClassName?: string;
  /** Absent where it is the namespace's `default`, or where the Pods are given no token of it: they do not ask the API server. */
  readonly serviceAccountName?: string;
  /** What the containers are told to connect to, where that may be a Service: see `hostsOf`. Absent where there is nothing. */
  readonly hosts?: readonly string[];
  /** Where they ask to be scraped, by the annotations `prometheus.io/scrape` and `prometheus.io/port`. */
  readonly scrapePort?: number;
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
  /** Of a DaemonSet, the images of its containers that keep running, as they are written: by these network plugins are told. */
  readonly images?: readonly string[];
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
  readonly ValidatingWebhookConfiguration: WebhookConfiguration;
  readonly MutatingWebhookConfiguration: WebhookConfiguration;
  readonly APIService: ApiService;
  readonly Template: Workload;
  readonly Pod: Workload;
}
export type Collection = keyof Collections;

/** The kinds that rules judge. */
export type Judged = Pick<Collections, 'Service' | 'Ingress' | 'NetworkPolicy'>;
export type Kind = keyof Judged;
/** In the order in which everything is judged. */
export const judgedKinds: readonly Kind[] = ['Ingress', 'NetworkPolicy', 'Service'];
export type JudgedResource = Judged[Kind];

export type Resource = Collections[Collection];

export const refOf = ({ apiVersion, kind, metadata }: Resource): ObjectRef => ({
  apiVersion,
  kind,
  namespace: metadata.namespace,
  name: metadata.name,
});

/** How people write it: `Service shop/web`, and `Namespace shop` for what has no namespace. */
export const formatRef = ({ kind, namespace, name }: ObjectRef): string => `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;
