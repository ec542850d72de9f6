/** What a policy's author is told to write in the place of a field that there is not: never less, which would allow more. */
import { expect, it } from 'vitest';
import { formatPath } from '../../src/kube/field-path.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { mistypedFields } from '../../src/sources/field-types.ts';

const told = (spec: RawObject): readonly string[] =>
  mistypedFields({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'a' }, spec }).map(
    ({ path, hint }) => `${formatPath(path)}: ${hint}`,
  );
const peer = { podSelector: { matchLabels: { app: 'api' } } };

it.each<[RawObject, readonly string[]]>([
  [{ ingress: [{ to: [peer] }] }, ['spec.ingress[0].to: Write from.']],
  [{ egress: [{ from: [peer] }] }, ['spec.egress[0].from: Write to.']],
  [{ ingress: [{ peers: [peer] }] }, ['spec.ingress[0].peers: Write from or ports.']],
  [{ podSelector: { app: 'api' } }, ['spec.podSelector.app: Write matchLabels: {app: api}.']],
  [
    { ingress: [{ from: [{ namespaceSelector: { name: 'monitoring', team: 1 } }] }] },
    [
      'spec.ingress[0].from[0].namespaceSelector.name: Write matchLabels: {name: monitoring, team: "1"}.',
      'spec.ingress[0].from[0].namespaceSelector.team: Write matchLabels: {name: monitoring, team: "1"}.',
    ],
  ],
  [{ podSelector: { app: 'a'.repeat(200) } }, ['spec.podSelector.app: Write it below matchLabels.']],
  [{ podSelector: { matchlabels: { app: 'api' } } }, ['spec.podSelector.matchlabels: Write matchLabels.']],
  [{ podSelector: { app: { a: 'b' } } }, ['spec.podSelector.app: Write matchLabels or matchExpressions.']],
])('%j', (spec, hints) => expect(told(spec)).toEqual(hints));
