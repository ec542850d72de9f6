import { expect, it } from 'vitest';
import { formatWanted, wantedServices } from '../../src/cluster/ingress-services.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { Ingress } from '../../src/kube/resources.ts';

const ports = (...given: readonly object[]): readonly string[] => {
  const paths = given.map((port, index) => ({ path: `/${index}`, pathType: 'Prefix', backend: { service: { name: 'web', port } } }));
  const raw = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'shop', namespace: 'shop' },
    spec: { rules: [{ http: { paths } }] },
  };
  return wantedServices(normalize(raw) as Ingress).map(({ port, paths: { length } }) => `${formatWanted(port)} by ${length}`);
};

it('is each port once, by what it is called', () =>
  expect(ports({ number: 80 }, { name: 'http' }, { number: 80 })).toEqual(['port 80 by 2', 'port "http" by 1']));

it('is nothing where no port is named, or an annotation says which', () => expect(ports({}, { name: 'use-annotation' })).toEqual([]));
