/**
 * Sets of ports, of all protocols: stretches of a line on which each protocol has its own 65,536 places. A policy that can be
 * stored may name 10,000 ports, so sets are joined and cut by walking along both, and a port is found by halving.
 */
import { onceFor } from '../../kube/once-for.ts';
import type { NetworkPolicyPort } from '../../kube/policy-parts.ts';
import type { Protocol } from '../../kube/resources.ts';
import type { Endpoint, PortOfPod } from './flow.ts';
import { isWorkload } from './peers.ts';

/** Both ends belong to it. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** In order, and none touches the next. */
export type Ports = readonly Span[];

const protocols: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];
const width = 65_536;
const lastPort = 65_535;

const placeOf = (protocol: Protocol, port: number): number => protocols.indexOf(protocol) * width + port;

const spanOf = (protocol: Protocol, from: number, to: number): Span => ({ from: placeOf(protocol, from), to: placeOf(protocol, to) });

export const noPorts: Ports = [];
/** Every port from 1 to 65535 of every protocol that policies know. */
export const allPorts: Ports = protocols.map((protocol) => spanOf(protocol, 1, lastPort));

/** Ports of one protocol, both ends included. */
export interface PortStretch {
  readonly protocol: Protocol;
  readonly from: number;
  readonly to: number;
}

/** The set in words of its protocols: TCP first, then UDP and SCTP, each in order of number. */
export const stretchesOf = (ports: Ports): readonly PortStretch[] =>
  ports.map(({ from, to }) => ({ protocol: protocols[Math.floor(from / width)] as Protocol, from: from % width, to: to % width }));

/** `8080/TCP, 53/UDP, 9000-9100/SCTP`; `any port` for all of them, `any TCP port` for all of one protocol. */
export function formatPorts(ports: Ports): string {
  if (isAll(ports)) return 'any port';
  return stretchesOf(ports)
    .map(({ protocol, from, to }) => {
      if (from === 1 && to === lastPort) return `any ${protocol} port`;
      return `${from === to ? from : `${from}-${to}`}/${protocol}`;
    })
    .join(', ');
}

const isAll = (ports: Ports): boolean => ports.length === allPorts.length && ports.every(({ from, to }) => to - from === lastPort - 1);

export function includes(ports: Ports, { protocol, port }: PortOfPod): boolean {
  const place = placeOf(protocol, port);
  let low = 0;
  let high = ports.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const { from, to } = ports[middle] as Span;
    if (place < from) high = middle - 1;
    else if (place > to) low = middle + 1;
    else return true;
  }
  return false;
}

/** In order, each with its neighbours joined. */
function joined(spans: readonly Span[]): Ports {
  const sorted = spans.toSorted((a, b) => a.from - b.from);
  const result: Span[] = [];
  for (const span of sorted) {
    const last = result.at(-1);
    if (last === undefined || span.from > last.to + 1) result.push(span);
    else if (span.to > last.to) result[result.length - 1] = { from: last.from, to: span.to };
  }
  return result;
}

export function union(a: Ports, b: Ports): Ports {
  if (a === allPorts || b === allPorts) return allPorts;
  if (a.length === 0 || a === b) return b;
  return b.length === 0 ? a : joined([...a, ...b]);
}

export function intersection(a: Ports, b: Ports): Ports {
  if (a === allPorts || a === b) return b;
  if (b === allPorts) return a;
  const result: Span[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [one, other] = [a[i] as Span, b[j] as Span];
    const [from, to] = [Math.max(one.from, other.from), Math.min(one.to, other.to)];
    if (from <= to) result.push({ from, to });
    if (one.to < other.to) i++;
    else j++;
  }
  return result;
}

/** What the first has and the second has not. */
export function without(a: Ports, b: Ports): Ports {
  if (b.length === 0) return a;
  if (b === allPorts || a === b) return noPorts;
  const result: Span[] = [];
  let j = 0;
  for (const { from, to } of a) {
    let start = from;
    while (j < b.length && (b[j] as Span).to < start) j++;
    for (let k = j; k < b.length && (b[k] as Span).from <= to; k++) {
      const hole = b[k] as Span;
      if (hole.from > start) result.push({ from: start, to: hole.from - 1 });
      start = hole.to + 1;
    }
    if (start <= to) result.push({ from: start, to });
  }
  return result;
}

/** What a list of ports says by number, and by name: those are looked up at the destination. */
interface Listed {
  readonly numbers: Ports;
  /** As `textOfName` writes them. */
  readonly names: ReadonlySet<string>;
}

const textOfName = (name: string, protocol: Protocol): string => `${protocol}/${name}`;

const listedIn = onceFor((ports: readonly NetworkPolicyPort[]): Listed => {
  const numbers = ports.flatMap(({ protocol, port, endPort }): readonly Span[] => {
    if (typeof port === 'string') return [];
    return rangeOf(protocol, port ?? 1, port === undefined ? lastPort : (endPort ?? port));
  });
  const names = new Set(ports.flatMap(({ protocol, port }) => (typeof port === 'string' ? [textOfName(port, protocol)] : [])));
  return { numbers: joined(numbers), names };
});

/** Nothing where the range runs backwards, and no number that no port has: the API server refuses such, files may hold them. */
function rangeOf(protocol: Protocol, first: number, last: number): readonly Span[] {
  const [from, to] = [Math.max(1, Math.ceil(first)), Math.min(lastPort, Math.floor(last))];
  return from <= to ? [spanOf(protocol, from, to)] : [];
}

/** The ports that a rule's list names at a destination. No list means any; of a named port, the number that it has there. */
export function portsNamedBy(ports: readonly NetworkPolicyPort[] | undefined, destination: Endpoint): Ports {
  if (ports === undefined) return allPorts;
  const { numbers, names } = listedIn(ports);
  if (names.size === 0 || !isWorkload(destination)) return numbers;
  const declared = destination.pod.ports.filter(({ name, protocol }) => name !== undefined && names.has(textOfName(name, protocol)));
  return union(numbers, joined(declared.map(({ containerPort, protocol }) => spanOf(protocol, containerPort, containerPort))));
}

/** Whether a rule's list names this port of the destination. A named port counts with its protocol. */
export function portMatches(ports: readonly NetworkPolicyPort[] | undefined, destination: Endpoint, wanted: PortOfPod): boolean {
  if (ports === undefined) return true;
  const { numbers, names } = listedIn(ports);
  if (includes(numbers, wanted)) return true;
  if (names.size === 0 || !isWorkload(destination)) return false;
  return destination.pod.ports.some(
    ({ name, containerPort, protocol }) =>
      containerPort === wanted.port && protocol === wanted.protocol && name !== undefined && names.has(textOfName(name, protocol)),
  );
}
