import { describe, expect, it } from 'vitest';
import { normalizeNetworkPolicy } from '../../src/kube/normalize-networking.ts';
import { inSinglePeers, inSinglePorts } from '../../src/kube/single-rules.ts';

const [web, api] = [{ podSelector: { matchLabels: { app: 'web' } } }, { podSelector: { matchLabels: { app: 'api' } } }];
const policy = (spec: object) =>
  normalizeNetworkPolicy(
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'p', namespace: 'shop' },
      spec: { podSelector: {}, ...spec },
    },
    { name: 'p', namespace: 'shop', labels: {}, annotations: {} },
  );

describe('a policy in smaller rules', () => {
  const joined = policy({ ingress: [{ from: [web, api], ports: [{ port: 80 }, { port: 81 }] }], egress: [{ to: [web, api] }, {}] });

  it('has one peer in each', () =>
    expect(inSinglePeers(joined)?.spec).toEqual(
      policy({
        ingress: [web, api].map((peer) => ({ from: [peer], ports: [{ port: 80 }, { port: 81 }] })),
        egress: [{ to: [web] }, { to: [api] }, {}],
      }).spec,
    ));

  it('has one peer and one port in each', () =>
    expect(inSinglePorts(joined)?.spec.ingress).toEqual(
      policy({ ingress: [web, api].flatMap((peer) => [80, 81].map((port) => ({ from: [peer], ports: [{ port }] }))) }).spec.ingress,
    ));

  it('keeps a rule for anybody as it is', () => expect(inSinglePorts(policy({ ingress: [{}] }))?.spec.ingress).toEqual([{}]));

  it('is not made of very many', () => {
    const of = (count: number) => policy({ egress: [{ to: Array.from({ length: count }, () => web), ports: [{ port: 80 }] }] });
    expect(inSinglePeers(of(500))?.spec.egress).toHaveLength(500);
    expect(inSinglePeers(of(501))).toBeUndefined();
  });
});
