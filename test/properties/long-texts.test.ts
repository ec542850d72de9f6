/**
 * Whoever may write an object chooses its texts. One that is read with the square of its length holds the process for
 * seconds, with the cube for hours: here each way of reading one comes to its end, or the test does not.
 */
import { describe, expect, it } from 'vitest';
import { certificatesIn } from '../../src/certificates/pem.ts';
import { looksLikeRegex } from '../../src/cluster/ingress-paths.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { evaluate } from '../../src/engine/evaluate.ts';
import { addressAsServed, isAddress, parseBlock } from '../../src/kube/cidr.ts';
import { display } from '../../src/kube/display.ts';
import { matchesGlob } from '../../src/kube/glob.ts';
import { hostNameOf } from '../../src/kube/inside-hosts.ts';
import { normalize } from '../../src/kube/normalize.ts';
import { isObjectName } from '../../src/kube/object-name.ts';
import type { JudgedResource, RawObject } from '../../src/kube/resources.ts';
import { withEscapedCommands, withoutCommands } from '../../src/reports/build-commands.ts';
import { unifiedDiff } from '../../src/reports/unified-diff.ts';
import { rules } from '../../src/rules/index.ts';
import { splitDocuments } from '../../src/sources/documents.ts';
import { Layout } from '../../src/sources/yaml-layout.ts';

/** Openings that nothing closes, beginnings without an end, runs of what is passed over. */
const units = [
  ...['(', '(|', '[', '[[', ')[', '()', '[]', '{', '{"', '{"\\', '.', '*', '/', '/*', '$', '\\', 'a', 'a-', 'a.', '_', '%'],
  ...['0', '0.', '00', ':', '::', ': ', '#', '# ', '`', '"', "'", '-', '- ', '---\n', '--- ', ' ', '\t', '\r', '\n', '\u2028', '\u0301'],
  ...['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----', '\ufffd', 'kubernetes.io/'],
];
/** The square of it would be 40 thousand million. */
const length = 200_000;
const textOf = (unit: string, end: string): string => unit.repeat(Math.ceil(length / unit.length)) + end;

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  looksLikeRegex,
  addressAsServed,
  isAddress,
  parseBlock,
  display,
  hostNameOf,
  isObjectName,
  certificatesIn,
  withoutCommands,
  withEscapedCommands,
  splitDocuments,
  matchesGlob: (text) => [matchesGlob('*a*b*', text), matchesGlob(text, 'aaaaaaaab')],
  layout: (text) => new Layout(text).indentOf(text.length),
  unifiedDiff: (text) => unifiedDiff('a.yaml', text, `${text}x`),
};

describe.each(Object.entries(readers))('%s', (_, read) => {
  it('comes to its end', () => {
    for (const unit of units) for (const end of ['', '!']) expect(() => read(textOf(unit, end))).not.toThrow();
  });
});

const ingress = (text: string): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: {
    namespace: 'shop',
    name: 'web',
    annotations: { 'nginx.ingress.kubernetes.io/rewrite-target': text, [`nginx.ingress.kubernetes.io/${text}`]: text },
  },
  spec: {
    ingressClassName: 'nginx',
    tls: [{ hosts: [text, 'shop.example'], secretName: text }],
    rules: [
      {
        host: text,
        http: {
          paths: ['Prefix', 'Exact', 'ImplementationSpecific'].map((pathType) => ({
            path: `/${text}`,
            pathType,
            backend: { service: { name: text, port: { name: text } } },
          })),
        },
      },
      {
        host: 'shop.example',
        http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] },
      },
    ],
  },
});

const service = (text: string): RawObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'shop', name: 'web', annotations: { [`service.beta.kubernetes.io/${text}`]: text } },
  spec: {
    selector: { app: text, [text]: 'web' },
    externalIPs: [text],
    loadBalancerClass: text,
    ports: [{ name: text, port: 80, targetPort: text, appProtocol: text }],
  },
});

const outside = (text: string): RawObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'shop', name: 'out' },
  spec: { type: 'ExternalName', externalName: text },
});

const deployment: RawObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: 'shop', name: 'web' },
  spec: {
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', ports: [{ name: 'http', containerPort: 80 }] }] },
    },
  },
};
const world = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(
  [deployment, outside('a.example')].flatMap((raw) => normalize(raw) ?? []),
);
const configured = rules.map((rule) => rule.configure());

describe('all rules', () => {
  it.each(units)('come to their end with %j', (unit) => {
    const text = textOf(unit, '');
    for (const raw of [ingress(text), service(text), outside(text)]) {
      const object = normalize(raw) as JudgedResource;
      const { faults } = evaluate({ object, operation: 'WRITE', before: undefined }, world.with([object]), configured, {
        tellsOfOthers: true,
      });
      expect(faults).toEqual([]);
    }
  });
});
