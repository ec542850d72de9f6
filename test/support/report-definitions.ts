/** The CRDs of the report APIs: OpenReports' own, out of its Go module, and one of wgpolicyk8s.io that is written here. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import type { RawObject } from '../../src/kube/resources.ts';
import { cacheDirectory, NoControlPlane } from './control-plane-binaries.ts';

const run = promisify(execFile);

export const openReports = { module: 'github.com/openreports/reports-api', version: 'v0.2.1' } as const;

/** As their authors publish them, kept beside the programs of the control plane. Throws NoControlPlane if they are not to be had. */
export async function openReportsDefinitions(): Promise<readonly RawObject[]> {
  const directory = join(cacheDirectory(), `openreports-${openReports.version}`);
  if (!existsSync(directory)) await download(directory);
  const files = (await readdir(directory)).filter((file) => file.endsWith('.yaml')).sort();
  return Promise.all(files.map(async (file) => load(await readFile(join(directory, file), 'utf8')) as RawObject));
}

async function download(directory: string): Promise<void> {
  await mkdir(cacheDirectory(), { recursive: true });
  const options = { cwd: cacheDirectory(), env: { ...process.env, GOWORK: 'off', GOFLAGS: '-mod=mod' } };
  try {
    const { stdout } = await run('go', ['mod', 'download', '-json', `${openReports.module}@${openReports.version}`], options);
    const { Dir } = JSON.parse(stdout) as { readonly Dir: string };
    await cp(join(Dir, 'config', 'crd'), directory, { recursive: true });
  } catch (cause) {
    throw new NoControlPlane(
      `the CRDs of OpenReports are not in ${directory}, and Go cannot fetch their module: ${(cause as Error).message}`,
    );
  }
}

/**
 * No registry of modules has wgpolicyk8s.io's CRDs: these are the fields that its API documents, and no more, so that the API
 * server refuses others where it is asked to be strict.
 */
export const policyReportDefinitions = (): readonly RawObject[] => [
  definition('PolicyReport', 'policyreports', 'polr', 'Namespaced'),
  definition('ClusterPolicyReport', 'clusterpolicyreports', 'cpolr', 'Cluster'),
];

const text = { type: 'string' };
const texts = { type: 'object', additionalProperties: text };
const whole = { type: 'integer' };
const object = (properties: RawObject, required: readonly string[] = []) => ({ type: 'object', properties, required });
const reference = {
  ...object({ apiVersion: text, kind: text, namespace: text, name: text, uid: text, resourceVersion: text, fieldPath: text }),
  'x-kubernetes-map-type': 'atomic',
};

const results = {
  type: 'array',
  items: object(
    {
      source: text,
      policy: text,
      rule: text,
      category: text,
      severity: { type: 'string', enum: ['critical', 'high', 'low', 'medium', 'info'] },
      result: { type: 'string', enum: ['pass', 'fail', 'warn', 'error', 'skip'] },
      scored: { type: 'boolean' },
      timestamp: object({ seconds: { type: 'integer', format: 'int64' }, nanos: { type: 'integer', format: 'int32' } }, [
        'nanos',
        'seconds',
      ]),
      resources: { type: 'array', items: reference },
      message: text,
      properties: texts,
    },
    ['policy'],
  ),
};

const definition = (kind: string, plural: string, shortName: string, scope: 'Namespaced' | 'Cluster'): RawObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: `${plural}.wgpolicyk8s.io`,
    // The API server refuses definitions below k8s.io without a word on who approved them.
    annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' },
  },
  spec: {
    group: 'wgpolicyk8s.io',
    names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), shortNames: [shortName] },
    scope,
    versions: [
      {
        name: 'v1alpha2',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: object({
            apiVersion: text,
            kind: text,
            metadata: { type: 'object' },
            scope: reference,
            summary: object({ pass: whole, fail: whole, warn: whole, error: whole, skip: whole }),
            results,
          }),
        },
      },
    ],
  },
});
