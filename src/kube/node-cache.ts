/** NodeLocal DNSCache as its containers say it: where on each node it answers. */
import { isAddress } from './cidr.ts';
import { stringsAt } from './read.ts';
import type { RawObject } from './resources.ts';

/**
 * The addresses after `-localip`: "comma-separated string of ip addresses to bind dnscache to" (kubernetes/dns,
 * cmd/node-cache/main.go). Go's flags take one dash or two, and the value after `=` or as the next word. Undefined where
 * there is none, as for nearly every Pod.
 */
export function localAddressesOf(containers: readonly RawObject[]): readonly string[] | undefined {
  const found = containers.flatMap((container) => [...valuesIn([...stringsAt(container, 'command'), ...stringsAt(container, 'args')])]);
  const addresses = found.flatMap((value) => value.split(',')).map((address) => address.trim());
  const readable = [...new Set(addresses.filter(isAddress))];
  return readable.length > 0 ? readable : undefined;
}

function* valuesIn(words: readonly string[]): Generator<string> {
  for (const [index, word] of words.entries()) {
    const [flag, value] = /^--?localip(?:=(.*))?$/.exec(word) ?? [];
    if (flag !== undefined) yield value ?? words[index + 1] ?? '';
  }
}
