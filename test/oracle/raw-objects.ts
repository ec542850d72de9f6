/** Kubernetes objects as they stand in YAML, nothing filled in: what the oracle reads. Every list and field may be absent or null. */
export type Protocol = 'TCP' | 'UDP' | 'SCTP';

type Maybe<T> = T | null | undefined;

export interface RawRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: Maybe<readonly string[]>;
}

export interface RawSelector {
  readonly matchLabels?: Maybe<Readonly<Record<string, string>>>;
  readonly matchExpressions?: Maybe<readonly RawRequirement[]>;
}

export interface RawPeer {
  readonly podSelector?: Maybe<RawSelector>;
  readonly namespaceSelector?: Maybe<RawSelector>;
  readonly ipBlock?: Maybe<RawIpBlock>;
}

export interface RawIpBlock {
  readonly cidr: string;
  readonly except?: Maybe<readonly string[]>;
}

export interface RawPolicyPort {
  readonly protocol?: Maybe<Protocol>;
  readonly port?: Maybe<number | string>;
  readonly endPort?: Maybe<number>;
}

/** Ingress rules have `from`, egress rules `to`. */
export interface RawRule {
  readonly from?: Maybe<readonly RawPeer[]>;
  readonly to?: Maybe<readonly RawPeer[]>;
  readonly ports?: Maybe<readonly RawPolicyPort[]>;
}

export interface RawPolicy {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec?: Maybe<{
    readonly podSelector?: Maybe<RawSelector>;
    readonly policyTypes?: Maybe<readonly string[]>;
    readonly ingress?: Maybe<readonly RawRule[]>;
    readonly egress?: Maybe<readonly RawRule[]>;
  }>;
}

export interface RawContainerPort {
  readonly name?: Maybe<string>;
  readonly containerPort: number;
  readonly protocol?: Maybe<Protocol>;
}

export interface RawContainer {
  readonly ports?: Maybe<readonly RawContainerPort[]>;
  /** `Always` makes a sidecar of an init container. */
  readonly restartPolicy?: Maybe<string>;
}

export interface RawPod {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly labels?: Maybe<Readonly<Record<string, string>>> };
  readonly spec?: Maybe<{
    readonly nodeName?: Maybe<string>;
    readonly hostNetwork?: Maybe<boolean>;
    readonly containers?: Maybe<readonly RawContainer[]>;
    readonly initContainers?: Maybe<readonly RawContainer[]>;
  }>;
  readonly status?: Maybe<{ readonly podIP?: Maybe<string>; readonly podIPs?: Maybe<readonly { readonly ip: string }[]> }>;
}

export interface RawNamespace {
  readonly metadata: { readonly name: string; readonly labels?: Maybe<Readonly<Record<string, string>>> };
}

export interface RawWorld {
  readonly namespaces: readonly RawNamespace[];
  readonly pods: readonly RawPod[];
  readonly policies: readonly RawPolicy[];
}
