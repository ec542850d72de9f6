/** Images without a registry: ours from the Dockerfile, on a base that is made here, and others for a node of the tests. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
// Another docker may come first on the PATH; the one that the package installs knows `COPY --chmod`.
const program = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker';

/** Runs docker in the repository and gives what it prints. */
export const docker = (...args: readonly string[]): string =>
  execFileSync(program, args, {
    cwd: root,
    env: { ...process.env, DOCKER_BUILDKIT: '1' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** Why there is no Docker to be had, or undefined if there is. */
export function whyNoDocker(): string | undefined {
  try {
    docker('version');
    return undefined;
  } catch (error) {
    return `Docker does not answer: ${String((error as { stderr?: string }).stderr ?? error).trim()}`;
  }
}

/** Builds the bundle, the base and the image, in a directory of its own: several tests may do so at once. */
export function buildImage({ image, base }: { readonly image: string; readonly base: string }): void {
  inDirectory((context) => {
    execFileSync(process.execPath, [join(root, 'scripts', 'build.ts'), join(context, 'dist')], { cwd: root });
    importBase(base);
    docker('build', '--file', 'Dockerfile', '--build-arg', `BASE=${base}`, '--tag', image, context);
  });
}

/** A root file system of this very Node and the libraries that it loads: no shell, no package manager. */
function importBase(base: string): void {
  const files = new Map([process.execPath, ...libraries(process.execPath)].map((file) => [file, file]));
  files.set(process.execPath, '/usr/bin/node');
  importFiles(base, files, ['/usr/bin/node']);
}

const libraries = (binary: string): readonly string[] =>
  [...execFileSync('ldd', [binary], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file as string);

/** An image of files of this machine, each at its place in the image, and an empty /tmp. */
export function importFiles(image: string, files: ReadonlyMap<string, string>, entrypoint: readonly string[]): void {
  inDirectory((directory) => {
    const content = join(directory, 'content');
    mkdirSync(join(content, 'tmp'), { recursive: true });
    for (const [file, place] of files) {
      mkdirSync(join(content, dirname(place)), { recursive: true });
      cpSync(realpathSync(file), join(content, place));
    }
    const tar = join(directory, 'content.tar');
    execFileSync('tar', ['-C', content, '-cf', tar, '.']);
    docker('import', '--change', `ENTRYPOINT ${JSON.stringify(entrypoint)}`, tar, image);
  });
}

function inDirectory(act: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-image-'));
  try {
    act(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
