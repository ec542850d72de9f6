/** Namespaces full of Pods and Services that are easily mistaken for one another, as objects that the API server takes. */
import fc from 'fast-check';

export interface PodPlan {
  /** What is sent to create it. */
  readonly object: { readonly metadata: { readonly name: string }; readonly spec: { readonly nodeName?: string } };
  /** What its kubelet would write. */
  readonly status: unknown;
  /** Deleted after that: it stays, since no kubelet confirms its end. */
  readonly terminating: boolean;
}

export interface World {
  readonly pods: readonly PodPlan[];
  readonly services: readonly unknown[];
}

/** The only Node: the EndpointSlice controller leaves out Pods of a Node that does not exist. */
export const nodeName = 'node-1';

const protocol = fc.constantFrom('TCP', 'TCP', 'UDP', 'SCTP');
const portName = fc.constantFrom('http', 'web', 'dns', 'p-8080');
const portNumber = fc.constantFrom(53, 80, 8080, 9090);
/** `constructor` is a label like any other; the two long ones differ from Pod to Pod in real life. */
const labelKey = fc.oneof(
  { weight: 6, arbitrary: fc.constant('app') },
  { weight: 2, arbitrary: fc.constantFrom('tier', 'constructor') },
  { weight: 2, arbitrary: fc.constantFrom('statefulset.kubernetes.io/pod-name', 'apps.kubernetes.io/pod-index') },
);
const labelValue = fc.constantFrom('web', 'web', 'api', '0');
const labels = (constraints: { readonly minKeys: number; readonly maxKeys: number }) => fc.dictionary(labelKey, labelValue, constraints);

/** A container may not use a name twice, but two containers of one Pod may. */
const container = (name: string) =>
  fc.record({
    name: fc.constant(name),
    image: fc.constant('example.com/app'),
    ports: fc.uniqueArray(
      fc.record({
        name: fc.option(portName, { nil: undefined }),
        containerPort: portNumber,
        protocol: fc.option(protocol, { nil: undefined }),
      }),
      { maxLength: 3, selector: ({ name: key, containerPort, protocol: by }) => key ?? `${containerPort}/${by}` },
    ),
  });

const containers = (prefix: string, minLength: number) =>
  fc
    .integer({ min: minLength, max: 2 })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => container(`${prefix}${index}`))));

/** One that ends before the others start, or a sidecar that goes on. */
const initContainers = containers('init', 0).chain((list) =>
  fc.tuple(...list.map((one) => fc.boolean().map((sidecar) => (sidecar ? { ...one, restartPolicy: 'Always' } : one)))),
);

const state = fc.record({
  phase: fc.constantFrom('Running', 'Running', 'Running', 'Pending', 'Succeeded', 'Failed'),
  ready: fc.boolean(),
  addressed: fc.constantFrom(true, true, true, false),
  scheduled: fc.constantFrom(true, true, true, true, false),
  terminating: fc.constantFrom(false, false, false, true),
});

const pod = (index: number) =>
  fc
    .record({ labels: labels({ minKeys: 0, maxKeys: 3 }), containers: containers('c', 1), initContainers, state })
    .map(({ state: { phase, ready, addressed, scheduled, terminating }, ...spec }): PodPlan => {
      const ip = `10.244.0.${index + 1}`;
      return {
        object: {
          ...{ apiVersion: 'v1', kind: 'Pod' },
          metadata: { name: `pod-${index}`, ...{ labels: spec.labels } },
          spec: { ...{ containers: spec.containers, initContainers: spec.initContainers }, ...(scheduled && { nodeName }) },
        },
        status: scheduled
          ? {
              phase,
              conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
              ...(addressed && { podIP: ip, podIPs: [{ ip }] }),
            }
          : undefined,
        terminating: terminating && scheduled && phase === 'Running',
      };
    });

const servicePorts = (minLength: number) =>
  fc
    .array(
      fc.record({
        protocol: fc.option(protocol, { nil: undefined }),
        targetPort: fc.option(fc.oneof(portName, portNumber), { nil: undefined }),
      }),
      {
        minLength,
        maxLength: 3,
      },
    )
    // Several ports need names; a number may stand once for each protocol.
    .map((ports) =>
      ports.map((port, index) => ({ ...port, port: [8080, 80, 53][index], ...(ports.length > 1 && { name: `port-${index}` }) })),
    );

const selector = fc.oneof(
  { weight: 18, arbitrary: labels({ minKeys: 1, maxKeys: 2 }) },
  { weight: 1, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant(undefined) },
);

const serviceSpec = fc.oneof(
  { weight: 6, arbitrary: fc.record({ selector, ports: servicePorts(1), publishNotReadyAddresses: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ clusterIP: fc.constant('None'), selector, ports: servicePorts(0), publishNotReadyAddresses: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('ExternalName'), externalName: fc.constant('example.com'), selector, ports: servicePorts(0) }),
  },
);

const service = (index: number) =>
  serviceSpec.map((spec) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: `service-${index}` }, spec }));

/** Worlds from a seed: the same ones every time. */
export const worlds = (count: number, size: { readonly pods: number; readonly services: number }, seed: number): readonly World[] =>
  fc.sample(
    fc.record({
      pods: fc.tuple(...Array.from({ length: size.pods }, (_, index) => pod(index))),
      services: fc.tuple(...Array.from({ length: size.services }, (_, index) => service(index))),
    }),
    { numRuns: count, seed },
  );
