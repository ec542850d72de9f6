/** Values with which everything is rendered that a template can render. */
export const everythingOn = {
  global: { imageRegistry: 'mirror.invalid' },
  commonLabels: { team: 'net' },
  replicaCount: 3,
  image: { repository: 'team/portcullis', digest: 'sha256:abc' },
  imagePullSecrets: [{ name: 'pull' }],
  config: {
    profile: 'strict',
    exemptions: { byAnnotation: 'permitted' },
    workloads: [{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', resource: 'rollouts' }],
  },
  webhook: {
    failurePolicy: 'Fail',
    namespaceSelector: {
      matchLabels: { judged: 'yes' },
      matchExpressions: [{ key: 'team', operator: 'Exists' }],
    },
    objectSelector: { matchExpressions: [{ key: 'unjudged', operator: 'DoesNotExist' }] },
    matchConditions: [{ name: 'not-argo', expression: "request.userInfo.username != 'argo'" }],
    annotations: { note: 'one' },
    callerNamespaces: ['tunnel'],
    clientCa: { configMap: 'client-ca', names: ['apiserver'] },
  },
  tls: { mode: 'certManager', certManager: { issuerRef: { name: 'ca', kind: 'ClusterIssuer' } } },
  metrics: {
    serviceMonitor: { enabled: true },
    podMonitor: { enabled: true },
    prometheusRule: { enabled: true },
    dashboards: { enabled: true },
  },
  networkPolicy: {
    apiServerCIDRs: ['10.0.0.0/28'],
    webhookFrom: [{ namespaceSelector: { matchLabels: { name: 'tunnel' } } }],
    metricsFrom: [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }],
    extraEgress: [{ ports: [{ port: 4317 }] }],
  },
  serviceAccount: { annotations: { role: 'reader' } },
  rbac: { secretNamespaces: ['shop', 'bank'] },
  affinity: { nodeAffinity: {} },
  tolerations: [{ operator: 'Exists' }],
  podLabels: { tier: 'edge' },
  podAnnotations: { note: 'two' },
  extraArgs: ['--drain-seconds=20'],
  extraEnv: [{ name: 'TZ', value: 'UTC' }],
  extraVolumes: [{ name: 'more', emptyDir: {} }],
  extraVolumeMounts: [{ name: 'more', mountPath: '/more' }],
  extraObjects: [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'extra',
        labels: { 'app.kubernetes.io/name': 'portcullis', 'app.kubernetes.io/instance': '{{ .Release.Name }}' },
      },
    },
  ],
};
