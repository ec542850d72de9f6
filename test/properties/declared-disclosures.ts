/**
 * What an answer may depend on though its reader may not read it (reliability.md B3, docs/privacy.md). The test of
 * non-interference holds everything else; what is not listed here is a leak.
 */
export interface Disclosure {
  readonly ruleId: string;
  /** Of what is not readable, all that comes through. */
  readonly discloses: string;
  readonly reason: string;
  /** `bit`: of each field that it judges, one of two things is said, whatever there is. `text`: more than that. */
  readonly extent: 'bit' | 'text';
}

export const disclosures: readonly Disclosure[] = [
  {
    ruleId: 'ingress-host-path-conflict',
    discloses: 'whether an Ingress of another namespace claims the host and path that are written',
    reason: "to let it through would hand one team's requests to another; the text names nobody",
    extent: 'bit',
  },
  {
    ruleId: 'service-external-ips',
    discloses: 'whether a Service of another namespace answers on the address that is written',
    reason: 'to let it through would draw its traffic away (CVE-2020-8554); the text names nobody, and each Pod finds out by connecting',
    extent: 'bit',
  },
  {
    ruleId: 'service-node-port-policy',
    discloses: 'which nodePorts are taken',
    reason: 'a nodePort is open on every node, and the API server refuses one that is taken: whoever may create a Service can ask it',
    extent: 'text',
  },
  {
    ruleId: 'service-external-ips',
    discloses: 'that some Service answers on an address which the writer wants for his own',
    reason: 'without it, he could take the traffic of another team (CVE-2020-8554); every Pod can ask the cluster DNS whose a clusterIP is',
    extent: 'bit',
  },
  {
    ruleId: 'dns-resolver-isolated',
    discloses: 'how many namespaces have Pods that ask the resolver, and whether one has Pods with the labels that the policy lets in',
    reason:
      "said only to who writes NetworkPolicies beside the cluster's resolver, and can take name resolution from everybody: without it, nothing would stop him",
    extent: 'text',
  },
  {
    ruleId: 'network-policy-cuts-webhook-or-apiservice',
    discloses: "whether a policy lets in the control plane's Pods that carry the API server's connections, where there are some",
    reason:
      "who serves a webhook has to let them in, and sees their addresses with each request; only a few labels of the control plane's namespaces are looked for, and the text names nobody",
    extent: 'bit',
  },
  {
    ruleId: 'network-policy-cuts-critical-system',
    discloses: "whether a policy lets Pods send to the control plane's Pods that stand for the API server, where there are some",
    reason: 'as above: every Pod finds out by asking the API server; the text names nobody',
    extent: 'bit',
  },
  {
    ruleId: 'network-policy-not-enforced',
    discloses: "whether the cluster's network plugin enforces NetworkPolicies, as far as its DaemonSet tells",
    reason:
      'who writes a policy must know that nothing enforces it, and each Pod finds out by connecting; the text names neither plugin nor place',
    extent: 'bit',
  },
  {
    ruleId: 'network-policy-cni-capability-gap',
    discloses: 'which of the fields that a policy uses what enforces policies in this cluster does not understand',
    reason:
      'who writes a policy must know what it does not do, and each Pod finds out by connecting; the text names neither plugin nor place',
    extent: 'text',
  },
];
