import { expect, it, vi } from 'vitest';
import { onceFor } from '../../src/kube/once-for.ts';

it.each([[['made']], [false], [0], ['']])('%j is made once for an object', (value) => {
  const make = vi.fn((_: object) => value);
  const of = onceFor(make);
  const object = {};
  expect([of(object), of(object)]).toEqual([value, value]);
  expect(make).toHaveBeenCalledTimes(1);
});

it('tells objects apart, however alike they are', () => {
  const of = onceFor((one: { readonly name: string }) => [one.name]);
  const [one, other] = [{ name: 'a' }, { name: 'a' }];
  expect(of(one)).toBe(of(one));
  expect(of(one)).not.toBe(of(other));
});
