/** `kubectl portcullis` by real kubectl, out of the archive that a release publishes, laid out as its krew manifest says. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { rules } from '../../src/rules/index.ts';
import { connectCluster, describeOnCluster } from '../support/cluster.ts';
import { kubeconfigOf } from '../support/control-plane.ts';

const root = resolve(import.meta.dirname, '..', '..');

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly version: string;
    readonly shortDescription: string;
    readonly platforms: readonly {
      readonly uri: string;
      readonly sha256: string;
      readonly bin: string;
      readonly files: readonly { readonly from: string; readonly to: string }[];
    }[];
  };
}

describeOnCluster('the kubectl plugin', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'portcullis-plugin-'));
  const [release, store, bin] = [join(scratch, 'release'), join(scratch, 'store'), join(scratch, 'bin')];
  const archive = join(release, 'kubectl-portcullis.tar.gz');
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  function kubectl(...args: readonly string[]) {
    const address = inject('controlPlane');
    if (address === null) throw new Error('there is no control plane: use describeOnCluster');
    const env = { PATH: `${bin}:${join(process.execPath, '..')}:/usr/bin:/bin`, HOME: scratch, KUBECONFIG: kubeconfigOf(address, 'admin') };
    const { status, stdout, stderr } = spawnSync(address.kubectl, args, { env, cwd: root, encoding: 'utf8' });
    return { code: status, stdout, stderr };
  }

  beforeAll(() => {
    execFileSync(process.execPath, ['scripts/krew.ts', release, 'https://releases.invalid/v1/'], { cwd: root });
    for (const directory of [store, bin]) mkdirSync(directory);
    execFileSync('tar', ['-xzf', archive, '-C', store]);
    for (const name of ['kubectl-portcullis', 'kubectl_complete-portcullis'])
      symlinkSync(join(store, 'kubectl-portcullis'), join(bin, name));
  });

  it('has a manifest that names the archive as it is', () => {
    const { apiVersion, kind, metadata, spec } = load(readFileSync(join(release, 'portcullis.yaml'), 'utf8')) as Manifest;
    expect([apiVersion, kind, metadata.name]).toEqual(['krew.googlecontainertools.github.com/v1alpha2', 'Plugin', 'portcullis']);
    expect(spec.version).toBe(`v${packageJson.version}`);
    // Krew's own limit (krew-index, docs of naming and style).
    expect(spec.shortDescription.length).toBeLessThanOrEqual(50);
    const [platform] = spec.platforms;
    expect(platform?.uri).toBe('https://releases.invalid/v1/kubectl-portcullis.tar.gz');
    expect(platform?.sha256).toBe(createHash('sha256').update(readFileSync(archive)).digest('hex'));
    expect(platform?.files.map(({ from }) => from)).toContain(platform?.bin);
    expect(platform?.files.filter(({ from }) => !existsSync(join(store, from)))).toEqual([]);
  });
  it('is found by kubectl', () => {
    expect(kubectl('plugin', 'list')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(join(bin, 'kubectl-portcullis')),
      stderr: '',
    });
    expect(kubectl('portcullis', '--version')).toMatchObject({ code: 0, stdout: `${packageJson.version}\n` });
  });
  it('tells every command as one types it', () => {
    for (const args of [
      ['--help'],
      ['check', '--help'],
      ['audit', '--help'],
      ['simulate', '--help'],
      ['flows', '--help'],
      ['rules'],
      ['chekc'],
      ['explain', 'nothing'],
    ]) {
      const { stdout, stderr } = kubectl('portcullis', ...args);
      expect(stdout + stderr).toContain('kubectl portcullis ');
      expect(
        (stdout + stderr).match(
          /(?<!kubectl )portcullis (?:check|audit|rules|explain|doctor|serve|snapshot|simulate|flows|COMMAND|--help)/g,
        ),
      ).toBeNull();
    }
  });
  it('judges files, and explains', () => {
    const { code, stdout } = kubectl('portcullis', 'check', '-n', 'shop', 'examples/cluster', 'examples/broken/selector-typo.yaml');
    expect([code, stdout]).toEqual([1, expect.stringContaining('7:3  high  Service shop/web')]);
    expect(kubectl('portcullis', 'explain', 'tls-secret-missing')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('tls-secret-missing'),
    });
  });
  it('goes to the cluster that kubectl goes to', () => {
    const { code, stdout, stderr } = kubectl('portcullis', 'audit', '-n', 'kube-public', '-o', 'json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).summary).toMatchObject({ objects: 0, findings: 0 });
  });
  it('says of the cluster what strict would deny, and what can be raised', async () => {
    const cluster = connectCluster();
    try {
      const namespace = await cluster.newNamespace('simulate');
      const created = await cluster.kubectl(['create', 'service', 'clusterip', 'web', '--tcp=80', '-n', namespace]);
      expect(created.code, created.stderr).toBe(0);
      const file = join(scratch, 'portcullis.yaml');
      writeFileSync(file, 'apiVersion: portcullis.dev/v1\ngrace: 0s\n');
      const { code, stdout, stderr } = kubectl('portcullis', 'simulate', '-n', namespace, '--config', file, '-o', 'json');
      expect(code, stderr).toBe(1);
      const { cells, proposal } = JSON.parse(stdout);
      expect(cells).toEqual([expect.objectContaining({ rule: 'service-selector-matches-no-pods', namespace, denied: ['Service web'] })]);
      const raised = { overrides: [{ namespaces: [namespace], mode: 'deny' }] };
      // Those that deny a Service in strict and not in guided already, without options, and find this one right.
      const right = [
        ...['service-named-target-port-unresolved', 'service-target-port-protocol-mismatch', 'service-external-name-is-ip'],
        ...['service-headless-port-translation', 'statefulset-service-name'],
      ];
      const values = { config: { rules: Object.fromEntries(right.map((id) => [id, raised])) } };
      expect(proposal).toEqual({ values, labels: [] });
    } finally {
      await cluster.close();
    }
  });
  it('completes what is typed', () => {
    const completed = (...typed: readonly string[]): readonly string[] =>
      kubectl('__complete', 'portcullis', ...typed)
        .stdout.trim()
        .split('\n');
    expect(completed('sim')).toEqual([expect.stringMatching(/^simulate\t/), ':4']);
    expect(completed('check', '--fail')).toEqual([expect.stringMatching(/^--fail-on\t/), ':4']);
    expect(completed('check', '--fail-on', 'hi')).toEqual(['high', ':4']);
    expect(completed('check', '--config', '')).toEqual([':0']);
    const ofTls = rules.map(({ meta }) => meta.id).filter((id) => id.startsWith('tls-'));
    expect(completed('explain', 'tls-')).toEqual([...ofTls, ':4']);
    expect(completed('explain', 'tls-secret-mis')).toEqual(['tls-secret-missing', ':4']);
    expect(completed('check', 'dep')).toEqual([':0']);
    expect(completed('rules', '')).toEqual([':4']);
  });
});
