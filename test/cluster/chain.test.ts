import { describe, expect, it } from 'vitest';
import { chainFrom, portCalled, routesOf } from '../../src/cluster/chain.ts';
import { RecordingView } from '../../src/cluster/recording.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { formatPath } from '../../src/kube/field-path.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { Ingress, RawObject, Service } from '../../src/kube/resources.ts';

const object = (apiVersion: string, kind: string, spec: RawObject): RawObject => ({
  apiVersion,
  kind,
  metadata: { namespace: 'shop', name: 'web' },
  spec,
});
const service = (spec: RawObject): Service => normalize(object('v1', 'Service', spec)) as Service;
const to = (port: { readonly name?: string; readonly number?: number }) => ({ service: { name: 'web', port } });
const view = (...objects: readonly RawObject[]): RecordingView =>
  new RecordingView(
    ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(objects.flatMap((raw) => normalize(raw) ?? [])),
  );

describe('the port that an Ingress means', () => {
  const both = service({
    ports: [
      { name: 'quic', port: 443, protocol: 'UDP' },
      { name: 'https', port: 443 },
    ],
  });
  it('is the one that speaks TCP, of two with one number', () => expect(portCalled({ number: 443 }, both)?.name).toBe('https'));
  it('is the one of that name, whatever its protocol', () => expect(portCalled({ name: 'quic' }, both)?.protocol).toBe('UDP'));
  it('has no name where the Service gives it none', () =>
    expect(portCalled({ name: '80' }, service({ ports: [{ port: 80 }] }))).toBeUndefined());
});

describe('the routes of an Ingress', () => {
  it('are its default backend, then each path', () => {
    const paths = [
      { path: '/a', backend: to({ number: 80 }) },
      { path: '/b', backend: to({ number: 81 }) },
    ];
    const spec = { defaultBackend: to({ number: 82 }), rules: [{ host: 'a.example' }, { host: 'b.example', http: { paths } }] };
    const routes = routesOf(normalize(object('networking.k8s.io/v1', 'Ingress', spec)) as Ingress);
    expect(routes.map(({ path, host, urlPath, backend }) => [formatPath(path), host, urlPath, backend.service?.port.number])).toEqual([
      ['spec.defaultBackend', undefined, undefined, 82],
      ['spec.rules[1].http.paths[0].backend', 'b.example', '/a', 80],
      ['spec.rules[1].http.paths[1].backend', 'b.example', '/b', 81],
    ]);
  });
});

describe('the chain', () => {
  it('looks for no Pods behind a Service that is not there, or lacks the port', () => {
    const seen = view(object('v1', 'Service', { selector: { app: 'web' }, ports: [{ port: 80 }] }));
    expect(chainFrom({ service: { name: 'api', port: { number: 80 } } }, 'shop', seen).end).toBe('noService');
    expect(chainFrom(to({ number: 8080 }), 'shop', seen).end).toBe('noPort');
    expect(new Set(seen.reads.map(({ collection }) => collection))).toEqual(new Set(['Service']));
  });
  it('goes on in an annotation where the port is called so, Service or not', () =>
    expect(chainFrom(to({ name: 'use-annotation' }), 'shop', view()).end).toBe('resource'));
  it('is not broken where one of several workloads has the port', () => {
    const pod = (name: string, port: string): RawObject => ({
      ...object('v1', 'Pod', { containers: [{ ports: [{ name: port, containerPort: 80 }] }] }),
      metadata: { namespace: 'shop', name, labels: { app: 'web' } },
    });
    const web = object('v1', 'Service', { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] });
    expect(chainFrom(to({ number: 80 }), 'shop', view(web, pod('a', 'http'), pod('b', 'metrics'))).end).toBe('pods');
    expect(chainFrom(to({ number: 80 }), 'shop', view(web, pod('b', 'metrics'))).end).toBe('noTargetPort');
    expect(chainFrom(to({ number: 80 }), 'shop', view(web)).end).toBe('noPods');
  });
});
