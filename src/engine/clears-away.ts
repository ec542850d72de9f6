/**
 * Who clears away after others. A denial would leave a namespace in Terminating, or an orphan, for ever, and nobody reads
 * a warning. The last one is all of them where the controller manager runs without `--use-service-account-credentials`
 * and its kubeconfig is kubeadm's.
 */
export const clearsAway: ReadonlySet<string> = new Set([
  ...[
    'generic-garbage-collector',
    'namespace-controller',
    'endpoint-controller',
    'endpointslice-controller',
    'endpointslicemirroring-controller',
  ].map((name) => `system:serviceaccount:kube-system:${name}`),
  'system:kube-controller-manager',
]);
