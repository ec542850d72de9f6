import { expect, it } from 'vitest';
import { tlsSecretsOf } from '../../src/cluster/tls-secrets.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { Ingress } from '../../src/kube/resources.ts';

const ingress = (...names: readonly string[]): Ingress =>
  normalize({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { tls: names.map((secretName) => ({ secretName })) },
  }) as Ingress;
const at = (index: number): readonly (string | number)[] => ['spec', 'tls', index, 'secretName'];

it('each Secret is named once, with every field that names it; what is no name is none', () => {
  const named = tlsSecretsOf(ingress('a', 'b', 'other/a', 'a', '', 'constructor'));
  expect([...named]).toEqual([
    ['a', [at(0), at(3)]],
    ['b', [at(1)]],
    ['constructor', [at(5)]],
  ]);
});

it('is made once for an Ingress, however many ask', () => {
  const one = ingress('a');
  expect(tlsSecretsOf(one)).toBe(tlsSecretsOf(one));
  expect(tlsSecretsOf(ingress('a'))).not.toBe(tlsSecretsOf(one));
});

it('one Secret that 40,000 entries name is no work', () => {
  const { size } = tlsSecretsOf(ingress(...Array.from({ length: 40_000 }, () => 'a')));
  expect(size).toBe(1);
});
