import { containsCidr } from 'cidr-tools';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressAsServed, blockHolds, ipBlockHolds, isAddress, isOneAddress, parseBlock } from '../../src/kube/cidr.ts';

describe('parseBlock', () => {
  it.each([
    '10.0.0.0/8',
    '10.1.2.3/8',
    '0.0.0.0/0',
    '255.255.255.255/32',
    '::/0',
    '::1/128',
    'fd00::/8',
    '1:2:3:4:5:6:7:8/64',
    '1::8/64',
    'FD00::/8',
  ])('reads %s', (text) => expect(parseBlock(text)).toBeDefined());

  it.each([
    ...[
      '',
      '10.0.0.0',
      '10.0.0.0/',
      '/8',
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '10.0.0.0/08',
      '10.0.0.0/8/8',
      '10.0.0.0/8.0',
      ' 10.0.0.0/8',
      '10.0.0.0/8 ',
    ],
    ...['300.1.1.1/8', '010.0.0.0/8', '10.0.0/8', '10.0.0.0.0/8', '0x0a.0.0.0/8', '1e1.0.0.0/8', '167772160/8'],
    ...[
      'fd00::/129',
      'fd00:::/8',
      '1::2::3/8',
      '1:2:3:4:5:6:7/8',
      '1:2:3:4:5:6:7:8:9/8',
      '1:2:3:4:5:6:7:8::/8',
      'fd00::g/8',
      'fd00::12345/8',
      'fe80::1%eth0/64',
    ],
    // Go reads these as IPv4, others as IPv6.
    ...['::ffff:10.0.0.0/104', '::ffff:a00:0/104', '::10.0.0.0/104'],
  ])('does not read %s', (text) => expect(parseBlock(text)).toBeUndefined());
});

/** Few different groups, so that addresses often share the beginning. */
const group = (max: number) => fc.oneof(fc.constantFrom(0, 1, max), fc.nat(max));
const ipv4 = fc.array(group(255), { minLength: 4, maxLength: 4 }).map((groups) => groups.join('.'));
const ipv6 = fc
  .array(group(0xffff), { minLength: 8, maxLength: 8 })
  .filter(([first = 0]) => first !== 0) // not IPv4 in IPv6 form
  .map((groups) =>
    groups
      .map((one) => one.toString(16))
      .join(':')
      .replace(/(:0)+(:|$)/, '::'),
  );

it('holds what cidr-tools says, on strict input', () => {
  const seen = { held: 0, not: 0 };
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), fc.oneof(ipv4, ipv6), fc.nat(128), (base, address, length) => {
      const block = `${base}/${base.includes(':') ? length : length % 33}`;
      const expected = containsCidr(block, address);
      expect(blockHolds(block, address)).toBe(expected);
      seen[expected ? 'held' : 'not']++;
    }),
    { numRuns: 5_000 },
  );
  expect(Math.min(seen.held, seen.not)).toBeGreaterThan(200);
});

describe('ipBlockHolds', () => {
  const block = { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '10.2.0.0/16'] };
  it.each([
    ['10.0.0.1', true],
    ['10.1.0.1', false],
    ['10.2.255.255', false],
    ['11.0.0.1', false],
    ['fd00::1', false],
    ['010.0.0.1', undefined],
  ])('%s: %s', (address, expected) => expect(ipBlockHolds(block, address)).toBe(expected));

  it('does not know where the block or an exception cannot be read', () => {
    expect(ipBlockHolds({ cidr: '010.0.0.0/8', except: [] }, '10.0.0.1')).toBeUndefined();
    expect(ipBlockHolds({ cidr: '10.0.0.0/8', except: ['010.1.0.0/16'] }, '10.0.0.1')).toBeUndefined();
    expect(ipBlockHolds({ cidr: '10.0.0.0/8', except: ['010.1.0.0/16', '10.0.0.0/16'] }, '10.0.0.1')).toBe(false);
    expect(ipBlockHolds({ cidr: '10.0.0.0/8', except: ['010.1.0.0/16'] }, '11.0.0.1')).toBe(false);
  });
});

it.each([
  ['10.0.0.1/32', true],
  ['10.0.0.1/31', false],
  ['fd00::1/128', true],
  ['fd00::1/32', false],
  ['10.0.0.1', false],
])('%s is one address: %s', (text, expected) => expect(isOneAddress({ cidr: text, except: [] })).toBe(expected));

describe('addressAsServed', () => {
  it.each([
    ['10.96.0.1', '10.96.0.1'],
    ['010.096.0.1', '10.96.0.1'],
    ['10.96.000.001', '10.96.0.1'],
    ['::ffff:10.96.0.1', '10.96.0.1'],
    ['::FFFF:a60:1', '10.96.0.1'],
    ['fd00::10', 'fd00:0:0:0:0:0:0:10'],
    ['FD00:0::0010', 'fd00:0:0:0:0:0:0:10'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['::10.96.0.1', '0:0:0:0:0:0:a60:1'],
    ['64:ff9b::10.96.0.1', '64:ff9b:0:0:0:0:a60:1'],
    ['10.96.0.256', undefined],
    ['10.96.1', undefined],
    ['0x0a.0.0.1', undefined],
    ['::ffff:10.96.0', undefined],
    ['fd00::1::2', undefined],
    ['fd00::1%eth0', undefined],
    ['None', undefined],
    ['', undefined],
  ])('%s: %s', (text, address) => expect(addressAsServed(text)).toBe(address));

  it('is an address that is read strictly, of the same meaning', () =>
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (address) => {
        const served = addressAsServed(address) ?? '';
        expect(blockHolds(`${served}/${served.includes(':') ? 128 : 32}`, address)).toBe(true);
        expect(addressAsServed(served)).toBe(served);
      }),
    ));
});

describe('isAddress', () => {
  it.each(['10.0.0.1', '::1', '2001:db8::1'])('%s is one', (text) => expect(isAddress(text)).toBe(true));
  it.each(['', '10.0.0', '010.0.0.1', '10.0.0.1/32', '10.0.0.256', 'a.example', '::ffff:10.0.0.1'])('%s is none', (text) =>
    expect(isAddress(text)).toBe(false),
  );
});
