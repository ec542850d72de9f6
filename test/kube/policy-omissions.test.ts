import { describe, expect, it } from 'vitest';
import { omissionsIn } from '../../src/kube/last-applied.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { NetworkPolicy, RawObject } from '../../src/kube/resources.ts';

const key = 'kubectl.kubernetes.io/last-applied-configuration';

const policy = (spec: RawObject, annotations: Readonly<Record<string, string>> = {}): NetworkPolicy =>
  normalize({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'web', namespace: 'shop', annotations },
    spec,
  }) as NetworkPolicy;

describe('what a policy leaves out', () => {
  it('is listed by path', () => {
    const { omits } = policy({
      ingress: [{ from: [] }, { from: [{ podSelector: {} }], ports: [{ port: 1, protocol: 'TCP' }, { port: 2 }] }],
      egress: [{ to: [], ports: [{}] }],
    });
    expect(omits).toEqual({
      protocols: ['spec.ingress[1].ports[1]', 'spec.egress[0].ports[0]'],
      emptyPeers: ['spec.ingress[0]', 'spec.egress[0]'],
    });
  });

  it('is nothing in what an API server has stored', () => {
    expect(policy({ ingress: [{}, { ports: [{ port: 1, protocol: 'UDP' }] }] })).not.toHaveProperty('omits');
  });

  it.each([null, 'x', 7, [null], [7], { ports: [] }])('is nothing in what is no list of rules: %j', (ingress) => {
    expect(policy({ ingress })).not.toHaveProperty('omits');
  });
});

describe('what kubectl applied', () => {
  const stored = { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 53, protocol: 'TCP' }] }] };
  const applied = (spec: unknown): NetworkPolicy => policy(stored, { [key]: JSON.stringify({ kind: 'NetworkPolicy', spec }) });

  it('tells what was left out', () => {
    expect(omissionsIn(applied({ ingress: [{ ports: [{ port: 53 }] }] })).protocols).toEqual(['spec.ingress[0].ports[0]']);
  });

  it.each([
    ['has been changed since', { ingress: [{ ports: [{ port: 54 }] }] }],
    ['has no spec', undefined],
    ['is nonsense', { ingress: 'x' }],
  ])('says nothing where it %s', (_, spec) => {
    expect(omissionsIn(applied(spec))).toEqual({ protocols: [], emptyPeers: [] });
  });

  it.each(['', '{', 'null', '[]', '"x"'])('says nothing where it reads %j', (text) => {
    expect(omissionsIn(policy(stored, { [key]: text }))).toEqual({ protocols: [], emptyPeers: [] });
  });
});
