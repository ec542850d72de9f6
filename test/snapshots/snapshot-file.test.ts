import { globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Reaches } from '../../src/cluster/reach.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { OperatorError } from '../../src/errors.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { ObjectRef, RawObject } from '../../src/kube/resources.ts';
import { decodeSnapshot } from '../../src/snapshots/decode.ts';
import { collections } from '../../src/snapshots/schema.ts';
import { readRuleTable } from '../support/rule-table.ts';
import { encoded, everywhere, throughFile } from '../support/snapshot-file.ts';

const at = Date.UTC(2026, 10, 21);
const snapshotOf = (objects: readonly RawObject[]): ClusterSnapshot =>
  ClusterSnapshot.empty({ observedAt: at, coverage: () => 'complete' }).with(objects.flatMap((raw) => normalize(raw) ?? []));

const service = (more: RawObject = {}, metadata: RawObject = {}): RawObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', ...metadata },
  spec: { selector: { app: 'web' }, ports: [{ port: 80 }], ...more },
});
const pod = (name: string, more: RawObject = {}): RawObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', labels: { app: 'web', 'apps.kubernetes.io/pod-index': name.slice(-1) } },
  spec: { nodeName: 'n', containers: [{ ports: [{ containerPort: 80 }] }] },
  status: { podIPs: [{ ip: '10.0.0.1' }], conditions: [{ type: 'Ready', status: 'True' }] },
  ...more,
});

const named = collections.filter((one) => one !== 'Pod' && one !== 'Secret');
const contentOf = (snapshot: ClusterSnapshot) => ({
  objects: named.map((collection) => snapshot.listAll(collection)),
  pods: snapshot.listAll('Pod').map((shape) => [shape, [...snapshot.pods(shape).records()]]),
});

describe('a snapshot that is written and read', () => {
  it.each(globSync('test/rules/*.yaml').sort())('holds all that the clusters of %s do', (file) => {
    const { valid, invalid } = readRuleTable(file);
    for (const { cluster, object } of [...valid, ...invalid]) {
      const live = snapshotOf([...cluster, object]);
      expect(contentOf(throughFile(live).snapshot)).toEqual(contentOf(live));
    }
  });

  it('keeps when objects changed and who claims a nodePort, and not the uid', () => {
    const managedFields = [
      {
        manager: 'kubectl',
        operation: 'Apply',
        time: '2026-11-20T10:00:00Z',
        fieldsV1: { 'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { 'f:nodePort': {} } } } },
      },
    ];
    const made = { uid: 'u-1', creationTimestamp: '2026-11-19T10:00:00Z' };
    const live = snapshotOf([service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }, { ...made, managedFields })]);
    const [found] = throughFile(live).snapshot.listAll('Service');
    expect(found?.metadata.changedMs).toBe(Date.UTC(2026, 10, 20, 10));
    expect(found?.metadata.createdMs).toBe(Date.UTC(2026, 10, 19, 10));
    expect(found?.metadata.uid).toBeUndefined();
    expect(found?.spec.ports).toEqual(live.listAll('Service')[0]?.spec.ports);
    expect(found?.spec.ports[0]?.nodePortNamed).toBe(true);
  });

  it('keeps of each Pod what is its own', () => {
    const live = snapshotOf([pod('web-0'), pod('web-1', { status: { podIPs: [{ ip: '10.0.0.2' }, { ip: 'fd00::2' }] } })]);
    const { snapshot } = throughFile(live);
    expect(snapshot.listAll('Pod')).toHaveLength(1);
    expect(contentOf(snapshot)).toEqual(contentOf(live));
    expect(snapshot.workloadsSelectedBy({ app: 'web', 'apps.kubernetes.io/pod-index': '1' }, 'shop')).toHaveLength(1);
  });

  it('treats a label called __proto__ or constructor as a label', () => {
    const live = snapshotOf([service({ selector: { constructor: 'x', toString: 'y' } })]);
    const [found] = throughFile(live).snapshot.listAll('Service');
    expect(Object.entries(found?.spec.selector ?? {})).toEqual([
      ['constructor', 'x'],
      ['toString', 'y'],
    ]);
    expect(Object.getPrototypeOf(found?.spec.selector)).toBeNull();
  });

  it('knows as much of the cluster as whoever took it, and describes the same moment', () => {
    const reaches: Reaches = new Map([
      ['Service', { everywhere: 'forbidden', namespaces: new Map([['shop', 'complete']]) }],
      ['Pod', { everywhere: 'unsynced', namespaces: new Map() }],
      ['Certificate', { everywhere: 'notServed', namespaces: new Map() }],
    ] as const);
    const { snapshot } = decodeSnapshot('c', encoded(snapshotOf([]), reaches));
    expect(snapshot.observedAt).toBe(at);
    const asked = (['Service', 'Pod', 'Certificate', 'Ingress', 'Secret'] as const).map((one) => [
      snapshot.coverage(one, 'shop'),
      snapshot.coverage(one, '*'),
    ]);
    expect(asked).toEqual([
      ['complete', 'forbidden'],
      ['unsynced', 'unsynced'],
      ['notServed', 'notServed'],
      ['forbidden', 'forbidden'],
      ['forbidden', 'forbidden'],
    ]);
  });

  it('keeps no annotation that no rule reads', () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': 'S3NTINEL', 'exempt.portcullis.dev/x': 'why' };
    const live = snapshotOf([service({}, { annotations })]);
    const text = encoded(live, everywhere, { readsAnnotation: (key) => key.startsWith('exempt.') });
    expect(text).not.toContain('S3NTINEL');
    expect(decodeSnapshot('c', text).snapshot.listAll('Service')[0]?.metadata.annotations).toEqual({ 'exempt.portcullis.dev/x': 'why' });
  });

  it('keeps the key alone where no rule reads the value', () => {
    const live = snapshotOf([service({}, { annotations: { 'proxy.example/snippet': 'S3NTINEL', note: 'S3NTINEL' } })]);
    const text = encoded(live, everywhere, { readsAnnotation: () => false, readsAnnotationKey: (key) => key.startsWith('proxy.example/') });
    expect(text).not.toContain('S3NTINEL');
    expect(decodeSnapshot('c', text).snapshot.listAll('Service')[0]?.metadata.annotations).toEqual({ 'proxy.example/snippet': '' });
  });
});

describe('Secrets of a snapshot', () => {
  const ref = (name: string, namespace = 'shop'): ObjectRef => ({ apiVersion: 'v1', kind: 'Secret', namespace, name });
  const partly: Reaches = new Map([...everywhere, ['Secret', { everywhere: 'forbidden', namespaces: new Map([['shop', 'complete']]) }]]);
  const secrets = { present: [ref('tls'), ref('far', 'other')], absent: [ref('gone', 'other')] };
  const { secret } = decodeSnapshot('c', encoded(snapshotOf([]), partly, { secrets }));

  it('are there, or not, or not known, as the API server would have told', () => {
    expect(secret(ref('tls'))).toMatchObject({ kind: 'Secret', metadata: { name: 'tls', namespace: 'shop' } });
    expect(secret(ref('far', 'other'))).toMatchObject({ metadata: { name: 'far' } });
    expect(secret(ref('no-such'))).toBe('absent');
    expect(secret(ref('gone', 'other'))).toBe('absent');
    expect(secret(ref('no-such', 'other'))).toBe('unknown');
  });
});

describe('a file that is no snapshot', () => {
  const good = JSON.parse(encoded(snapshotOf([service()])));
  const refusal = (text: string): string => {
    try {
      decodeSnapshot('c.json', text);
    } catch (error) {
      if (error instanceof OperatorError) return `${error.code} ${error.message} | ${error.hint}`;
      throw error;
    }
    return 'accepted';
  };

  it.each<[string, unknown, string]>([
    ['no JSON', undefined, 'PC0011 c.json is no snapshot: it is not a JSON object'],
    ['a list', [], 'PC0011 c.json is no snapshot: it is not a JSON object'],
    ['another object', { apiVersion: 'v1', kind: 'Pod' }, 'PC0011 c.json is no snapshot: its kind is not Snapshot'],
    [
      'a later version',
      { ...good, apiVersion: 'portcullis.dev/v2' },
      'PC0011 c.json is a snapshot of another version than portcullis.dev/v1',
    ],
    ['a part of one', { ...good, resources: { ...good.resources, Service: undefined } }, 'PC0011 c.json is damaged: resources.Service'],
    [
      'a port that is none',
      {
        ...good,
        resources: {
          ...good.resources,
          Service: [{ ...good.resources.Service[0], spec: { ...good.resources.Service[0].spec, ports: [{ port: '80' }] } }],
        },
      },
      'PC0011 c.json is damaged: resources.Service[0].spec.ports[0].protocol',
    ],
    ['a coverage that is none', { ...good, coverage: { Pod: { everywhere: 'all' } } }, 'PC0011 c.json is damaged: coverage.Pod.everywhere'],
    ['a time that is none', { ...good, takenAt: 'yesterday' }, 'PC0011 c.json is damaged: takenAt'],
  ])('is refused: %s', (_, value, start) => {
    const told = refusal(value === undefined ? '{"kind": "Snap' : JSON.stringify(value));
    expect(told.startsWith(start), told).toBe(true);
    expect(told).toContain('portcullis snapshot');
  });

  it('is read all the same if a later release has added keys to it', () =>
    expect(refusal(JSON.stringify({ ...good, comment: 'new', resources: { ...good.resources, Gateway: [] } }))).toBe('accepted'));
});
