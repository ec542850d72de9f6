/** The review that is measured: an UPDATE of a Service by server-side apply, about 3.4 kB, as the API server sends it. */

const managedFields = [
  {
    manager: 'kubectl-client-side-apply',
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-11-20T10:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:metadata': { 'f:annotations': { '.': {}, 'f:kubectl.kubernetes.io/last-applied-configuration': {} }, 'f:labels': { 'f:app': {} } },
      'f:spec': {
        'f:internalTrafficPolicy': {},
        'f:ports': {
          '.': {},
          'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {}, 'f:protocol': {}, 'f:targetPort': {} },
          'k:{"port":9100,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {}, 'f:protocol': {}, 'f:targetPort': {} },
        },
        'f:selector': {},
        'f:sessionAffinity': {},
        'f:type': {},
      },
    },
  },
];

const service = (resourceVersion: string, team: string) => ({
  kind: 'Service',
  apiVersion: 'v1',
  metadata: {
    name: 'app-7',
    namespace: 'team-3',
    uid: '5a1f0f0e-58a7-4d2c-9f0a-0c7f7a8f6c11',
    resourceVersion,
    creationTimestamp: '2026-11-20T10:00:00Z',
    labels: { app: 'app-7', team },
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration':
        '{"apiVersion":"v1","kind":"Service","metadata":{"labels":{"app":"app-7"},"name":"app-7","namespace":"team-3"},"spec":{"ports":[{"name":"http","port":80,"targetPort":"http"},{"name":"metrics","port":9100,"targetPort":9100}],"selector":{"app":"app-7"}}}\n',
    },
    managedFields,
  },
  spec: {
    ports: [
      { name: 'http', protocol: 'TCP', port: 80, targetPort: 'http' },
      { name: 'metrics', protocol: 'TCP', port: 9100, targetPort: 9100 },
    ],
    selector: { app: 'app-7' },
    clusterIP: '10.96.14.7',
    clusterIPs: ['10.96.14.7'],
    type: 'ClusterIP',
    sessionAffinity: 'None',
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    internalTrafficPolicy: 'Cluster',
  },
  status: { loadBalancer: {} },
});

export const review: string = JSON.stringify({
  kind: 'AdmissionReview',
  apiVersion: 'admission.k8s.io/v1',
  request: {
    uid: '0d4cbd2b-6f52-4b61-9f56-6f2f9a4c0d1e',
    kind: { group: '', version: 'v1', kind: 'Service' },
    resource: { group: '', version: 'v1', resource: 'services' },
    requestKind: { group: '', version: 'v1', kind: 'Service' },
    requestResource: { group: '', version: 'v1', resource: 'services' },
    name: 'app-7',
    namespace: 'team-3',
    operation: 'UPDATE',
    userInfo: { username: 'alice', groups: ['developers', 'system:authenticated'] },
    object: service('4712', 'red'),
    oldObject: service('4711', 'blue'),
    dryRun: false,
    options: { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-client-side-apply' },
  },
});
