import { describe, expect, it } from 'vitest';
import { bystanders, enforcers } from '../../src/cluster/network-plugins.ts';
import { findBystander, findEnforcer, gapsOf, onlyEnforcer } from '../../src/cluster/policy-enforcement.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject } from '../../src/kube/resources.ts';

const viewOf = (...objects: readonly RawObject[]): ClusterSnapshot =>
  ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(objects.flatMap((raw) => normalize(raw) ?? []));

const workload = (kind: string, name: string, images: readonly string[], namespace = 'kube-system'): RawObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, namespace },
  spec: { template: { metadata: { labels: { app: name } }, spec: { containers: images.map((image) => ({ image })) } } },
});
const daemonSet = (name: string, images: readonly string[], namespace?: string) => workload('DaemonSet', name, images, namespace);
const cilium = (...images: readonly string[]) =>
  gapsOf(onlyEnforcer(viewOf(daemonSet('cilium', images)))).map(({ capability }) => capability);

describe('what enforces nothing', () => {
  it.each([
    ['flannel', true],
    ['ghcr.io/flannel-io/flannel:v0.28.11', true],
    ['registry:5000/rancher/hardened-flannel:v0.27.4@sha256:0f5c', true],
    ['ghcr.io/flannel-io/flannel-cni-plugin:v1.9.0', false],
    ['registry.example/flannel/guard:1', false],
    ['', false],
  ])('is told by %s: %s', (image, expected) => {
    expect(findBystander(viewOf(daemonSet('net', [image]))) !== undefined).toBe(expected);
  });

  it('has no container that is not its own, and at least one', () => {
    expect(findBystander(viewOf(daemonSet('net', ['flannel', 'guard'])))).toBeUndefined();
    expect(findBystander(viewOf(daemonSet('net', [])))).toBeUndefined();
  });

  it('runs on every node, as a DaemonSet', () => {
    expect(findBystander(viewOf(workload('Deployment', 'net', ['flannel'])))).toBeUndefined();
  });

  it('is never what enforces by its own name', () => {
    for (const { images } of bystanders)
      for (const image of images) expect(findEnforcer(viewOf(daemonSet('net', [image])))).toBeUndefined();
  });
});

describe('what enforces', () => {
  it.each(enforcers.flatMap(({ title, words }) => words.map((word) => [word, title] as const)))(
    '%s is %s and nothing else',
    (word, title) => {
      for (const view of [viewOf(daemonSet(`x-${word}`, [])), viewOf(daemonSet('x', [`registry.example/${word}:1`], 'far-away'))]) {
        expect(findEnforcer(view)?.plugin.title).toBe(title);
        expect(new Set(onlyEnforcer(view).map(({ plugin }) => plugin.title))).toEqual(new Set([title]));
      }
    },
  );

  it('is nobody for certain where there are two', () => {
    expect(onlyEnforcer(viewOf(daemonSet('cilium', []), daemonSet('calico-node', [])))).toEqual([]);
  });

  it('may have several DaemonSets', () => {
    expect(onlyEnforcer(viewOf(daemonSet('cilium', []), daemonSet('cilium-envoy', [])))).toHaveLength(2);
  });
});

describe('gaps of a version', () => {
  it.each([
    [['quay.io/cilium/cilium:v1.15.19'], true],
    [['quay.io/cilium/cilium:v1.15.19@sha256:0f5c'], true],
    [['rancher/mirrored-cilium-cilium:1.9.0'], true],
    [['quay.io/cilium/cilium:v1.16.0'], false],
    [['quay.io/cilium/cilium:v2.0.0'], false],
    [['quay.io/cilium/cilium:v1.15.19', 'quay.io/cilium/cilium:v1.16.0'], false],
    [['quay.io/cilium/cilium:v1.15.19-gke.1'], false],
    [['quay.io/cilium/cilium:latest'], false],
    [['quay.io/cilium/cilium@sha256:0f5c'], false],
    [['quay.io/cilium/cilium-envoy:v1.15.19'], false],
  ])('%j knows no ranges: %s', (images, expected) => {
    expect(cilium(...images).includes('endPort')).toBe(expected);
  });

  it('are none where nobody is seen', () => {
    expect(gapsOf([])).toEqual([]);
  });
});
