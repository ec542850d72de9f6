import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

describe('the build', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'portcullis-build-'));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it('gives the same bytes twice, and says what is in them', { timeout: 60_000 }, () => {
    const built = (): string[] => {
      const directory = join(scratch, 'dist');
      execFileSync(process.execPath, ['scripts/build.ts', directory]);
      return ['portcullis.js', 'LICENSES.txt', 'sbom.cdx.json'].map((file) => readFileSync(join(directory, file), 'utf8'));
    };
    const [first, second] = [built(), built()];
    expect(second).toEqual(first);
    const [, licences = '', text = ''] = first;
    const bom = JSON.parse(text) as {
      readonly bomFormat: string;
      readonly components: readonly { readonly name: string; readonly version: string; readonly hashes: readonly unknown[] }[];
    };
    expect(bom.bomFormat).toBe('CycloneDX');
    expect(bom.components.map(({ name }) => name)).toEqual(expect.arrayContaining(['fastify', 'pino', 'undici', 'zod', 'js-yaml']));
    const page = execFileSync(process.execPath, [
      join(scratch, 'dist', 'portcullis.js'),
      'check',
      '-o',
      'html',
      '--assume-complete',
      'examples/cluster',
    ]);
    expect(page.toString(), 'Graphviz is in the file too').toContain('<svg class="fits"');
    for (const { name, version, hashes } of bom.components) {
      expect(licences).toContain(`${name} ${version}: `);
      expect(hashes.length).toBeGreaterThan(0);
    }
  });
});
