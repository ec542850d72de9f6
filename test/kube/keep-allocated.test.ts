import { describe, expect, it } from 'vitest';
import { keepAllocated } from '../../src/kube/keep-allocated.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject, Service } from '../../src/kube/resources.ts';

const service = (spec: RawObject): Service => normalize({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec }) as Service;
const kept = (after: RawObject, before: RawObject) => {
  const { clusterIPs, ports } = keepAllocated(service(after), service(before)).spec;
  return { clusterIPs, nodePorts: ports.map(({ nodePort }) => nodePort) };
};
const http = { name: 'http', port: 80 };
const https = { name: 'https', port: 443 };

describe('keepAllocated', () => {
  const before = {
    type: 'NodePort',
    clusterIP: '10.96.0.10',
    ports: [
      { ...http, nodePort: 30080 },
      { ...https, nodePort: 30443 },
    ],
  };

  it('keeps the address, and each nodePort by the name of its port', () =>
    expect(kept({ type: 'NodePort', ports: [https, { ...http, port: 8080 }] }, before)).toEqual({
      clusterIPs: ['10.96.0.10'],
      nodePorts: [30443, 30080],
    }));

  it('says that nobody named what was kept', () =>
    expect(keepAllocated(service({ type: 'NodePort', ports: [http] }), service(before)).spec.ports[0]?.nodePortNamed).toBe(false));

  it.each<[string, RawObject, ReturnType<typeof kept>]>([
    [
      'what is given',
      { type: 'NodePort', clusterIP: 'None', ports: [{ ...http, nodePort: 31000 }] },
      { clusterIPs: ['None'], nodePorts: [31000] },
    ],
    ['a type without nodePorts', { ports: [http] }, { clusterIPs: ['10.96.0.10'], nodePorts: [undefined] }],
    [
      'a type without an address',
      { type: 'ExternalName', externalName: 'x.example', ports: [http] },
      { clusterIPs: [], nodePorts: [undefined] },
    ],
    [
      'a port of another name',
      { type: 'NodePort', ports: [{ name: 'new', port: 80 }] },
      { clusterIPs: ['10.96.0.10'], nodePorts: [undefined] },
    ],
    [
      'a number that another port has taken',
      { type: 'NodePort', ports: [http, { ...https, nodePort: 30080 }] },
      { clusterIPs: ['10.96.0.10'], nodePorts: [undefined, 30080] },
    ],
  ])('leaves as it is: %s', (_, after, expected) => expect(kept(after, before)).toEqual(expected));
});
