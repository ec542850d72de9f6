/**
 * The file of `portcullis snapshot`, version 1: what is in it, and in what form. Keys are only added; a reader passes over
 * those that it does not know. What stands here for a kind is what rules read of it, in the form that `normalize` gives it.
 */
import { z } from 'zod';
import { labelsOf, noLabels } from '../kube/labels.ts';
import type { Collection } from '../kube/resources.ts';

export const apiVersion = 'portcullis.dev/v1';
export const kind = 'Snapshot';

const labels = z.record(z.string(), z.string()).transform((value) => labelsOf(value));
const some = labels.default(noLabels);
const protocol = z.enum(['TCP', 'UDP', 'SCTP']);
const text = z.string();
const number = z.number();
const texts = z.array(text);
const maybe = <T extends z.ZodType>(schema: T) => schema.exactOptional();

const metadata = z.object({
  namespace: text.default(''),
  name: text,
  labels: some,
  annotations: some,
  deletionTimestamp: maybe(text),
  createdMs: maybe(number),
  changedMs: maybe(number),
  owner: maybe(text),
});

const service = z.object({
  metadata,
  spec: z.object({
    type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']),
    selector: labels,
    ports: z.array(
      z.object({
        name: maybe(text),
        protocol,
        port: number,
        targetPort: z.union([number, text]),
        nodePort: maybe(number),
        nodePortNamed: maybe(z.boolean()),
        nodePortOwners: maybe(text),
        appProtocol: maybe(text),
      }),
    ),
    clusterIPs: texts,
    externalName: maybe(text),
    publishNotReadyAddresses: z.boolean(),
    externalIPs: maybe(texts),
    internalTrafficPolicy: maybe(z.literal('Local')),
    externalTrafficPolicy: maybe(z.literal('Local')),
    loadBalancerClass: maybe(text),
  }),
  status: maybe(z.object({ loadBalancer: z.object({ ingress: z.array(z.object({ ip: maybe(text) })) }) })),
});

const backend = z.object({
  service: maybe(z.object({ name: text, port: z.object({ name: maybe(text), number: maybe(number) }) })),
  resource: maybe(z.object({ kind: text, name: text })),
});

const ingress = z.object({
  metadata,
  spec: z.object({
    ingressClassName: maybe(text),
    defaultBackend: maybe(backend),
    tls: z.array(z.object({ hosts: texts, secretName: maybe(text) })),
    rules: z.array(
      z.object({
        host: maybe(text),
        http: maybe(z.object({ paths: z.array(z.object({ path: maybe(text), pathType: text, backend })) })),
      }),
    ),
  }),
});

const ingressClass = z.object({ metadata, spec: z.object({ controller: text }), isDefault: z.boolean() });

const selector = z.object({
  matchLabels: labels,
  matchExpressions: z.array(z.object({ key: text, operator: text, values: texts })),
});
const peers = z.array(
  z.object({
    podSelector: maybe(selector),
    namespaceSelector: maybe(selector),
    ipBlock: maybe(z.object({ cidr: text, except: texts })),
  }),
);
const policyPorts = z.array(z.object({ protocol, port: maybe(z.union([number, text])), endPort: maybe(number) }));

const networkPolicy = z.object({
  metadata,
  omits: maybe(z.object({ protocols: texts, emptyPeers: texts })),
  spec: z.object({
    podSelector: selector,
    policyTypes: texts,
    ingress: z.array(z.object({ from: maybe(peers), ports: maybe(policyPorts) })),
    egress: z.array(z.object({ to: maybe(peers), ports: maybe(policyPorts) })),
  }),
});

const secretSource = z.object({ apiVersion: text, metadata, secretName: text, notReady: maybe(text) });

const calledService = z.object({ namespace: text, name: text, port: number });
const webhookConfiguration = z.object({
  metadata,
  webhooks: z.array(
    z.object({
      name: text,
      failurePolicy: z.enum(['Fail', 'Ignore']),
      service: maybe(calledService),
      rules: z.array(z.object({ apiGroups: texts, resources: texts })),
      namespaceSelector: selector,
    }),
  ),
});
const apiService = z.object({ metadata, spec: z.object({ service: calledService }) });

const shape = z.object({
  labels,
  ports: z.array(z.object({ name: maybe(text), containerPort: number, protocol, hostPort: maybe(number) })),
  probePorts: z.array(z.union([number, text])),
  hostNetwork: z.boolean(),
  dnsPolicy: text,
  nameservers: texts,
  localAddresses: maybe(texts),
  priorityClassName: maybe(text),
  serviceAccountName: maybe(text),
  hosts: maybe(texts),
  scrapePort: maybe(number),
});
const place = z.object({ namespace: text, name: text });

const secret = z.object({
  namespace: text,
  name: text,
  type: maybe(text),
  tls: maybe(
    z.object({
      lacks: z.array(z.enum(['tls.crt', 'tls.key'])),
      leaf: maybe(z.object({ names: texts, notBeforeMs: number, notAfterMs: number, keyType: text })),
      pair: maybe(z.enum(['match', 'differ', 'badCertificate', 'badKey', 'encryptedKey'])),
      keyType: maybe(text),
      belongsTo: maybe(z.object({ position: number, of: number })),
    }),
  ),
});

const template = z.object({
  apiVersion: text,
  kind: text,
  metadata: place,
  pod: shape,
  replicas: maybe(number),
  serviceName: maybe(text),
  owner: maybe(text),
  images: maybe(texts),
});

/** Pods that are alike: what they share, and of each its name, its addresses, `r`eady `s`cheduled `t`erminating, and labels of its own. */
const pods = z.object({
  namespace: text,
  owner: maybe(text),
  pod: shape,
  pods: z.array(z.union([z.tuple([text, text, text]), z.tuple([text, text, text, labels])])),
});

export const collections = [
  'Service',
  'Ingress',
  'IngressClass',
  'NetworkPolicy',
  'Namespace',
  'Secret',
  'Certificate',
  'ExternalSecret',
  'SealedSecret',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'APIService',
  'Template',
  'Pod',
] as const satisfies readonly Collection[];

const coverage = z.enum(['complete', 'unsynced', 'forbidden', 'notServed', 'notGiven']);
const part = z.object({ everywhere: coverage, namespaces: z.record(text, coverage).default({}) });
const reach = part.extend({ parts: maybe(z.record(text, part)) });

export const snapshotFile = z.object({
  apiVersion: z.literal(apiVersion),
  kind: z.literal(kind),
  takenAt: z.iso.datetime(),
  /** As people call the cluster: the context of whoever took it. */
  context: text,
  /** The configuration of the installation, as it was written there. */
  configuration: maybe(text),
  /** How much is known of each collection, everywhere and where that differs. */
  coverage: z.partialRecord(z.enum(collections), reach),
  resources: z.object({
    Service: z.array(service),
    Ingress: z.array(ingress),
    /** Not in files of earlier versions, whose coverage says nothing of them. */
    IngressClass: z.array(ingressClass).default([]),
    NetworkPolicy: z.array(networkPolicy),
    Namespace: z.array(z.object({ metadata })),
    Certificate: z.array(secretSource),
    ExternalSecret: z.array(secretSource),
    SealedSecret: z.array(secretSource),
    /** Nor are these. */
    ValidatingWebhookConfiguration: z.array(webhookConfiguration).default([]),
    MutatingWebhookConfiguration: z.array(webhookConfiguration).default([]),
    APIService: z.array(apiService).default([]),
    Template: z.array(template),
    Pod: z.array(pods),
    /** Where Secrets are, and what they are called; of those that an Ingress names, at level `full`, what was derived from them. */
    Secret: z.array(secret),
    /** Looked for by name, and not there. */
    absentSecret: z.array(place),
  }),
});

export type SnapshotFile = z.output<typeof snapshotFile>;
/** As it is written: what is at its default may be left out. */
export type SnapshotText = z.input<typeof snapshotFile>;
