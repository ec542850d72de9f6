import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClaimsIndex } from '../../src/cluster/claims-index.ts';
import { OutOfTime, RecordingView } from '../../src/cluster/recording.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { Ingress } from '../../src/kube/resources.ts';

const ingress = (namespace: string, name: string, paths: readonly string[]): Ingress =>
  normalize({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { namespace, name },
    spec: { rules: [{ http: { paths: paths.map((path) => ({ path, pathType: 'Prefix' })) } }] },
  }) as Ingress;
const keysOf = ({ spec }: Ingress): readonly string[] => [
  ...new Set(spec.rules.flatMap(({ http }) => (http?.paths ?? []).map(({ path = '/' }) => path))),
];
const empty = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' });

describe('ClaimsIndex', () => {
  it('says of any state after any other what a walk through it says', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const paths = fc.subarray(['/', '/x', '/y']);
    const states = fc.array(fc.array(fc.tuple(name, name, paths), { maxLength: 6 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(states, (all) => {
        const index = new ClaimsIndex(keysOf);
        for (const state of all) {
          const snapshot = empty.with(state.map((one) => ingress(...one)));
          for (const key of ['/', '/x', '/y'])
            expect(index.claimants(key, snapshot)).toEqual(snapshot.listAll('Ingress').filter((one) => keysOf(one).includes(key)));
        }
      }),
    );
  });

  it('goes through what differs from the state before, and through nothing else', () => {
    const seen: string[] = [];
    const index = new ClaimsIndex((one) => {
      seen.push(one.metadata.name);
      return keysOf(one);
    });
    const many = empty.with(Array.from({ length: 1_000 }, (_, at) => ingress('shop', `web-${at}`, ['/'])));
    expect(index.claimants('/', many)).toHaveLength(1_000);
    seen.length = 0;
    expect(index.claimants('/', many.with([ingress('evil', 'new', ['/'])]))).toHaveLength(1_001);
    expect(index.claimants('/', many)).toHaveLength(1_000);
    expect(seen).toEqual(['new', 'new']);
  });

  it('keeps what it has done where the time runs out', () => {
    const index = new ClaimsIndex(keysOf);
    const paths = Array.from({ length: 1_000 }, (_, at) => `/${at}`);
    const giants = empty.with(Array.from({ length: 10 }, (_, at) => ingress('shop', `web-${at}`, paths)));
    const look = (): number => {
      let looks = 0;
      return index.claimants('/7', new RecordingView(giants, () => ++looks > 10)).length;
    };
    let reviews = 1;
    for (; reviews < 100; reviews++) {
      try {
        expect(look()).toBe(10);
        break;
      } catch (cause) {
        expect(cause).toBeInstanceOf(OutOfTime);
      }
    }
    expect(reviews).toBeGreaterThan(1);
    expect(reviews).toBeLessThan(20);
  });
});
