/**
 * Network plugins, and what else enforces NetworkPolicies: how each is told by its DaemonSets, and what it leaves undone. Data, not
 * code, read on 2026-11-21 from the sources named. The API server stores a policy whether or not somebody enforces it, and has no
 * status that would tell.
 */

/** What a policy may ask for that not everybody can do. */
export type Capability = 'endPort' | 'namedPort' | 'SCTP' | 'manyPorts';

/** Something that an enforcer does not do. */
export interface Gap {
  readonly capability: Capability;
  /** What comes of it, after who it is: a verb and the rest of a sentence, without a full stop. Names nobody, as not everybody may know. */
  readonly effect: string;
  /** What that means for the policy: a sentence. */
  readonly why: string;
  /** What to do instead. */
  readonly fix: string;
  /** It does it from this version on. An image whose tag is no such version has not got the gap for certain. */
  readonly until?: Version;
  /** It does it where this is set, which is not seen in the cluster: told with its name. */
  readonly unless?: string;
  /** So many ports of one protocol it takes in one rule. */
  readonly limit?: number;
  readonly source: string;
}

export interface Version {
  readonly major: number;
  readonly minor: number;
}

/** Enforces policies. */
export interface Enforcer {
  readonly title: string;
  /**
   * What stands in the name, the labels or the images of its DaemonSets. Wide on purpose: one that only looks like it keeps a rule
   * silent, and one that looks like nothing would make it wrong.
   */
  readonly words: readonly string[];
  /** The last part of the name of the image that tells its version. */
  readonly image?: string;
  readonly gaps?: readonly Gap[];
  readonly source: string;
}

/** Connects Pods, and enforces nothing by itself. */
export interface Bystander {
  readonly title: string;
  /** Each of its containers has an image whose name ends like one of these: a further one may be an enforcer. */
  readonly images: readonly string[];
  readonly source: string;
}

export const enforcers: readonly Enforcer[] = [
  {
    title: 'Calico',
    // Canal is Calico's enforcement beside Flannel.
    words: ['calico', 'canal', 'tigera'],
    source: 'https://docs.tigera.io/calico/latest/network-policy/get-started/kubernetes-policy/kubernetes-network-policy',
  },
  {
    title: 'Cilium',
    // `anetd` is that of GKE's Dataplane V2.
    words: ['cilium', 'anetd'],
    image: 'cilium',
    gaps: [
      {
        capability: 'endPort',
        effect: 'opens, in its version here, at most the first port of a range',
        why: 'Connections to the other ports of the range time out.',
        fix: 'name each port in an entry of its own, or have the network plugin updated',
        until: { major: 1, minor: 16 },
        source: 'https://github.com/cilium/cilium/issues/28684',
      },
      {
        capability: 'SCTP',
        effect: 'knows no SCTP unless that was switched on',
        why: 'Without it, associations that the policy means to allow time out.',
        fix: 'see whether SCTP is switched on where the network plugin is set up',
        unless: 'sctp.enabled',
        source: 'https://docs.cilium.io/en/stable/configuration/sctp/',
      },
    ],
    source: 'https://docs.cilium.io/en/stable/network/kubernetes/policy/',
  },
  {
    title: 'OVN-Kubernetes',
    words: ['ovnkube', 'ovn-kube'],
    gaps: [
      {
        capability: 'namedPort',
        effect: 'takes a name for any port of its protocol',
        why: 'The policy opens all of them, not the one that it names.',
        fix: 'name the port by its number',
        source: 'https://github.com/ovn-kubernetes/ovn-kubernetes/issues/2117',
      },
    ],
    source: 'https://github.com/ovn-kubernetes/ovn-kubernetes/blob/master/go-controller/pkg/ovn/gress_policy.go',
  },
  {
    title: 'the AWS network policy agent',
    // Beside `amazon-k8s-cni` in the DaemonSet aws-node; whether it is switched on is for its arguments to say.
    words: ['aws-network-policy', 'aws-eks-nodeagent'],
    gaps: [
      {
        capability: 'manyPorts',
        effect: 'takes no more than 24 of one protocol',
        why: 'Which of the others are open is told nowhere.',
        fix: 'join ports into ranges by endPort, which count once, or spread them over policies with other peers',
        limit: 24,
        source: 'https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html',
      },
    ],
    source: 'https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html',
  },
  {
    title: 'Weave Net',
    words: ['weave-net', 'weave-npc', 'weave-kube'],
    image: 'weave-npc',
    gaps: [
      {
        capability: 'namedPort',
        effect: 'ends with an error at a policy with a named port, on every node',
        why: 'While such a policy is there, neither it nor later ones are put into effect.',
        fix: 'name the port by its number',
        // 2.8.1 is the last version of its first authors.
        until: { major: 2, minor: 9 },
        source: 'https://github.com/weaveworks/weave/issues/3785',
      },
    ],
    source: 'https://kubernetes.io/docs/tasks/administer-cluster/network-policy-provider/weave-network-policy/',
  },
  { title: 'Antrea', words: ['antrea'], source: 'https://antrea.io/docs/main/docs/antrea-network-policy/' },
  { title: 'kube-router', words: ['kube-router'], source: 'https://www.kube-router.io/docs/how-it-works/' },
  {
    title: 'kube-network-policies',
    // Also as a container beside Flannel's: chart value netpol.enabled, and Talos Linux' kubeNetworkPoliciesEnabled.
    words: ['kube-network-policies', 'netpol'],
    source: 'https://github.com/flannel-io/flannel/blob/master/Documentation/netpol.md',
  },
  // In kind since its version 0.24; an older one is taken for one that enforces.
  { title: 'kindnet', words: ['kindnet'], source: 'https://kindnet.es/docs/user/network-policies' },
  { title: 'Azure NPM', words: ['azure-npm'], source: 'https://learn.microsoft.com/azure/aks/use-network-policies' },
  { title: 'Kube-OVN', words: ['kube-ovn'], source: 'https://kubeovn.github.io/docs/v1.16.x/en/guide/multi-network-policy' },
  {
    title: 'OpenShift SDN',
    words: ['sdn'],
    source: 'https://docs.openshift.com/container-platform/4.5/networking/network_policy/about-network-policy.html',
  },
  { title: 'Terway', words: ['terway'], source: 'https://github.com/AliyunContainerService/terway' },
  { title: 'Romana', words: ['romana'], source: 'https://kubernetes.io/docs/tasks/administer-cluster/network-policy-provider/' },
  { title: 'VMware NSX', words: ['nsx'], source: 'https://kubernetes.io/docs/concepts/cluster-administration/addons/' },
  {
    title: 'Tungsten Fabric',
    words: ['contrail', 'tungsten', 'vrouter'],
    source: 'https://kubernetes.io/docs/concepts/cluster-administration/addons/',
  },
];

export const bystanders: readonly Bystander[] = [
  {
    title: 'Flannel',
    images: ['flannel'],
    source: 'https://github.com/flannel-io/flannel/blob/master/README.md',
  },
  {
    title: 'the Amazon VPC CNI plugin without its network policy agent',
    images: ['amazon-k8s-cni'],
    source: 'https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html',
  },
  {
    title: 'Azure CNI without a network policy engine',
    images: ['azure-cns'],
    source: 'https://learn.microsoft.com/dotnet/api/azure.provisioning.containerservice.containerservicenetworkpolicy',
  },
];
