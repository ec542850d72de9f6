import { expect, it } from 'vitest';
import { localAddressesOf } from '../../src/kube/node-cache.ts';

it.each([
  ['as in the manifest of Kubernetes', { args: ['-localip', '169.254.20.10,10.96.0.10', '-conf', '/etc/Corefile'] }],
  ['with two dashes', { args: ['--localip', '169.254.20.10,10.96.0.10'] }],
  ['after an equals sign, with spaces', { args: ['-localip=169.254.20.10, 10.96.0.10'] }],
  ['in the command', { command: ['/node-cache', '-localip', '169.254.20.10,10.96.0.10,169.254.20.10'] }],
  ['across command and arguments', { command: ['/node-cache', '-localip'], args: ['169.254.20.10,10.96.0.10'] }],
  ['beside what cannot be read', { args: ['-localip', '169.254.20.10,__PILLAR__DNS__SERVER__,10.96.0.10'] }],
])('reads the addresses %s', (_, container) =>
  expect(localAddressesOf([{ name: 'other', args: ['-v', '2'] }, container])).toEqual(['169.254.20.10', '10.96.0.10']),
);

it('reads IPv6', () => expect(localAddressesOf([{ args: ['-localip', 'fd00::10'] }])).toEqual(['fd00::10']));

it.each([
  ['nothing of the kind', { args: ['-conf', '/etc/Corefile'] }],
  ['no arguments', {}],
  ['no value', { args: ['-localip'] }],
  ['no address', { args: ['-localip', '$(LOCAL_DNS)'] }],
  ['another flag of a similar name', { args: ['-localipv6', '169.254.20.10'] }],
])('finds none in %s', (_, container) => expect(localAddressesOf([container])).toBeUndefined());
