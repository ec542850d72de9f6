import { describe, expect, it } from 'vitest';
import { coveredBy, nearestHost } from '../../src/cluster/tls-hosts.ts';

describe('a host is covered', () => {
  it.each([
    ['shop.example.com', 'shop.example.com', true],
    ['Shop.Example.com', 'shop.example.COM', true],
    ['*.example.com', 'shop.example.com', true],
    ['*.EXAMPLE.com', 'shop.example.com', true],
    ['*.example.com', '*.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'eu.shop.example.com', false],
    ['*.example.com', '*.shop.example.com', false],
    ['shop.example.com', '*.example.com', false],
    ['s*.example.com', 'shop.example.com', false],
    ['*', 'localhost', false],
  ])('%s covers %s: %s', (pattern, host, expected) => expect(coveredBy([pattern])(host)).toBe(expected));
});

describe('the host that was meant', () => {
  it.each([
    ['shop.exmaple.com', ['shop.example.com'], 'shop.example.com'],
    ['shpo.example.com', ['api.example.com', 'shop.example.com'], 'shop.example.com'],
    ['shop.example.com', ['shop.example.org'], undefined],
    // A long domain in common makes no two hosts alike.
    ['api.very-long-domain.example.com', ['shop.very-long-domain.example.com'], undefined],
    ['www.example.com', ['example.com'], undefined],
    ['shop.example.com', [], undefined],
  ])('of %s among %j: %s', (host, candidates, expected) => expect(nearestHost(host, candidates)).toBe(expected));
});
