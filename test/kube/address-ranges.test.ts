import { describe, expect, it } from 'vitest';
import { holdTogether } from '../../src/kube/address-ranges.ts';
import type { IpBlock } from '../../src/kube/cidr.ts';

/** `10.0.0.0/8 but 10.1.0.0/16`. */
const block = (text: string): IpBlock => {
  const [cidr = '', ...except] = text.split(/ but | /);
  return { cidr, except };
};

describe('holdTogether', () => {
  it.each<[outer: readonly string[], inner: string, expected: boolean]>([
    [['10.0.0.0/8'], '10.1.0.0/16', true],
    [['10.1.0.0/16'], '10.0.0.0/8', false],
    [['10.128.0.0/9', '10.0.0.0/9'], '10.0.0.0/8', true],
    [['10.0.0.0/9', '10.192.0.0/10'], '10.0.0.0/8', false],
    [['10.0.0.0/8 but 10.1.0.0/16'], '10.2.0.0/16', true],
    [['10.0.0.0/8 but 10.1.0.0/16'], '10.1.2.0/24', false],
    [['10.0.0.0/8 but 10.1.0.0/16', '10.1.0.0/16'], '10.0.0.0/8', true],
    // One set of addresses, written in two ways.
    [['0.0.0.0/0 but 10.0.0.0/9 10.128.0.0/9'], '0.0.0.0/0 but 10.0.0.0/8', true],
    [['0.0.0.0/0 but 10.0.0.0/8'], '0.0.0.0/0 but 10.0.0.0/9 10.128.0.0/9', true],
    [['0.0.0.0/0 but 10.0.0.0/8'], '0.0.0.0/0', false],
    // An exception beyond its block, and one of the other family, which the API server refuses, leave nothing out.
    [['10.0.0.0/8 but 192.168.0.0/16 fd00::/8'], '10.0.0.0/8', true],
    [['0.0.0.0/1', '128.0.0.0/1'], '0.0.0.0/0', true],
    [['0.0.0.0/0'], '::/0', false],
    [['::/0'], 'fd00::/8 but fd00:1::/32', true],
    [['fd00::/8'], '::/0', false],
    [[], '10.0.0.0/8', false],
    // Nothing is left of it.
    [['10.0.0.0/8'], '10.0.0.0/8 but 10.0.0.0/8', false],
    [['010.0.0.0/8', '10.0.0.0/8'], '10.1.0.0/16', true],
    [['10.0.0.0/8 but 10.1.0.0/33'], '10.2.0.0/16', false],
    [['0.0.0.0/0'], '010.0.0.0/8', false],
  ])('%j hold %s: %s', (outer, inner, expected) => expect(holdTogether(outer.map(block), block(inner))).toBe(expected));
});
