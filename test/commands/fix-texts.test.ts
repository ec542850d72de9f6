/** The rounds of edits and judgements, and the file that is replaced, where no rule of ours would lead to what is tried. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fixTexts, type Judge } from '../../src/commands/fix-texts.ts';
import { replaceFile } from '../../src/commands/replace-file.ts';
import type { PatchOperation } from '../../src/engine/finding.ts';
import { isJudged } from '../../src/kube/collections.ts';
import { manifestsIn } from '../../src/sources/manifests.ts';
import { findingWith, snapshotOf } from '../admission/reviews.ts';

const service = (port: number, type = 'ClusterIP'): string => `apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: ${type}, ports: [{port: ${port}}]}
`;
const files = (text: string) => ({ files: [{ file: 'web.yaml', text, argument: 0 }], errors: [] });

/** Finds the same defects whatever is there. */
const finding =
  (...patches: readonly (readonly PatchOperation[])[]): Judge =>
  async (read) => {
    const loaded = manifestsIn(read, ['web.yaml'], {});
    const found = (patch: readonly PatchOperation[], index: number) =>
      ({ finding: findingWith({ fix: { text: '', patch }, fingerprint: String(index) }), mode: 'warn' }) as const;
    const outcomes = loaded.manifests.flatMap(({ resource, rejected }) =>
      resource && isJudged(resource) && !rejected
        ? [{ object: resource, ran: [], findings: patches.map(found), exempted: [], skipped: [], faults: [], notices: [] }]
        : [],
    );
    return { loaded, outcomes, snapshot: snapshotOf() };
  };
const port = (value: number): readonly PatchOperation[] => [{ op: 'replace', path: ['spec', 'ports', 0, 'port'], value }];

describe('the edits of findings', () => {
  it('are each made once, though the finding stays', async () => {
    const { files: fixed, attempts } = await fixTexts(files(service(80)), finding(port(81), port(82)));
    expect(fixed[0]?.text).toBe(service(82));
    expect(attempts.map(({ why }) => why)).toEqual([undefined, undefined]);
  });

  it('are taken back where the API server would refuse the object', async () => {
    const type: readonly PatchOperation[] = [{ op: 'replace', path: ['spec', 'type'], value: 'NodePort' }];
    const { files: fixed, attempts, judged } = await fixTexts(files(service(80)), finding(port(0), type));
    expect(fixed[0]?.text).toBe(service(80, 'NodePort'));
    expect(attempts.map(({ why }) => why)).toEqual(['the API server would refuse the object then', undefined]);
    expect(judged.loaded.errors).toEqual([]);
  });
});

describe('a file', () => {
  function written(text: string) {
    const directory = mkdtempSync(join(tmpdir(), 'replace-file-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'web.yaml');
    writeFileSync(file, text);
    return { directory, file };
  }

  it('that has changed meanwhile is left alone', async () => {
    const { directory, file } = written('mine');
    expect(await replaceFile({ file, given: directory, from: 'theirs', to: 'ours' })).toBe('has been changed since it was read');
    expect([readFileSync(file, 'utf8'), readdirSync(directory)]).toEqual(['mine', ['web.yaml']]);
  });

  it('that is gone is not made', async () => {
    const { directory, file } = written('mine');
    rmSync(file);
    expect(await replaceFile({ file, given: directory, from: 'mine', to: 'ours' })).toBe('cannot be written (ENOENT)');
    expect(readdirSync(directory)).toEqual([]);
  });
});
