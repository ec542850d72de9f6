import { describe, expect, it } from 'vitest';
import { formatPath, valueAt, withoutIndices } from '../../src/kube/field-path.ts';

describe('field paths', () => {
  it.each([
    [['spec', 'ports', 0, 'targetPort'], 'spec.ports[0].targetPort'],
    [['spec', 'selector', 'app'], 'spec.selector.app'],
    [['metadata', 'annotations', 'example.com/x'], 'metadata.annotations[example.com/x]'],
    [['spec', 'selector', 'app.kubernetes.io/name'], 'spec.selector[app.kubernetes.io/name]'],
    [['spec', 'selector', ''], 'spec.selector[]'],
    [['spec', 'rules', 1, 'http', 'paths', 0], 'spec.rules[1].http.paths[0]'],
    [[], ''],
  ])('%j is written %s', (path, text) => expect(formatPath(path)).toBe(text));

  const object = { spec: { ports: [{ port: 80 }, { port: 0 }], empty: null } };
  it.each([
    [['spec', 'ports', 0, 'port'], 80],
    [['spec', 'ports', 1, 'port'], 0],
    [['spec', 'ports', 2, 'port'], undefined],
    [['spec', 'empty', 'x'], undefined],
    [['spec', 'ports', 0, 'port', 'x'], undefined],
    [['constructor'], undefined],
    [['spec', '__proto__'], undefined],
    [['spec', 'ports', 'length'], 2],
    [[], object],
  ])('at %j stands %s', (path, value) => expect(valueAt(object, path)).toBe(value));

  it('forget positions', () =>
    expect(withoutIndices(['spec', 'rules', 1, 'paths', 0, 'path'])).toEqual(['spec', 'rules', 'paths', 'path']));
});
