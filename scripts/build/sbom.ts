/** What is in the one file, as a CycloneDX bill of materials: npm writes it, of what it installed; here it is cut down to what was bundled. */
import { execFileSync } from 'node:child_process';

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
}

interface Bom {
  readonly metadata: { readonly component: Component & Readonly<Record<string, unknown>> };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * `bundled` are `name@version`. Two builds of one commit give the same bytes: the moment and the random serial number
 * that npm adds are left out, both optional in CycloneDX 1.5. Throws if npm knows nothing of a bundled package.
 */
export function sbomOf(bundled: ReadonlySet<string>): string {
  // Not `--omit dev`: npm then leaves out zod and undici too, which tools of ours need as well.
  const all = JSON.parse(
    execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 64 * 1024 * 1024,
    }),
  ) as Bom & { readonly metadata: { readonly timestamp: string }; readonly serialNumber: string };
  const { serialNumber: _random, ...bom } = all;
  const { timestamp: _moment, ...metadata } = bom.metadata;
  const components = bom.components.filter(({ name, version }) => bundled.has(`${name}@${version}`));
  const missing = [...bundled].filter((one) => !components.some(({ name, version }) => one === `${name}@${version}`));
  if (missing.length > 0) throw new Error(`npm's bill of materials lacks ${missing.join(', ')}`);
  const kept = new Set([metadata.component['bom-ref'], ...components.map((component) => component['bom-ref'])]);
  const dependencies = bom.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => kept.has(one)) }));
  const component = { ...metadata.component, type: 'application', name: 'portcullis' };
  return `${JSON.stringify({ ...bom, metadata: { ...metadata, component }, components, dependencies }, null, 2)}\n`;
}
