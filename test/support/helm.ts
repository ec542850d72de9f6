/** Both Helms, and what the chart renders to. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, inject } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import type { HelmPaths } from './control-plane-binaries.ts';
import { type Helm, versions } from './control-plane-build.ts';

export const chart = 'charts/portcullis';

/** `describe` for what needs Helm: `test/chart/global-setup.ts` has said loudly what is left out, or has failed. */
export const describeWithHelm = describe.runIf(inject('helm') !== null);

export function helmPath(helm: Helm): string {
  const paths: HelmPaths | null = inject('helm');
  if (paths === null) throw new Error('there is no Helm: use describeWithHelm');
  return paths[helm];
}

// biome-ignore lint/suspicious/noExplicitAny: objects of every kind, which tests pick apart
export type Rendered = any;

export interface RenderOptions {
  readonly helm?: Helm;
  readonly release?: string;
  readonly namespace?: string;
  readonly flags?: readonly string[];
}

/** Releases' names by which the objects are called `portcullis`. */
const standard = { helm: 'helm4', release: 'portcullis', namespace: 'portcullis', flags: [] } as const;

/** The bytes that `helm template` prints for these values; throws with what Helm says. */
export function renderText(values: RawObject = {}, options: RenderOptions = {}): string {
  const { status, stdout, stderr } = template(values, options);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** The objects, in the order of their kinds and names. */
export const render = (values: RawObject = {}, options: RenderOptions = {}): readonly Rendered[] => objectsOf(renderText(values, options));

/** What Helm says of values that it must not take; throws if it takes them. */
export function refusal(values: RawObject, options: RenderOptions = {}): string {
  const { status, stderr } = template(values, options);
  if (status === 0) throw new Error('the chart takes these values');
  return stderr;
}

function objectsOf(text: string): readonly Rendered[] {
  const key = ({ kind, metadata }: Rendered): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
  return (loadAll(text) as Rendered[]).filter((one) => one !== null).sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function template(values: RawObject, options: RenderOptions) {
  const { helm, release, namespace, flags } = { ...standard, ...options };
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-values-'));
  try {
    const file = join(directory, 'values.json');
    writeFileSync(file, JSON.stringify(values));
    // Without a cluster, Helm 3 takes its version for 1.20, unless its makefile has built it.
    const args = ['template', release, chart, '--namespace', namespace, '--values', file, '--kube-version', versions.kubernetes, ...flags];
    return spawnSync(helmPath(helm), args, { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export const runHelm = (helm: Helm, args: readonly string[]): string => execFileSync(helmPath(helm), args, { encoding: 'utf8' });
