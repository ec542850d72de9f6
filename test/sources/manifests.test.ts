import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatRef, refOf } from '../../src/kube/resources.ts';
import { loadManifests, type ManifestOptions } from '../../src/sources/manifests.ts';
import { yamlLimits } from '../../src/sources/yaml.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'manifests-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (name: string, content: string | Uint8Array): string => {
  const path = join(directory, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
};
const service = (name: string, more = ''): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}${more}}\nspec: {ports: [{port: 80}]}\n`;

/** Files relative to the directory; refs and errors in one line each. */
async function load(paths: readonly string[], options?: ManifestOptions) {
  const { manifests, errors, files, notices } = await loadManifests(paths, options);
  const short = (text: string): string => text.replaceAll(`${directory}/`, '');
  return {
    files,
    manifests,
    notices: notices.map(short),
    refs: manifests.map(({ resource, raw }) => (resource === undefined ? `(${String(raw['kind'])})` : formatRef(refOf(resource)))),
    errors: errors.map(({ file, line, column, message }) => short(`${file}${line === undefined ? '' : `:${line}:${column}`} ${message}`)),
    hints: errors.map(({ hint }) => hint),
  };
}
const loadText = (text: string, options?: ManifestOptions) => load([write('a.yaml', text)], options);

describe('paths', () => {
  it('reads directories with all below, in order of name, and only manifests', async () => {
    write('b.yml', service('b'));
    write('a/z.json', JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'az' }, spec: { ports: [{ port: 1 }] } }));
    write('c.yaml', service('c'));
    write('README.md', '# no');
    write('.git/x.yaml', service('hidden'));
    write('node_modules/x/x.yaml', service('package'));
    const { refs, errors, files } = await load([directory]);
    expect(refs).toEqual(['Service default/az', 'Service default/b', 'Service default/c']);
    expect([errors, files]).toEqual([[], 3]);
  });
  it('takes a file that is named whatever it is called, and each file once', async () => {
    const path = write('manifest.txt', service('a'));
    const { refs, files } = await load([path, directory, path, join(directory, '.', 'manifest.txt')]);
    expect([refs, files]).toEqual([['Service default/a'], 1]);
  });
  it('reads standard input', async () => {
    const { refs, manifests } = await load(['-'], { stdin: async () => Buffer.from(service('piped')) });
    expect(refs).toEqual(['Service default/piped']);
    expect(manifests[0]?.file).toBe('stdin');
  });
  it('follows links to files, as a mounted ConfigMap has them, but no links to directories', async () => {
    write('real/x.yaml', service('x'));
    mkdirSync(join(directory, 'in'));
    symlinkSync(join(directory, 'real'), join(directory, 'in', 'loop.yaml'));
    symlinkSync(join(directory, 'real/x.yaml'), join(directory, 'in', 'link.yaml'));
    expect((await load([join(directory, 'in')])).refs).toEqual(['Service default/x']);
  });
  it('tells what cannot be read, and reads the rest', async () => {
    mkdirSync(join(directory, 'empty'));
    symlinkSync('nowhere', join(directory, 'broken.yaml'));
    const paths = [join(directory, 'missing.yaml'), join(directory, 'empty'), write('good.yaml', service('good')), directory];
    const { refs, errors, hints } = await load(paths);
    expect(refs).toEqual(['Service default/good']);
    expect(errors).toEqual(['missing.yaml does not exist', 'empty holds no *.yaml, *.yml or *.json file', 'broken.yaml does not exist']);
    expect(hints.every((hint) => hint.length > 10)).toBe(true);
  });
  it('reads UTF-16 with a byte order mark as kubectl does, and refuses what is no text', async () => {
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(service('wide'), 'utf16le')]);
    const { refs, errors } = await load([
      write('a.yaml', utf16),
      write('b.yaml', Buffer.from([0x80, 0xff, 0x00])),
      write('c.yaml', `\uFEFF${service('c')}`),
    ]);
    expect(refs).toEqual(['Service default/wide', 'Service default/c']);
    expect(errors).toEqual(['b.yaml is not UTF-8 text']);
  });
  it('reads nothing larger than the limit', async () => {
    const large = write('large.yaml', `${service('a')}# ${' '.repeat(yamlLimits.fileBytes)}`);
    const piped = { stdin: async () => Buffer.alloc(yamlLimits.fileBytes + 1, 0x20) };
    expect((await load([large, '-'], piped)).errors).toEqual(['large.yaml is larger than 10 MiB', 'stdin is larger than 10 MiB']);
  });
  it('says so when there is nothing', async () => {
    expect((await loadText('# nothing\n---\n')).errors).toEqual([expect.stringContaining('a.yaml holds no Kubernetes object')]);
    expect((await load(['-'], { stdin: async () => Buffer.alloc(0) })).errors).toEqual(['stdin holds no Kubernetes object']);
  });
});

describe('documents', () => {
  it('splits as kubectl does', async () => {
    const text = `---\n${service('a')}--- # next\n${service('b')}...\nignored: yes\n---\n# nothing\n---\n${service('c')}---`;
    expect((await loadText(text)).refs).toEqual(['Service default/a', 'Service default/b', 'Service default/c']);
  });
  it('refuses text behind a separator, at its place, and reads on', async () => {
    const { refs, errors } = await loadText(`${service('a')}--- {kind: X}\n${service('b')}`);
    expect(refs).toEqual(['Service default/a', 'Service default/b']);
    expect(errors).toEqual(['a.yaml:5:1 kubectl reads nothing behind ---']);
  });
  it('reads JSON values side by side, with tabs and braces in strings', async () => {
    const one = (name: string): string =>
      JSON.stringify(
        { apiVersion: 'v1', kind: 'Service', metadata: { name, annotations: { a: '}{"\\' } }, spec: { ports: [{ port: 80 }] } },
        null,
        '\t',
      );
    const { refs, manifests } = await loadText(`${one('a')}\n${one('b')}${one('c')}`);
    expect(refs).toEqual(['Service default/a', 'Service default/b', 'Service default/c']);
    expect(manifests.map(({ placeOf }) => placeOf(['metadata', 'name']).line)).toEqual([5, 22, 38]);
  });
  it('keeps the other documents when one is broken, and names the place', async () => {
    const { refs, errors } = await loadText(`${service('a')}---\nkind: [\nx\n---\n${service('c')}`);
    expect(refs).toEqual(['Service default/a', 'Service default/c']);
    expect(errors).toEqual([expect.stringMatching(/^a\.yaml:[67]:\d+ is not valid YAML: /)]);
  });
  it('guesses at a template', async () => {
    expect((await loadText('a: {{ .Values.x }}\n')).hints).toEqual([expect.stringContaining('template')]);
  });
  it('stops at the limit of documents, and says where', async () => {
    const { manifests, errors } = await loadText(`${service('a')}---\n`.repeat(yamlLimits.documents + 2));
    expect(manifests.length).toBe(yamlLimits.documents);
    expect(errors[0]).toBe(`a.yaml:${yamlLimits.documents * 5 + 1}:1 holds more than 5000 documents`);
  });
  it('does not list the errors of a file for ever', async () => {
    const { errors } = await loadText('--- x\n'.repeat(1000));
    expect([errors.length, errors.at(-1)]).toEqual([51, 'a.yaml 950 more errors in this file']);
  });
  it('places fields of a later document in the file', async () => {
    const { manifests } = await loadText(`${service('a')}---\n# comment\n${service('b')}`);
    expect(manifests[1]?.placeOf([])).toEqual({ line: 7, column: 1 });
    expect(manifests[1]?.placeOf(['spec', 'ports', 0, 'port'])).toEqual({ line: 10, column: 17 });
  });
  it('tells a key given twice, and uses the object as kubectl would', async () => {
    const { manifests, errors } = await loadText(`${service('a')}  \n`.replace('{name: a}', '{name: a, labels: {x: one, x: two}}'));
    expect(manifests[0]?.resource).toMatchObject({ metadata: { labels: { x: 'two' } } });
    expect(errors).toEqual(['a.yaml:3:38 the key "x" stands twice in this mapping']);
  });
});

describe('objects', () => {
  it('takes lists apart, also within lists, and places their fields', async () => {
    const text = `apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: ServiceList
    items:
      - metadata: {name: a}
        spec: {ports: [{port: 80}]}
  - apiVersion: v1
    kind: Service
    metadata:
      name: b
    spec: {ports: [{port: 80}]}
  - just text
`;
    const { refs, manifests, errors } = await loadText(text);
    expect(refs).toEqual(['Service default/a', 'Service default/b']);
    expect(manifests[0]?.placeOf(['metadata', 'name'])).toEqual({ line: 7, column: 20 });
    expect(manifests[1]?.placeOf(['metadata', 'name'])).toEqual({ line: 12, column: 7 });
    expect(errors).toEqual(['a.yaml:14:5 is not a Kubernetes object: it is no mapping']);
  });
  it('gives the namespace to objects that name none', async () => {
    const text = `${service('a')}---\n${service('b', ', namespace: own')}---\n${service('c', ', namespace: ""')}---\n${service('d', ', namespace: null')}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n`;
    const refs = ['Service shop/a', 'Service own/b', 'Service shop/c', 'Service shop/d', 'Namespace team'];
    expect((await loadText(text, { namespace: 'shop' })).refs).toEqual(refs);
    expect((await loadText(text)).refs[0]).toBe('Service default/a');
  });
  it('tells objects with generateName apart', async () => {
    const job = 'apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: run-}\nspec: {template: {metadata: {labels: {a: b}}}}\n';
    const { refs, errors } = await loadText(`${job}---\n${job}`);
    expect([refs, errors]).toEqual([['Job default/run-#1', 'Job default/run-#2'], []]);
  });
  it('keeps kinds that no rule reads, and those of the configuration', async () => {
    const rollout =
      'apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r}\nspec: {template: {metadata: {labels: {a: b}}}}\n';
    expect((await loadText(rollout)).refs).toEqual(['(Rollout)']);
    const workloads = [{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', resource: 'rollouts', template: ['spec', 'template'] }];
    expect((await loadText(rollout, { workloads })).refs).toEqual(['Rollout default/r']);
  });
  it.each([
    ['a: 1\n', 'a.yaml:1:1 is not a Kubernetes object: it has no apiVersion and kind'],
    ['- a\n', 'a.yaml:1:1 is not a Kubernetes object: it is no mapping'],
    ['hello\n', 'a.yaml:1:1 is not a Kubernetes object: it is no mapping'],
    ['kind: Service\nmetadata: {name: a}\n', 'a.yaml:1:1 is not a Kubernetes object: it has no apiVersion and kind'],
    ['apiVersion: v1\nkind: 5\n', 'a.yaml:1:1 is not a Kubernetes object: it has no apiVersion and kind'],
  ])('%j is no object', async (text, error) => expect((await loadText(text)).errors).toEqual([error]));

  it('sends what kustomize reads to kustomize, and leaves the custom resource of Flux alone', async () => {
    const wanted = ['kustomization.yaml:1:1 is not a Kubernetes object: kustomize reads it'];
    for (const text of ['resources: [a.yaml]\n', 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n']) {
      const { errors, hints } = await load([write('kustomization.yaml', text)]);
      expect([errors, hints]).toEqual([wanted, [expect.stringContaining('kustomize build')]]);
    }
    const flux = 'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\n';
    expect(await loadText(flux)).toMatchObject({ refs: ['(Kustomization)'], errors: [] });
  });
  it('tells that a separator is missing where two objects run into each other', async () => {
    const { hints } = await loadText(`${service('a')}${service('b')}`);
    expect(new Set(hints)).toEqual(new Set([expect.stringContaining('put --- before it')]));
  });
  it('says of an object without a name what it is', async () => {
    const { errors } = await loadText('apiVersion: v1\nkind: Service\nspec: {ports: [{port: 80}]}\n');
    expect(errors).toEqual(['a.yaml:1:1 the API server refuses this Service: metadata.name: it has no name']);
  });

  it('lets the last of two definitions win, as kubectl apply does, and says so', async () => {
    const other = service('a').replace('80', '81');
    const { manifests, errors } = await loadText(`${service('a')}---\n${other}---\n${service('b')}---\n${service('b')}`);
    expect(errors).toEqual(['a.yaml:8:12 Service default/a is also defined in a.yaml:1, differently']);
    expect(manifests.length).toBe(4);
  });
  it('lays a later path over an earlier one without complaint', async () => {
    const paths = [write('base.yaml', service('a')), write('over.yaml', service('a').replace('80', '81'))];
    const { errors, notices } = await load(paths);
    expect(errors).toEqual([]);
    expect(notices).toEqual(['Service default/a of over.yaml:3 takes the place of base.yaml:1']);
  });
});
