import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readYaml, YamlError, yamlLimits } from '../../src/sources/yaml.ts';

interface Probe {
  readonly yaml: string;
  readonly json?: unknown;
  readonly error?: string;
  readonly duplicate?: true;
}
const probes = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/yaml-probes.json'), 'utf8')) as readonly Probe[];

/** Where js-yaml's grammar (YAML 1.2) and go-yaml's (1.1) differ, and we read what js-yaml reads. None decides a rule. */
const grammar: Readonly<Record<string, string>> = {
  'v: "\\x41\\u00e9\\/"\n': 'go-yaml refuses \\/ ; kubectl reads a JSON file, where it is usual, as JSON',
  'a: "\\ud83d\\ude00"\n': 'go-yaml refuses surrogate pairs; kubectl reads a JSON file, where they are usual, as JSON',
  'a: "\u0085"\n': 'NEL is a line break in YAML 1.1 only',
  '{"a": 1}{"b": 2}\n': 'documents.ts splits these, as kubectl does',
  'a: {b:}\n': 'the colon is part of the key in YAML 1.1',
  'a: [-x, ?y]\n': 'a question mark begins a key in YAML 1.1',
};

const read = (yaml: string) => readYaml(yaml.replace(/^\uFEFF/, ''));

describe('YAML as kubectl reads it', () => {
  it('has enough probes, of all kinds', () => {
    expect(probes.length).toBeGreaterThan(240);
    expect(probes.filter(({ error }) => error !== undefined).length).toBeGreaterThan(40);
    expect(Object.keys(grammar).filter((yaml) => !probes.some((probe) => probe.yaml === yaml))).toEqual([]);
  });

  it.each(probes.filter(({ yaml }) => !Object.hasOwn(grammar, yaml)))('$yaml', ({ yaml, json, error, duplicate = false }) => {
    if (error !== undefined) {
      expect(() => read(yaml)).toThrow(YamlError);
      return;
    }
    const { value, duplicates } = read(yaml);
    expect(isDeepStrictEqual(value, json), `${JSON.stringify(value)} for ${JSON.stringify(json)}`).toBe(true); // toEqual passes over __proto__
    // Go's strict reader calls a key that overrides a merged one a duplicate; people mean that.
    if (!yaml.includes('<<')) expect(duplicates.length > 0).toBe(duplicate);
  });

  it.each(Object.keys(grammar))('still differs on %j (else take it off the list)', (yaml) => {
    const probe = probes.find((one) => one.yaml === yaml);
    let ours: unknown;
    try {
      ours = read(yaml).value;
    } catch {
      ours = YamlError;
    }
    expect(ours).not.toEqual(probe?.error === undefined ? probe?.json : YamlError);
  });
});

describe('hostile YAML', () => {
  const bomb = (levels: number, width: number): string =>
    Array.from({ length: levels }, (_, level) => {
      const items = level === 0 ? 'x' : `*l${level - 1}`;
      return `l${level}: &l${level} [${Array.from({ length: width }, () => items).join(', ')}]`;
    }).join('\n');

  it('refuses aliases that blow up', () => expect(() => readYaml(bomb(9, 9))).toThrow(/aliases blow/));
  it('reads aliases in use', () => expect(Object.keys(readYaml(bomb(5, 9)).value as object).length).toBe(5));
  it('counts what is merged', () => {
    const base = `a: &a {${Array.from({ length: 1000 }, (_, index) => `k${index}: 1`).join(', ')}}\n`;
    const merges = `b: [${Array.from({ length: 400 }, () => '{<<: *a}').join(', ')}]\n`;
    expect(() => readYaml(base + merges)).toThrow(/aliases blow/);
  });
  it('refuses what is nested too deeply, without a stack overflow', () => {
    const nested = (depth: number): string => `a: ${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(() => readYaml(nested(50_000))).toThrow(YamlError);
    expect(() => readYaml(nested(yamlLimits.depth))).toThrow(YamlError);
    expect(readYaml(nested(yamlLimits.depth - 1)).value).toBeDefined();
  });
  it('makes own properties of every key', () => {
    const { value } = readYaml('__proto__: {polluted: 1}\nx: &x {__proto__: {polluted: 2}}\nz: {<<: *x}\n') as {
      value: { readonly z: object };
    };
    expect(Object.keys(value)).toEqual(['__proto__', 'x', 'z']);
    expect(Object.keys(value.z)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect('polluted' in {}).toBe(false);
  });
  it('throws nothing but YamlErrors, whatever it is given', () => {
    const soup = fc.string({
      unit: fc.constantFrom(
        ...Array.from('a:1- \n\t#&*!|>%@`{}[],?"\'\\<~.x0'),
        '<<: ',
        '- ',
        ': ',
        '&a ',
        '*a ',
        '---\n',
        '!!int ',
        '\u0000',
        '\u{1F600}',
        '\ud800',
      ),
      maxLength: 60,
    });
    fc.assert(
      fc.property(soup, (text) => {
        try {
          readYaml(text);
        } catch (error) {
          if (!(error instanceof YamlError)) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('duplicate keys', () => {
  it('tells each, with its place, and takes the last', () => {
    const text = 'metadata:\n  labels:\n    app: a\n    tier: x\n    app: b\n    app: c\n';
    const { value, duplicates } = readYaml(text);
    expect(value).toEqual({ metadata: { labels: { app: 'c', tier: 'x' } } });
    expect(duplicates).toEqual([
      { key: 'app', offset: text.indexOf('app: b') },
      { key: 'app', offset: text.indexOf('app: c') },
    ]);
  });
  it('does not mind a key that overrides a merged one', () => {
    expect(readYaml('a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n').duplicates).toEqual([]);
  });
});
