/**
 * Classes of load balancers whose names their implementations settle, as they are installed by default. Data, not code, read on
 * 2026-11-21 from the sources named. Others are called as their cluster's administrators like (MetalLB's by `--lb-class`), and
 * most implementations take Services without a class (clouds, MetalLB, ServiceLB of K3s).
 */
export interface LoadBalancerClass {
  readonly name: string;
  /** Who serves it. */
  readonly title: string;
  readonly source: string;
}

export const loadBalancerClasses: readonly LoadBalancerClass[] = [
  {
    name: 'service.k8s.aws/nlb',
    title: 'AWS Load Balancer Controller',
    source: 'https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/nlb/',
  },
  {
    name: 'eks.amazonaws.com/nlb',
    title: 'EKS Auto Mode',
    source: 'https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-nlb.html',
  },
  {
    name: 'networking.gke.io/l4-regional-external',
    title: 'GKE',
    source: 'https://cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters',
  },
  {
    name: 'networking.gke.io/l4-regional-internal',
    title: 'GKE',
    source: 'https://cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters',
  },
  {
    name: 'networking.gke.io/l4-regional-external-legacy',
    title: 'GKE',
    source: 'https://github.com/kubernetes/cloud-provider-gcp/tree/master/pkg/controller/service',
  },
  {
    name: 'networking.gke.io/l4-regional-internal-legacy',
    title: 'GKE',
    source: 'https://github.com/kubernetes/cloud-provider-gcp/tree/master/pkg/controller/service',
  },
  { name: 'io.cilium/bgp-control-plane', title: 'Cilium', source: 'https://docs.cilium.io/en/stable/network/lb-ipam/' },
  { name: 'io.cilium/l2-announcer', title: 'Cilium', source: 'https://docs.cilium.io/en/stable/network/lb-ipam/' },
  { name: 'kube-vip.io/kube-vip-class', title: 'kube-vip', source: 'https://kube-vip.io/docs/usage/cloud-provider/' },
  { name: 'tailscale', title: 'Tailscale', source: 'https://tailscale.com/docs/kubernetes-operator/ingress' },
];
