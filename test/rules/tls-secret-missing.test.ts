/** What a table cannot say: which Secrets are read, and what is told of other namespaces. */
import { describe, expect, it } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import type { Coverage } from '../../src/cluster/view.ts';
import { evaluate } from '../../src/engine/evaluate.ts';
import { normalize } from '../../src/kube/normalize.ts';
import { type Collection, type Ingress, type RawObject, type Resource, refOf } from '../../src/kube/resources.ts';
import { tlsSecretMissing } from '../../src/rules/tls-secret-missing.ts';

const ingress = (name: string, secrets: readonly string[], annotations: RawObject = {}): Ingress =>
  normalize({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'shop', annotations },
    spec: { tls: secrets.map((secretName) => ({ secretName })) },
  }) as Ingress;
const secret = (name: string, namespace = 'shop'): Resource =>
  normalize({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace } }) as Resource;

interface World {
  readonly held?: readonly Resource[];
  readonly secrets?: readonly Resource[];
  readonly unread?: readonly string[];
  readonly coverage?: (collection: Collection) => Coverage;
  readonly expectedSecrets?: readonly string[];
  readonly options?: unknown;
  readonly tellsOfOthers?: boolean;
}

function judged(object: Ingress, world: World) {
  const { held = [], secrets = [], unread = [], coverage = () => 'complete', expectedSecrets = [], tellsOfOthers = false } = world;
  const rule = tlsSecretMissing.configure(world.options, { expectedSecrets });
  const base = ClusterSnapshot.empty({ observedAt: 0, coverage }).with([...held, object]);
  const answers = rule.fetches(object, base).map(({ namespace, name }) => {
    const found = secrets.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
    return [`Secret ${namespace}/${name}`, unread.includes(name) ? 'unknown' : (found ?? 'absent')] as const;
  });
  const subject = { object, operation: 'WRITE', before: undefined } as const;
  const { findings, skipped, readsOf } = evaluate(subject, base.knowing({ fetched: new Map(answers) }), [rule], { tellsOfOthers });
  return { findings, skipped, reads: readsOf(rule.meta.id) };
}

describe('what is read', () => {
  const fetched = (object: Ingress, ...others: readonly Ingress[]): readonly string[] => {
    const known = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with([object, ...others]);
    return tlsSecretMissing
      .configure()
      .fetches(object, known)
      .map(({ namespace, name }) => `${namespace}/${name}`);
  };
  const names = (prefix: string, count: number): readonly string[] => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

  it('is each Secret that the Ingress names, once, then those of its neighbours', () => {
    expect(fetched(ingress('web', ['a', 'b', 'a']), ingress('api', ['c', 'a']))).toEqual(['shop/a', 'shop/b', 'shop/c']);
  });

  it('is at most ten, the likeliest candidates first', () => {
    const neighbours = ingress('api', [...names('unlike', 20), 'shop-tls']);
    expect(fetched(ingress('web', ['shop-tsl']), neighbours).slice(0, 2)).toEqual(['shop/shop-tsl', 'shop/shop-tls']);
    expect(fetched(ingress('web', ['shop-tsl']), neighbours)).toHaveLength(10);
    expect(fetched(ingress('web', names('own', 12)), neighbours)).toEqual(names('own', 10).map((name) => `shop/${name}`));
  });
});

describe('what is told', () => {
  it('judges what could be read before what could not ends the rule', () => {
    const { findings, skipped } = judged(ingress('web', ['forbidden', 'gone']), { unread: ['forbidden'] });
    expect(findings.map(({ path }) => path)).toEqual([['spec', 'tls', 1, 'secretName']]);
    expect(skipped).toMatchObject([{ reason: 'forbidden', missing: 'Secret' }]);
  });

  it('tells of a Secret in another namespace only who may know of it', () => {
    const held = [secret('wildcard-tls', 'certificates')];
    const fixFor = (tellsOfOthers: boolean) => judged(ingress('web', ['wildcard-tls']), { held, tellsOfOthers }).findings[0]?.fix.text;
    expect(fixFor(true)).toBe('copy it from certificates: an Ingress finds Secrets in its own namespace only');
    expect(fixFor(false)).not.toContain('certificates');
  });

  it('proposes a Secret that files hold, though no Ingress names it', () => {
    const held = [secret('shop-tls'), secret('db-password'), secret('shop-tslx', 'other')];
    const { findings } = judged(ingress('web', ['shop-tsl']), { held, secrets: held });
    expect(findings[0]?.fix.text).toBe('did you mean shop-tls?');
    // Others are no candidates: who names a Secret for TLS means a certificate.
    const unlike = judged(ingress('web', ['wildcard']), { held, secrets: held });
    expect(unlike.findings[0]?.fix.text).not.toMatch(/shop-tls|db-password/);
  });

  it.each([
    ['networking.gke.io/managed-certificates', 'leave secretName out'],
    ['alb.ingress.kubernetes.io/certificate-arn', 'leave secretName out'],
    ['cert-manager.io/issuer', 'wait for it'],
    ['kubernetes.azure.com/tls-cert-keyvault-uri', 'wait for it'],
    ['certificates.example.com/issuer', 'wait for it'],
  ])('says of %s: %s', (annotation, expected) => {
    const options = { providerAnnotations: ['certificates.example.com/issuer'] };
    expect(judged(ingress('web', ['a', 'a'], { [annotation]: 'x' }), { options }).findings[0]?.fix.text).toBe(expected);
  });

  it('corrects every entry that names it', () => {
    const { findings } = judged(ingress('web', ['shop-tsl', 'shop-tls', 'shop-tsl']), { secrets: [secret('shop-tls')] });
    expect(findings).toHaveLength(1);
    expect(findings[0]?.fix.patch?.map(({ path }) => path[2])).toEqual([0, 2]);
  });
});

describe('who brings it', () => {
  const messageFor = (world: World, annotations: RawObject = {}) =>
    judged(ingress('web', ['shop-tls'], annotations), world).findings[0]?.messageId;
  const source = (kind: string, apiVersion: string, spec: RawObject, name = 'shop') => ({
    held: [normalize({ apiVersion, kind, metadata: { name, namespace: 'shop' }, spec }) as Resource],
  });

  it.each([
    ['a Certificate', source('Certificate', 'cert-manager.io/v1', { secretName: 'shop-tls' })],
    ['an ExternalSecret by its target', source('ExternalSecret', 'external-secrets.io/v1', { target: { name: 'shop-tls' } })],
    ['an ExternalSecret by its own name', source('ExternalSecret', 'external-secrets.io/v1', {}, 'shop-tls')],
    ['a SealedSecret', source('SealedSecret', 'bitnami.com/v1alpha1', {}, 'shop-tls')],
    ['a replicator, by name', { expectedSecrets: ['shop-tls'] }],
    ['a replicator, by pattern', { expectedSecrets: ['*-tls'] }],
  ])('%s', (_, world) => expect(messageFor(world)).toBe('pending'));

  it.each([
    ['a Certificate of another Secret', source('Certificate', 'cert-manager.io/v1', { secretName: 'other' })],
    ['a pattern that does not fit', { expectedSecrets: ['*-wildcard-tls', 'shop'] }],
  ])('not %s', (_, world) => expect(messageFor(world)).toBe('missing'));

  it.each([
    [{ 'cert-manager.io/issuer': 'ca' }, 'pending'],
    [{ 'cert-manager.io/cluster-issuer': 'letsencrypt' }, 'pending'],
    [{ 'cert-manager.io/cluster-issuer': '' }, 'missing'],
    [{ 'kubernetes.io/tls-acme': 'true' }, 'pending'],
    [{ 'kubernetes.io/tls-acme': 'false' }, 'missing'],
    [{ 'alb.ingress.kubernetes.io/certificate-arn': 'arn:aws:acm:eu-west-1:1:certificate/1' }, 'pending'],
    [{ 'networking.gke.io/managed-certificates': 'shop' }, 'pending'],
    [{ 'projectcontour.io/tls-cert-namespace': 'certs' }, 'pending'],
    [{ 'ingress.gcp.kubernetes.io/pre-shared-cert': 'shop' }, 'pending'],
    [{ 'cert.gardener.cloud/purpose': 'managed' }, 'pending'],
    [{ 'certificates.example.com/issuer': 'house' }, 'pending'],
    [{ 'nginx.ingress.kubernetes.io/ssl-redirect': 'true' }, 'missing'],
  ])('by annotation %j: %s', (annotations, expected) => {
    expect(messageFor({ options: { providerAnnotations: ['certificates.example.com/issuer'] } }, annotations)).toBe(expected);
  });

  it.each([
    ['complete', 'missing'],
    ['notServed', 'missing'],
    ['notGiven', 'missing'],
    ['forbidden', 'missingOrPending'],
    ['unsynced', 'missingOrPending'],
  ] as const)('Certificates are %s: %s', (coverage, expected) => {
    const world = { coverage: (collection: Collection) => (collection === 'Certificate' ? coverage : 'complete') };
    expect(messageFor(world)).toBe(expected);
  });

  it('reads again before a denial only what the cluster serves', () => {
    const coverage = (collection: Collection) => (collection === 'ExternalSecret' ? 'notServed' : 'complete');
    const object = ingress('web', ['shop-tls']);
    const { findings, reads } = judged(object, { coverage });
    expect(findings[0]?.subject).toEqual(refOf(object));
    expect(reads.map(({ collection }) => collection).sort()).toEqual(['Certificate', 'Ingress', 'SealedSecret', 'Secret']);
  });
});
