import { describe, expect, it } from 'vitest';
import { formatPortRanges, isWithin, nearestIn, parsePortRange, staticBand } from '../../src/kube/port-range.ts';
import { formatPort, isTargetOfAnother, notYetTargeted, nthWithTarget, servesNumber, targetPortIn } from '../../src/kube/ports.ts';
import type { ContainerPort, PodShape, Protocol, ServicePort } from '../../src/kube/resources.ts';

const pod = (ports: readonly ContainerPort[], probePorts: PodShape['probePorts'] = []): PodShape => ({
  labels: {},
  ports,
  probePorts,
  hostNetwork: false,
  dnsPolicy: 'ClusterFirst',
  nameservers: [],
});
const port = (name: string | undefined, containerPort: number, protocol: Protocol = 'TCP'): ContainerPort => ({
  ...(name !== undefined && { name }),
  containerPort,
  protocol,
});

describe('targetPortIn', () => {
  const dns = pod([port('dns', 53), port('dns', 5353, 'UDP'), port('dns', 9953), port(undefined, 8080)]);
  it.each<[number | string, Protocol, number | undefined]>([
    ['dns', 'TCP', 53], // the first hit wins
    ['dns', 'UDP', 5353],
    ['dns', 'SCTP', undefined],
    ['web', 'TCP', undefined],
    ['8080', 'TCP', undefined], // a string is a name, whatever it looks like
    [8080, 'TCP', 8080],
    [1, 'UDP', 1], // a number needs no declaration
  ])('%s/%s leads to %s', (targetPort, protocol, expected) => expect(targetPortIn(dns, { targetPort, protocol })).toBe(expected));
});

describe('Service ports that lead to the same', () => {
  const to = (targetPort: number | string, protocol: Protocol = 'TCP'): ServicePort => ({ port: 1, protocol, targetPort });
  const ports = [to('web'), to(80), to('web'), to('web', 'UDP'), to('80'), to('web')];

  it('are counted in their order, by target and protocol', () => {
    expect(ports.map((_, index) => nthWithTarget(ports, index))).toEqual([1, 1, 2, 1, 1, 3]);
  });

  it('are told from this one', () => {
    expect(isTargetOfAnother(ports, 0, 'TCP', 'web')).toBe(true);
    expect(isTargetOfAnother(ports, 3, 'UDP', 'web')).toBe(false);
    expect(isTargetOfAnother(ports, 0, 'TCP', 80)).toBe(true);
    expect(isTargetOfAnother(ports, 1, 'TCP', 80)).toBe(false);
    expect(isTargetOfAnother(ports, 1, 'TCP', undefined)).toBe(false);
  });

  it('leave what none of them leads to, by name or number', () => {
    const declared = [
      { name: 'web', containerPort: 8080, protocol: 'TCP' },
      { name: 'api', containerPort: 80, protocol: 'TCP' },
      { name: 'db', containerPort: 5432, protocol: 'TCP' },
    ] as const;
    const names = (index: number): readonly string[] => notYetTargeted(declared, ports, index).map(({ name = '' }) => name);
    expect([names(0), names(1)]).toEqual([['db'], ['api', 'db']]);
  });
});

describe('servesNumber', () => {
  const probed = pod([port('http', 8080), port('dns', 53, 'UDP')], [9090, 'http', 'nothing']);
  it.each<[number, Protocol, boolean]>([
    [8080, 'TCP', true],
    [8080, 'UDP', false],
    [53, 'UDP', true],
    [53, 'TCP', false],
    [9090, 'TCP', true],
    [9090, 'UDP', false], // probes are TCP
    [1, 'TCP', false],
  ])('%s/%s: %s', (number, protocol, expected) => expect(servesNumber(probed, number, protocol)).toBe(expected));

  it('takes a probe by name for the number that the name stands for', () =>
    expect(servesNumber(pod([port('http', 8080, 'UDP')], ['http']), 8080, 'TCP')).toBe(true));
});

it('writes ports as people do', () => {
  expect(formatPort(port('http', 8080))).toBe('http (8080/TCP)');
  expect(formatPort(port(undefined, 53, 'UDP'))).toBe('53/UDP');
});

describe('port ranges', () => {
  it.each([
    ['30000-32767', { from: 30000, to: 32767 }],
    ['30443', { from: 30443, to: 30443 }],
    [30443, { from: 30443, to: 30443 }],
    ['30199-30100', undefined],
    ['0', undefined],
    ['65536', undefined],
    ['30000-', undefined],
    [' 30000', undefined],
    ['30000-30001-30002', undefined],
    [80.5, undefined],
    [-1, undefined],
  ])('%s', (text, range) => expect(parsePortRange(text)).toEqual(range));

  const ranges = [
    { from: 10, to: 12 },
    { from: 20, to: 20 },
  ];
  it.each([
    [9, false],
    [10, true],
    [12, true],
    [13, false],
    [20, true],
  ])('hold %s: %s', (one, expected) => expect(isWithin(ranges, one)).toBe(expected));

  it.each<[number, readonly number[], number | undefined]>([
    [1, [], 10],
    [11, [], 11],
    [11, [11], 10], // the lower of two that are as near
    [100, [], 20],
    [100, [20], 12],
    [100, [10, 11, 12, 20], undefined],
  ])('the nearest to %s without %j is %s', (wanted, taken, expected) =>
    expect(nearestIn(ranges, wanted, (one) => !taken.includes(one))).toBe(expected),
  );

  it('are written short', () => {
    expect(formatPortRanges(ranges)).toBe('10-12, 20');
    expect(formatPortRanges(Array.from({ length: 6 }, (_, at) => ({ from: at + 1, to: at + 1 })))).toBe('1, 2, 3, 4, …');
  });
});

describe('the part of a range for chosen ports (portallocator: calculateRangeOffset)', () => {
  it.each([
    [30000, 32767, 86],
    [30000, 30099, 16],
    [30000, 39999, 128],
    [30000, 30016, 16],
  ])('%s-%s begins with %s', (from, to, size) => expect(staticBand({ from, to })).toEqual({ from, to: from + size - 1 }));

  it('is none in a range of 16', () => expect(staticBand({ from: 30000, to: 30015 })).toBeUndefined());
});
