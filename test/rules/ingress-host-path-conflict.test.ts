/** What a table cannot say: what is told to whom, and what is read again before a denial. */
import { describe, expect, it } from 'vitest';
import { Requesting } from '../../src/cluster/elsewhere.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import type { EvaluateOptions } from '../../src/engine/evaluate.ts';
import { review } from '../../src/engine/review.ts';
import { normalize } from '../../src/kube/normalize.ts';
import { formatRef, type Ingress, type RawObject, type Resource } from '../../src/kube/resources.ts';
import { ingressHostPathConflict } from '../../src/rules/ingress-host-path-conflict.ts';
import { complete } from '../support/objects.ts';
import { byProfile } from '../support/rule-case.ts';

const resource = (partial: RawObject): Resource => normalize(complete(partial)) as Resource;
const ingress = (namespace: string, className: string, service = 'web'): Ingress =>
  resource({
    kind: 'Ingress',
    metadata: { name: 'web', namespace },
    spec: {
      ingressClassName: className,
      rules: [{ host: 'shop.example.com', http: { paths: [{ backend: { service: { name: service, port: { number: 80 } } } }] } }],
    },
  }) as Ingress;

const classes = [
  resource({ kind: 'IngressClass', metadata: { name: 'nginx' }, spec: { controller: 'k8s.io/ingress-nginx' } }),
  resource({ kind: 'IngressClass', metadata: { name: 'odd' }, spec: { controller: 'example.com/proxy' } }),
];

function decided(held: readonly Resource[], after: Ingress, options: EvaluateOptions = {}) {
  const cluster = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with([...classes, ...held]);
  return review({ operation: 'CREATE', after, dryRun: false }, cluster, [ingressHostPathConflict.configure()], {
    ...options,
    settings: byProfile('guided'),
  });
}

const mayList = (namespace: string) => new Requesting(new Map([[`networking.k8s.io/Ingress/${namespace}`, 'allowed']]));

describe('ingress-host-path-conflict', () => {
  it('says nothing of other namespaces but that the path is taken', () => {
    const { denials } = decided([ingress('blog', 'nginx')], ingress('shop', 'nginx'));
    expect(denials).toHaveLength(1);
    expect(JSON.stringify(denials)).not.toContain('blog');
  });

  it('names whom it is told of to one who may list Ingresses there', () => {
    const { denials } = decided([ingress('blog', 'nginx')], ingress('shop', 'nginx'), { audience: mayList('blog') });
    expect(denials.flatMap(({ related }) => related.map(formatRef))).toEqual(['Ingress blog/web']);
  });

  it('of a controller that nobody knows, warns none but those who may list Ingresses there', () => {
    const held = [ingress('blog', 'odd')];
    expect(decided(held, ingress('shop', 'odd')).warnings).toEqual([]);
    expect(decided(held, ingress('shop', 'odd'), { audience: mayList('other') }).warnings).toEqual([]);
    expect(decided(held, ingress('shop', 'odd'), { audience: mayList('blog') }).warnings).toHaveLength(1);
  });

  it('reads the other Ingress again before it denies, and not those of the whole cluster', () => {
    const { toConfirm } = decided([ingress('blog', 'nginx')], ingress('shop', 'nginx'));
    expect(toConfirm.get('ingress-host-path-conflict')).toEqual([
      { collection: 'IngressClass', namespace: '' },
      { collection: 'Ingress', namespace: 'blog', name: 'web' },
    ]);
  });

  it('sees what has come since, though all Ingresses are gone through once for a state of them', () => {
    const cluster = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(classes);
    const rule = [ingressHostPathConflict.configure()];
    const write = { operation: 'CREATE', after: ingress('shop', 'nginx'), dryRun: false } as const;
    const answers = [cluster, cluster.with([ingress('blog', 'nginx')]), cluster].map(
      (held) => review(write, held, rule, { settings: byProfile('guided') }).allowed,
    );
    expect(answers).toEqual([true, false, true]);
  });
});
