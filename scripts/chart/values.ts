/**
 * The chart's values. This one schema gives charts/portcullis its values.yaml (defaults and comments), its
 * values.schema.json and the table of its README, so that a key has one name, one default and one meaning. Below `config`
 * stands the configuration file as it is, with the schema by which the process reads it.
 */
import { z } from 'zod';
import { configurationJsonSchema } from '../../src/config/json-schema.ts';
import { apiVersion } from '../../src/config/schema.ts';
import { severities } from '../../src/engine/finding.ts';
import { isObject, objectAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';

/** A type of Kubernetes: the API server knows its fields, and a newer one knows more. */
const kubernetes = () => z.looseObject({});
const listOf = (what: string) => z.array(kubernetes()).default([]).describe(what);
const words = z.record(z.string(), z.string()).default({});
const text = z.string().default('');
const port = z.int().min(1).max(65535);
/** A name as Kubernetes takes it for a namespace; that of a Service has to begin with a letter. */
const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const orEmpty = (pattern: RegExp) =>
  z
    .string()
    .regex(new RegExp(`^$|${pattern.source}`))
    .default('');
const namespaces = z.array(z.string().regex(dnsLabel)).default([]);
const cidrs = z.array(z.string().min(1)).default([]);

const image = z
  .strictObject({
    registry: text.describe('Where to pull it from; `global.imageRegistry` outweighs it'),
    repository: z.string().min(1).default('portcullis').describe('Its name there'),
    tag: text.describe("Empty: the chart's appVersion"),
    digest: text.describe('`sha256:…`; outweighs the tag'),
    pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent').describe('When nodes pull it'),
  })
  .prefault({})
  .describe('The one image of this chart');

const clientCa = z
  .strictObject({
    configMap: text.describe('A ConfigMap of this namespace with the authorities, as PEM. Empty: no certificate is asked for'),
    key: z.string().min(1).default('ca.crt').describe('Its key'),
    names: z.array(z.string().min(1)).default([]).describe('Names that the certificate may have. Empty: any'),
  })
  .prefault({})
  .describe('Ask the API server for a client certificate, which needs its --admission-control-config-file');

const webhook = z
  .strictObject({
    port: port
      .default(10250)
      .describe('Where the container listens. Private clusters of some clouds open 443 and 10250 only towards nodes'),
    failurePolicy: z
      .enum(['Ignore', 'Fail'])
      .default('Ignore')
      .describe(
        'What becomes of a write while nobody answers. Concerns `validate.portcullis.dev` alone: the other two entries always ignore',
      ),
    allowFewReplicas: z.boolean().default(false).describe('Let failurePolicy Fail pass with less than 3 replicas'),
    timeoutSeconds: z.int().min(1).max(30).default(3).describe('How long the API server waits for an answer, and a write at most for us'),
    excludeNamespaces: namespaces.describe(
      'More namespaces whose writes never wait for us, beside our own, kube-system, kube-public, kube-node-lease and `config.protectedNamespaces`, which always are such. If those leave kube-system out, nothing judges it',
    ),
    namespaceSelector: kubernetes().default({}).describe('Which namespaces are judged, in addition. Not for the protected ones'),
    objectSelector: kubernetes().default({}).describe('Which objects are judged. Who may set their labels may slip away'),
    matchConditions: z
      .array(z.strictObject({ name: z.string().min(1), expression: z.string().min(1) }))
      .default([])
      .describe('More conditions in CEL, beside ours (not the API server, not a node, not break-glass)'),
    annotations: words.describe('Of the ValidatingWebhookConfiguration'),
    callerNamespaces: namespaces.describe('Namespaces whose Pods may call, beside our own and the protected ones'),
    anyCaller: z.boolean().default(false).describe('Let every Pod call that reaches the port'),
    clientCa,
  })
  .prefault({})
  .describe('How the API server asks us');

const tls = z
  .strictObject({
    mode: z
      .enum(['auto', 'certManager', 'existingSecret'])
      .default('auto')
      .describe('`auto`: an authority of our own, made and renewed by the process; `certManager`: a Certificate; `existingSecret`: yours'),
    certManager: z
      .strictObject({
        issuerRef: kubernetes().default({}).describe('name, kind and group of the Issuer'),
        duration: z.string().min(1).default('2160h').describe('How long a certificate lasts; cert-manager renews it at two thirds'),
      })
      .prefault({})
      .describe('For mode certManager'),
    existingSecret: text.describe('A Secret of type kubernetes.io/tls for <service>.<namespace>.svc; read again when it changes'),
    caBundle: text.describe("Its authority, as PEM (--set-file); empty: somebody else writes the configuration's caBundle"),
  })
  .prefault({})
  .describe('The certificate that the API server sees');

const monitor = (what: string) =>
  z
    .strictObject({
      enabled: z.boolean().default(false).describe(`Make a ${what} (needs the Prometheus operator)`),
      labels: words.describe('By which Prometheus finds it'),
      interval: z.string().min(1).default('30s').describe('How often to scrape'),
      scrapeTimeout: z.string().min(1).default('10s').describe('How long a scrape may take'),
    })
    .prefault({})
    .describe(`A ${what}`);

const metrics = z
  .strictObject({
    serviceMonitor: monitor('ServiceMonitor'),
    podMonitor: monitor('PodMonitor'),
    prometheusRule: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Make a PrometheusRule (needs the Prometheus operator)'),
        labels: words.describe('By which Prometheus finds it, and of each alert'),
      })
      .prefault({})
      .describe('The alerts'),
    dashboards: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Make a ConfigMap for each Grafana dashboard'),
        labels: words.default({ grafana_dashboard: '1' }).describe("By which Grafana's sidecar finds them"),
      })
      .prefault({})
      .describe('The Grafana dashboards'),
    namespaceLabel: z
      .boolean()
      .default(false)
      .describe('Count open findings by namespace too, for those with the most (docs/monitoring.md)'),
  })
  .prefault({})
  .describe('Prometheus and Grafana; `/metrics` itself is always there, on healthPort');

const reports = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Write a report beside each object of which there is something to tell'),
    format: z
      .enum(['auto', 'openreports', 'policyreport', 'both'])
      .default('auto')
      .describe(
        '`openreports` (openreports.io/v1alpha1), `policyreport` (wgpolicyk8s.io/v1alpha2) or `both`; `auto`: the first of them that is served',
      ),
    maxResultsPerObject: z.int().min(1).max(500).default(50).describe('Results of one report, beside the one that counts the rest'),
    limit: z.int().min(1).max(1_000_000).default(20_000).describe('How many reports there may be: about 2 kB each in etcd'),
    intervalSeconds: z
      .int()
      .min(10)
      .max(86_400)
      .default(600)
      .describe(
        'How often the audit judges everything stored again, beside what changes. It governs Events and metrics too, also where no reports are written',
      ),
  })
  .prefault({})
  .describe(
    'What the audit finds, as objects that other tools read. Needs the CRDs of one of the two APIs, which are not part of this chart',
  );

const events = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Write an Event for each new finding that would be warned about or denied'),
    minSeverity: z.enum(severities).default('medium').describe('The mildest finding of which an Event tells'),
  })
  .prefault({})
  .describe('What the audit finds, as `kubectl describe` shows it');

const networkPolicy = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Limit who reaches our Pods, and whom they reach'),
    apiServerCIDRs: cidrs.describe('From where the API servers call, which no selector can say. Empty: from everywhere'),
    webhookFrom: listOf('More peers that may call, beside apiServerCIDRs, as the Pods of konnectivity'),
    metricsFrom: listOf('Peers that may read health and metrics. Empty: everybody'),
    apiServerPorts: z
      .array(port)
      .min(1)
      .default([443, 6443])
      .describe(
        'The ports of the API server: that of its Service, and the one behind it, which counts for many networks (6443; elsewhere 8443, 16443 …). Beside them only DNS is reached',
      ),
    extraEgress: listOf('More egress rules'),
  })
  .prefault({})
  .describe('A NetworkPolicy for our own Pods');

const serviceAccount = z
  .strictObject({
    create: z.boolean().default(true).describe('Make one'),
    name: text.describe('Its name; required where none is made'),
    annotations: words.describe('Its annotations'),
  })
  .prefault({})
  .describe('As whom the Pods ask the API server');

const rbac = z
  .strictObject({
    create: z.boolean().default(true).describe('Make the roles, with exactly what the rules need that `config` leaves on'),
    secretNamespaces: namespaces.describe(
      'Where Secrets may be read by name. Empty: everywhere. Without use at `config.secrets.level: off`',
    ),
  })
  .prefault({})
  .describe('Rights');

const podDisruptionBudget = z
  .strictObject({
    enabled: z
      .union([z.literal('auto'), z.boolean()])
      .default('auto')
      .describe('`auto`: with two replicas or more'),
    minAvailable: z.int().min(1).default(1).describe('How many Pods a drain leaves'),
  })
  .prefault({})
  .describe('Nodes are drained one replica at a time');

const spread = (topologyKey: string) => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable: 'ScheduleAnyway',
  matchLabelKeys: ['pod-template-hash'],
});

const podSecurity = { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: { type: 'RuntimeDefault' } };
const containerSecurity = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
const resources = { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } };

/** Every key that the chart understands; what is not here is refused. */
const valuesSchema = z.strictObject({
  enabled: z.boolean().optional().describe('For a parent chart, as the condition of its dependency; has no effect here'),
  global: z
    .looseObject({ imageRegistry: text.describe('A registry for the images of all charts of a release') })
    .prefault({})
    .describe('Shared with a parent chart'),
  nameOverride: orEmpty(dnsLabel).describe("In place of the chart's name within the names of objects"),
  fullnameOverride: orEmpty(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/).describe('In place of the names of objects'),
  namespaceOverride: orEmpty(dnsLabel).describe("In place of the release's namespace"),
  clusterDomain: z.string().min(1).default('cluster.local').describe('The DNS domain of the cluster, for the names in the certificate'),
  commonLabels: words.describe('More labels for every object'),
  replicaCount: z.int().min(1).default(2).describe('How many Pods answer; at least 3 for failurePolicy Fail'),
  image,
  imagePullSecrets: listOf('Secrets for a registry that asks who pulls: `- name: …`'),
  config: kubernetes()
    .default({ apiVersion, profile: 'guided' })
    .describe('The configuration file as it is (docs/configuration.md); a change takes effect without a restart'),
  webhook,
  tls,
  logging: z
    .strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('The least that is logged') })
    .prefault({})
    .describe('JSON lines on standard output'),
  healthPort: port.default(8081).describe('Plain HTTP: /livez, /readyz, /metrics'),
  metrics,
  reports,
  events,
  networkPolicy,
  serviceAccount,
  rbac,
  resources: kubernetes()
    .default(resources)
    .describe(
      'Of the container. The request of CPU is its share while a node is busy: with too small a one answers come too late. The image bounds the heap of Node to 360 MB by itself',
    ),
  podDisruptionBudget,
  priorityClassName: text.default('system-cluster-critical').describe('Empty: none, where a quota keeps it to kube-system'),
  topologySpreadConstraints: z
    .array(kubernetes())
    .default([spread('topology.kubernetes.io/zone'), spread('kubernetes.io/hostname')])
    .describe('Not all replicas in one place; without a labelSelector, ours is put in'),
  affinity: kubernetes().default({}).describe('Which nodes and neighbours the Pods like'),
  nodeSelector: words.default({ 'kubernetes.io/os': 'linux' }).describe('Labels of the nodes they run on'),
  tolerations: listOf('Taints of nodes that they bear'),
  podSecurityContext: kubernetes().default(podSecurity).describe('Of the Pods: Pod security standard "restricted"'),
  securityContext: kubernetes().default(containerSecurity).describe('Of the container'),
  hostNetwork: z
    .boolean()
    .default(false)
    .describe("Use the node's network, where the API server cannot reach Pods; needs another webhook.port"),
  dnsPolicy: z
    .enum(['', 'ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'])
    .default('')
    .describe('Empty: ClusterFirst, or ClusterFirstWithHostNet with hostNetwork'),
  podLabels: words.describe('More labels for the Pods'),
  podAnnotations: words.describe('Annotations for the Pods'),
  extraArgs: z.array(z.string()).default([]).describe('More flags of `portcullis serve`'),
  extraEnv: listOf('More environment variables'),
  extraVolumes: listOf('More volumes'),
  extraVolumeMounts: listOf('Where the container mounts them'),
  extraObjects: z
    .array(z.union([z.string(), kubernetes()]))
    .default([])
    .describe('Objects to install beside ours, as templates'),
});

/** The defaults, in the order of the schema. */
export const defaultValues = (): RawObject => valuesSchema.parse({});

/** For Helm and for editors; draft 7, which every Helm 3 understands. */
export function valuesJsonSchema(): RawObject {
  const schema = z.toJSONSchema(valuesSchema, { io: 'input', target: 'draft-7' }) as RawObject;
  const properties = objectAt(schema, 'properties');
  const { description, default: standard } = objectAt(properties, 'config');
  const { $schema: _, ...configuration } = configurationJsonSchema(rules);
  const config = { ...(lettingBareOff(configuration) as RawObject), description, default: standard };
  return { ...schema, title: 'Values of the chart portcullis', properties: { ...properties, config } };
}

/** Helm's YAML, as kubectl's, reads a bare `off` as false, and so hands it on; the process understands it. */
function lettingBareOff(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(lettingBareOff);
  if (!isObject(schema)) return schema;
  const { enum: choices, type, ...others } = schema;
  const rest = Object.fromEntries(Object.entries(others).map(([key, value]) => [key, lettingBareOff(value)]));
  if (Array.isArray(choices) && choices.includes('off')) return { ...rest, enum: [...choices, false] };
  return { ...rest, ...(type !== undefined && { type }), ...(choices !== undefined && { enum: choices }) };
}
