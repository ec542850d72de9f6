/** Manifest files → objects, each with the place of every field of it; and what in them cannot be used. */
import { isDeepStrictEqual } from 'node:util';
import { quoted, shorten } from '../kube/display.ts';
import { type FieldPath, formatPath } from '../kube/field-path.ts';
import type { WorkloadKind } from '../kube/normalize-workload.ts';
import { isObject, objectAt, stringAt } from '../kube/read.ts';
import { formatRef, type RawObject, type Resource, refOf } from '../kube/resources.ts';
import { splitDocuments } from './documents.ts';
import { fileResource } from './file-resource.ts';
import { locator, type Place, placer } from './positions.ts';
import { type InputError, type ReadFiles, type ReadFilesOptions, readFiles, type TextFile } from './read-files.ts';
import { rejectionsOf } from './rejections.ts';
import { withContent } from './secret-content.ts';
import { readYaml, YamlError, yamlLimits } from './yaml.ts';

export interface ManifestOptions extends ReadFilesOptions {
  /** Of objects that name none, as `kubectl apply --namespace` gives it. */
  readonly namespace?: string;
  /** Kinds with a Pod template beside the built-in ones. */
  readonly workloads?: readonly WorkloadKind[];
}

/** One object of a file. */
export interface Manifest {
  readonly file: string;
  readonly raw: RawObject;
  /** Undefined for a kind that no rule reads. */
  readonly resource: Resource | undefined;
  /** The API server refuses it: others may refer to it, but it is not judged. */
  readonly rejected: boolean;
  /** Where a field of it stands, or the nearest parent that is there. */
  readonly placeOf: (path: FieldPath) => Place;
  readonly origin: Origin;
}

/** The part of the file that holds the object. */
export interface Origin {
  /** The text of the document, and where in the file it begins. */
  readonly text: string;
  readonly offset: number;
  /** Where in the document the object stands: not at its root if that is a `List`. */
  readonly path: FieldPath;
}

export interface Manifests {
  readonly manifests: readonly Manifest[];
  readonly errors: readonly InputError[];
  /** Objects that a later path has laid over those of an earlier one. */
  readonly notices: readonly string[];
  /** How many files were read. */
  readonly files: number;
}

/** Reads everything that can be read. Never rejects: what cannot be used stands in `errors`. */
export const loadManifests = async (paths: readonly string[], options: ManifestOptions = {}): Promise<Manifests> =>
  manifestsIn(await readFiles(paths, options), paths, options);

/** The same of files that have been read. */
export function manifestsIn({ files, errors }: ReadFiles, paths: readonly string[], options: ManifestOptions): Manifests {
  const reader = new ManifestReader(options);
  const all = [...errors];
  for (const file of files) all.push(...cut(reader.read(file)));
  if (reader.manifests.length === 0 && all.length === 0) all.push(nothingAt(paths));
  return { manifests: reader.manifests, errors: all, notices: reader.notices, files: files.length };
}

/** Of one file, whatever is in it. */
const maxErrors = 50;

function cut(errors: readonly InputError[]): readonly InputError[] {
  const [first] = errors;
  if (first === undefined || errors.length <= maxErrors) return errors;
  const more = {
    file: first.file,
    message: `${errors.length - maxErrors} more errors in this file`,
    hint: 'Repair the first ones, and check again.',
  };
  return [...errors.slice(0, maxErrors), more];
}

const nothingAt = (paths: readonly string[]): InputError => ({
  file: paths.map((path) => (path === '-' ? 'stdin' : path)).join(', '),
  message: 'holds no Kubernetes object',
  hint: 'Check the path; of a pipe, whether the command before it printed anything.',
});

interface Document {
  readonly file: string;
  readonly argument: number;
  readonly text: string;
  readonly offset: number;
  /** Offset in the document → place in the file. */
  readonly at: (offset: number) => Place;
  readonly locate: (path: FieldPath) => Place;
}

class ManifestReader {
  readonly manifests: Manifest[] = [];
  /** Of the file that is being read. */
  private errors: InputError[] = [];
  readonly notices: string[] = [];
  private readonly options: ManifestOptions;
  private readonly byRef = new Map<string, { readonly manifest: Manifest; readonly argument: number }>();
  private generated = 0;

  constructor(options: ManifestOptions) {
    this.options = options;
  }

  /** Returns what in the file cannot be used. */
  read({ file, text, argument }: TextFile): readonly InputError[] {
    this.errors = [];
    const place = once(() => placer(text));
    const { chunks, badSeparators, cutAt } = splitDocuments(text);
    const fail = (offset: number, message: string, hint: string) => this.errors.push({ file, ...place()(offset), message, hint });
    for (const offset of badSeparators) fail(offset, 'kubectl reads nothing behind ---', 'Put the document on the next line.');
    if (cutAt !== undefined) fail(cutAt, `holds more than ${yamlLimits.documents} documents`, 'Split the file.');
    for (const chunk of chunks) {
      const at = (offset: number): Place => place()(chunk.offset + offset);
      const locate = once(() => locator(chunk.text));
      this.document(chunk.text, { ...chunk, file, argument, at, locate: (path) => at(locate()(path)) });
    }
    return this.errors;
  }

  private document(text: string, document: Document): void {
    const { file, at } = document;
    try {
      const { value, duplicates } = readYaml(text);
      const hint = duplicates.some(({ key }) => key === 'apiVersion' || key === 'kind')
        ? twoObjects
        : 'Remove one: kubectl silently takes the last, other tools refuse the file.';
      for (const { key, offset } of duplicates)
        this.errors.push({ file, ...at(offset), message: `the key ${quoted(key)} stands twice in this mapping`, hint });
      if (value !== null) this.object(value, [], document);
    } catch (error) {
      if (!(error instanceof YamlError)) throw error;
      this.errors.push({ file, ...at(error.offset), message: `is not valid YAML: ${error.message}`, hint: yamlHint(text) });
    }
  }

  /** An object, or a `List` of them. */
  private object(value: unknown, path: FieldPath, document: Document, inherited: RawObject = {}): void {
    const raw = isObject(value) ? { ...inherited, ...value } : {};
    const kind = stringAt(raw, 'kind') ?? '';
    const apiVersion = stringAt(raw, 'apiVersion') ?? '';
    if (kind === '' || apiVersion === '' || apiVersion.startsWith('kustomize.config.k8s.io/')) {
      this.notKubernetes(value, path, document);
    } else if (kind.endsWith('List') && Array.isArray(raw['items'])) {
      const ofItems = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) };
      for (const [index, item] of raw['items'].entries()) this.object(item, [...path, 'items', index], document, ofItems);
    } else this.add(this.named(raw), path, document);
  }

  private notKubernetes(value: unknown, path: FieldPath, { file, locate }: Document): void {
    const why = !isObject(value)
      ? 'it is no mapping'
      : isKustomization(file, value)
        ? 'kustomize reads it'
        : 'it has no apiVersion and kind';
    const hint = isHelmTemplate(value)
      ? 'Render the chart first: helm template … | portcullis check -'
      : isKustomization(file, value)
        ? 'Render it first: kustomize build … | portcullis check -'
        : 'Give Kubernetes manifests only.';
    this.errors.push({ file, ...locate(path), message: `is not a Kubernetes object: ${why}`, hint });
  }

  private add(raw: RawObject, path: FieldPath, document: Document): void {
    const { file, text, offset } = document;
    const placeOf = (field: FieldPath): Place => document.locate([...path, ...field]);
    const rejections = rejectionsOf(raw);
    for (const { path: field, message, hint } of rejections)
      this.errors.push({
        file,
        ...placeOf(field),
        message: `the API server refuses this ${nameOf(raw)}: ${fieldOf(field)}${message}`,
        hint,
      });
    const resource = withContent(fileResource(raw, this.options), raw, true);
    const manifest: Manifest = { file, raw, resource, rejected: rejections.length > 0, placeOf, origin: { text, offset, path } };
    this.manifests.push(manifest);
    if (resource !== undefined) this.noteTwice(manifest, formatRef(refOf(resource)), document.argument);
  }

  /**
   * `kubectl apply` writes both, one after the other, and ends with exit code 0: the last one is what the cluster holds.
   * Files of a later path are meant to lie over those before; within one path it is a mistake, or several environments.
   */
  private noteTwice(manifest: Manifest, ref: string, argument: number): void {
    const earlier = this.byRef.get(ref);
    this.byRef.set(ref, { manifest, argument });
    if (earlier === undefined || isDeepStrictEqual(earlier.manifest.raw, manifest.raw)) return;
    const { file } = manifest;
    const place = manifest.placeOf(['metadata', 'name']);
    const there = `${earlier.manifest.file}:${earlier.manifest.placeOf([]).line}`;
    if (earlier.argument !== argument) {
      this.notices.push(`${ref} of ${file}:${place.line} takes the place of ${there}`);
      return;
    }
    this.errors.push({
      file,
      ...place,
      message: `${ref} is also defined in ${there}, differently`,
      hint: 'Only this last one is judged, as kubectl would leave it in the cluster. Check the files of each environment by themselves.',
    });
  }

  /** Gives an object with generateName a name that no other has, and one with an empty namespace none. */
  private named(raw: RawObject): RawObject {
    const metadata = objectAt(raw, 'metadata');
    const generateName = stringAt(metadata, 'generateName');
    const needsName = !stringAt(metadata, 'name') && generateName;
    const { namespace, ...others } = metadata;
    if (!needsName && (namespace === undefined || namespace !== '')) return raw;
    const name = needsName ? { name: `${generateName}#${++this.generated}` } : {};
    return { ...raw, metadata: { ...others, ...(namespace ? { namespace } : {}), ...name } };
  }
}

function nameOf(raw: RawObject): string {
  const name = stringAt(objectAt(raw, 'metadata'), 'name');
  return `${stringAt(raw, 'kind')}${name ? ` ${quoted(name)}` : ''}`;
}

/** As the API server begins what it says of a field; the keys of a mapping may be of any length. */
const fieldOf = (path: FieldPath): string =>
  `${formatPath(path.map((part) => (typeof part === 'string' ? shorten(part, mostRunes) : part)))}: `;
const mostRunes = 80;

/** Two objects in one, since nothing stands between them: what `cat` makes of files. */
const twoObjects = 'If another object begins here, put --- before it. Otherwise remove one: kubectl silently takes the last.';

/** Its own kinds may be left out; the custom resource of Flux is of another group. */
const isKustomization = (file: string, value: unknown): boolean =>
  isObject(value) &&
  ((stringAt(value, 'apiVersion') ?? '').startsWith('kustomize.config.k8s.io/') || /(?:^|\/)[Kk]ustomization(?:\.ya?ml)?$/.test(file));

const isHelmTemplate = (value: unknown): boolean => isObject(value) && Object.hasOwn(value, 'appVersion');

const yamlHint = (text: string): string =>
  text.includes('{{') ? 'It looks like a template: render it first (helm template, kustomize build).' : 'Repair the YAML at this place.';

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
