/**
 * `npm run krew -- DIRECTORY URL [HOMEPAGE]`: the archive of the kubectl plugin, and the manifest by which krew finds it.
 * URL is the folder that the release publishes the archive in; docs/kubectl-plugin.md tells the rest.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { dump } from 'js-yaml';
import packageJson from '../package.json' with { type: 'json' };

const root = dirname(import.meta.dirname);
const archiveName = 'kubectl-portcullis.tar.gz';
/** Node takes a file without an ending for a module only if a package.json says so, or by looking into it twice. */
const moduleMark = `${JSON.stringify({ name: packageJson.name, version: packageJson.version, type: 'module' })}\n`;

const [directory, url, homepage] = process.argv.slice(2);
if (directory === undefined || url === undefined) throw new Error('Use: npm run krew -- DIRECTORY URL [HOMEPAGE]');
mkdirSync(directory, { recursive: true });
const archive = newArchive();
writeFileSync(join(directory, archiveName), archive);
writeFileSync(join(directory, 'portcullis.yaml'), dump(manifestFor(archive, url.replace(/\/+$/, ''), homepage ?? url), { lineWidth: 120 }));

/** The same bytes for the same files: GNU tar, told to forget when and by whom. */
function newArchive(): Buffer {
  const scratch = mkdtempSync(join(tmpdir(), 'portcullis-krew-'));
  const [built, staged] = [join(scratch, 'dist'), join(scratch, 'archive')];
  try {
    execFileSync(process.execPath, [join(import.meta.dirname, 'build.ts'), built], { cwd: root });
    mkdirSync(staged);
    copyFileSync(join(built, 'portcullis.js'), join(staged, 'kubectl-portcullis'));
    chmodSync(join(staged, 'kubectl-portcullis'), 0o755);
    copyFileSync(join(built, 'LICENSES.txt'), join(staged, 'LICENSES.txt'));
    copyFileSync(join(root, 'LICENSE'), join(staged, 'LICENSE'));
    writeFileSync(join(staged, 'package.json'), moduleMark);
    const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX', '--format=ustar'];
    const tar = execFileSync('tar', ['-c', ...same, '-C', staged, '.'], { maxBuffer: 64 * 1024 * 1024 });
    return gzipSync(tar, { level: 9 });
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Of krew's own kind (krew pkg/index/types.go): nothing of it ever reaches an API server. */
function manifestFor(bytes: Buffer, base: string, homepage: string) {
  return {
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: packageJson.name },
    spec: {
      version: `v${packageJson.version}`,
      homepage,
      shortDescription: 'Find broken Services, Ingresses, NetworkPolicies',
      description: packageJson.description,
      caveats: `Needs Node ${packageJson.engines.node.replace('>=', '')} or newer as "node" in the PATH.\n`,
      platforms: [
        {
          selector: { matchExpressions: [{ key: 'os', operator: 'In', values: ['darwin', 'linux'] }] },
          uri: `${base}/${archiveName}`,
          sha256: createHash('sha256').update(bytes).digest('hex'),
          bin: 'kubectl-portcullis',
          files: ['kubectl-portcullis', 'package.json', 'LICENSE', 'LICENSES.txt'].map((from) => ({ from, to: '.' })),
        },
      ],
    },
  };
}
