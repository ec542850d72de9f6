/** Names that YAML takes for something else stay names, wherever the chart puts them. */
import { load, loadAll, YAML11_SCHEMA } from 'js-yaml';
import { expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { helms } from '../support/control-plane-build.ts';
import { describeWithHelm, type Rendered, renderText } from '../support/helm.ts';
import { everythingOn } from './values.ts';

const words = ['no', 'on', 'true', 'null', '1234', '1e3', '0x1f', '2001-01-01'];
/** What is a word in all of YAML. */
const plain = 'wwww';

/** Everything that has a name of somebody's choice. */
const named = (word: string, fullnameOverride: string): RawObject => ({
  ...everythingOn,
  fullnameOverride,
  config: { protectedNamespaces: [word, 'dns'] },
  webhook: {
    ...everythingOn.webhook,
    excludeNamespaces: [`${word}-1`, word],
    callerNamespaces: [word],
    clientCa: { configMap: word, key: word, names: [`${word}: #`] },
  },
  rbac: { secretNamespaces: [word] },
  serviceAccount: { name: word },
  priorityClassName: word,
});

/** As the API server and Helm read it, by YAML 1.1; also what stands in ConfigMaps. */
const readAsYaml11 = (text: string): readonly Rendered[] =>
  (loadAll(text, { schema: YAML11_SCHEMA }) as Rendered[]).map((one) =>
    one?.kind === 'ConfigMap' ? { ...one, data: Object.values(one.data ?? {}).map((inner) => load(inner as string)) } : one,
  );

describeWithHelm('the chart', () => {
  it.each(helms.flatMap((helm) => words.map((word) => [helm, word] as const)))('by %s takes %s for a name', (helm, word) => {
    for (const mode of ['certManager', 'existingSecret']) {
      const [read, expected] = [word, plain].map((one) => {
        const tls = mode === 'certManager' ? everythingOn.tls : { mode, existingSecret: one };
        // The name of a Service begins with a letter; those of a namespace and a release need not.
        const values = { ...named(one, /^[a-z]/.test(word) ? one : 'guard'), tls };
        return readAsYaml11(renderText(values, { helm, namespace: one, release: one }));
      });
      expect(read).toEqual(JSON.parse(JSON.stringify(expected).replaceAll(plain, word)));
    }
  });
});
