/** The oracle itself: on worlds with answers computed by hand. */
import { describe, expect, it } from 'vitest';
import { bitsOf, isInRange } from './addresses.ts';
import { readFixtures } from './fixtures.ts';
import type { Question } from './network-policy.ts';
import { ask, reasonsOf } from './oracle.ts';
import type { RawWorld } from './raw-objects.ts';

describe('the oracle', () => {
  it.each(readFixtures())('$name', ({ world, expected, isolatedBy }) => {
    const found = expected.map(({ line, question, reasons }) => ({
      line,
      verdict: ask(world, question).verdict,
      reasons: reasons && [...reasonsOf(world, question)].sort(),
    }));
    expect(found).toEqual(expected.map(({ line, verdict, reasons }) => ({ line, verdict, reasons: reasons && [...reasons].sort() })));
    expect(Object.fromEntries(Object.keys(isolatedBy).map((key) => [key, isolators(world, key)]))).toEqual(isolatedBy);
  });
});

/** Of `shop/web Egress`: asked of a connection to itself, since both directions apply to one. */
function isolators(world: RawWorld, key: string): readonly string[] {
  const [name, direction] = key.split(' ');
  const pod = world.pods.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === name);
  if (pod === undefined) throw new Error(`no Pod is called ${name}`);
  const question: Question = { from: { pod }, to: { pod }, protocol: 'TCP', port: 80 };
  return ask(world, question)[direction === 'Egress' ? 'egress' : 'ingress'].isolatedBy;
}

describe('addresses as bits', () => {
  it('has four bytes of IPv4', () => expect(bitsOf('10.0.255.1')).toBe('00001010000000001111111100000001'));

  it.each([
    ['::', '0'.repeat(128)],
    ['::1', `${'0'.repeat(127)}1`],
    ['2001:db8::ff', `00100000000000010000110110111000${'0'.repeat(88)}11111111`],
    ['1::', `${'0'.repeat(15)}1${'0'.repeat(112)}`],
    ['0:0:0:0:0:0:0:A', `${'0'.repeat(124)}1010`],
  ])('has eight groups of IPv6: %s', (address, bits) => expect(bitsOf(address)).toBe(bits));

  it.each([
    ['10.0.0.4', '10.0.0.0/30', false],
    ['10.0.0.3', '10.0.0.0/30', true],
    ['10.0.0.3', '10.0.0.1/30', true],
    ['203.0.113.9', '0.0.0.0/0', true],
    ['2001:db8::1', '0.0.0.0/0', false],
    ['10.0.0.1', '::/0', false],
    ['2001:db8:8000::', '2001:db8::/33', false],
    ['2001:db8:7fff::', '2001:db8::/33', true],
    ['10.0.0.1', '10.0.0.1/32', true],
  ])('%s in %s: %s', (address, cidr, is) => expect(isInRange(address, cidr)).toBe(is));
});
