/** The webhook configuration, whatever the values: it cannot lock a cluster (reliability.md S4). test/deploy.test.ts has the defaults. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { describeWithHelm, type Rendered, type RenderOptions, render } from '../support/helm.ts';
import { everythingOn } from './values.ts';

const configurationOf = (values: RawObject, options: RenderOptions = {}): Rendered =>
  render(values, options).find(({ kind }) => kind === 'ValidatingWebhookConfiguration');
const entriesOf = (values: RawObject, options: RenderOptions = {}): readonly Rendered[] => configurationOf(values, options).webhooks;
const fail = { replicaCount: 3, webhook: { failurePolicy: 'Fail' } };
const pem = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';

/** The names that an entry is for, by its first expression. */
const namespacesOf = ({ namespaceSelector }: Rendered): string => {
  const [{ key, operator, values = [] }] = namespaceSelector.matchExpressions;
  return `${key} ${operator} ${values.join()}`.trim();
};

describeWithHelm('the webhook configuration', () => {
  it('can be Fail in one entry only', () => {
    const policies = (values: RawObject) => entriesOf(values).map(({ name, failurePolicy }) => [name.split('.')[0], failurePolicy]);
    expect(policies({})).toEqual([
      ['validate', 'Ignore'],
      ['system', 'Ignore'],
      ['delete', 'Ignore'],
    ]);
    expect(policies(fail)).toEqual([
      ['validate', 'Fail'],
      ['system', 'Ignore'],
      ['delete', 'Ignore'],
    ]);
  });

  it.each([
    ['the defaults', {}],
    ['Fail', fail],
    ['everything', everythingOn],
  ])('with %s, asks about named kinds, and a removal only where it always ignores', (_, values) => {
    for (const { name, rules, sideEffects, matchPolicy, timeoutSeconds } of entriesOf(values)) {
      expect({ sideEffects, matchPolicy, timeoutSeconds }).toEqual({ sideEffects: 'None', matchPolicy: 'Equivalent', timeoutSeconds: 3 });
      for (const { operations, apiGroups, apiVersions, resources, scope } of rules) {
        expect(operations).toEqual(name === 'delete.portcullis.dev' ? ['DELETE'] : ['CREATE', 'UPDATE']);
        expect([...apiGroups, ...apiVersions, ...resources].join()).not.toMatch(/[*/]/);
        expect(['services', 'ingresses', 'networkpolicies']).toEqual(expect.arrayContaining(resources));
        expect(scope).toBe('Namespaced');
      }
    }
  });

  it('keeps our conditions whatever conditions are added', () => {
    for (const { matchConditions } of entriesOf(everythingOn))
      expect(matchConditions.map(({ name }: Rendered) => name)).toEqual([
        'not-the-api-server',
        'not-a-node',
        'not-clearing-away',
        'not-being-deleted',
        'not-break-glass',
        'not-argo',
      ]);
  });

  it('never asks about our own namespace, and sends no write to two entries', () => {
    const name = 'kubernetes.io/metadata.name';
    const chosen = (values: RawObject, options: RenderOptions = {}) => entriesOf(values, options).map(namespacesOf);
    expect(chosen({})).toEqual([
      `${name} NotIn portcullis,kube-system,kube-public,kube-node-lease`,
      `${name} In kube-system`,
      `${name} NotIn portcullis`,
    ]);
    expect(chosen({ config: { protectedNamespaces: ['kube-system', 'dns'] }, webhook: { excludeNamespaces: ['legacy'] } })).toEqual([
      `${name} NotIn portcullis,kube-system,kube-public,kube-node-lease,dns,legacy`,
      `${name} In kube-system,dns`,
      `${name} NotIn portcullis`,
    ]);
    expect(chosen({}, { namespace: 'kube-system' })).toEqual([
      `${name} NotIn kube-system,kube-public,kube-node-lease`,
      `${name} DoesNotExist`,
      `${name} NotIn kube-system`,
    ]);
    // Still three entries: see the template.
    expect(chosen({ config: { protectedNamespaces: [] } })[1]).toBe(`${name} DoesNotExist`);
  });

  it('never lets a write wait for us in kube-system and its like, whatever the lists say (Helm replaces lists)', () => {
    const always = ['portcullis', 'kube-system', 'kube-public', 'kube-node-lease'];
    const lists: readonly (readonly string[])[] = [[], ['dns'], ['kube-system'], ['kube-public', 'no'], ['portcullis']];
    for (const protectedNamespaces of lists)
      for (const excludeNamespaces of lists) {
        const values = { ...fail, config: { protectedNamespaces }, webhook: { ...fail.webhook, excludeNamespaces } };
        const [validate, system] = entriesOf(values).map(({ namespaceSelector }) => namespaceSelector.matchExpressions[0]);
        expect(validate).toEqual({
          key: 'kubernetes.io/metadata.name',
          operator: 'NotIn',
          values: [...new Set([...always, ...protectedNamespaces, ...excludeNamespaces])],
        });
        expect(system.values ?? []).toEqual(protectedNamespaces.filter((name) => name !== 'portcullis'));
      }
  });

  it('can be narrowed to some namespaces and objects, apart from the protected ones', () => {
    const [validate, system, removal] = entriesOf(everythingOn);
    for (const { namespaceSelector, objectSelector } of [validate, removal]) {
      expect(namespaceSelector.matchLabels).toEqual({ judged: 'yes' });
      expect(namespaceSelector.matchExpressions.slice(1)).toEqual([{ key: 'team', operator: 'Exists' }]);
      expect(objectSelector).toEqual({ matchExpressions: [{ key: 'unjudged', operator: 'DoesNotExist' }] });
    }
    expect(Object.keys(system.namespaceSelector)).toEqual(['matchExpressions']);
    expect(system).not.toHaveProperty('objectSelector');
  });

  it('trusts whom the mode names, and holds a caBundle only if it is given', () => {
    const bundles = (values: RawObject) => entriesOf(values).map(({ clientConfig }) => clientConfig.caBundle);
    expect(bundles({})).toEqual([undefined, undefined, undefined]);
    expect(bundles(everythingOn)).toEqual([undefined, undefined, undefined]);
    const given = Buffer.from(pem).toString('base64');
    expect(bundles({ tls: { mode: 'existingSecret', existingSecret: 'tls', caBundle: pem } })).toEqual([given, given, given]);
    expect(configurationOf(everythingOn, { namespace: 'guards' }).metadata.annotations).toEqual({
      'cert-manager.io/inject-ca-from': 'guards/portcullis',
      note: 'one',
    });
  });
});

describeWithHelm('the certificate', () => {
  const of = (values: RawObject) => {
    const found = render(values);
    const { containers, volumes } = found.find(({ kind }) => kind === 'Deployment').spec.template.spec;
    const flags = containers[0].args.filter((arg: string) => arg.startsWith('--tls-'));
    const secret = volumes.find(({ name }: Rendered) => name === 'tls')?.secret.secretName;
    return { flags, secret, made: found.filter(({ kind }) => kind === 'Secret' || kind === 'Certificate') };
  };
  const files = ['--tls-cert=/etc/portcullis/tls/tls.crt', '--tls-key=/etc/portcullis/tls/tls.key'];

  it('is our own in mode auto, in a Secret that is installed empty', () => {
    const { flags, secret, made } = of({});
    expect({ flags, secret }).toEqual({ flags: ['--tls-secret=portcullis-ca'], secret: undefined });
    expect(made.map((one) => [one.metadata.name, Object.keys(one).sort()])).toEqual([
      ['portcullis-ca', ['apiVersion', 'kind', 'metadata']],
    ]);
    // Replaced instead of patched, it is empty again: whoever installs us has to know.
    expect(readFileSync('docs/installing.md', 'utf8')).toMatch(/Not with `--force` \(Helm 3\) or `--force-replace` \(Helm 4\)/);
  });

  it('is ordered of cert-manager for all names of the Service', () => {
    const { flags, secret, made } = of({ ...everythingOn, clusterDomain: 'example.invalid' });
    expect({ flags, secret }).toEqual({ flags: files, secret: 'portcullis-tls' });
    expect(made).toMatchObject([
      {
        kind: 'Certificate',
        spec: {
          secretName: 'portcullis-tls',
          issuerRef: { name: 'ca', kind: 'ClusterIssuer' },
          privateKey: { algorithm: 'ECDSA', size: 256 },
          dnsNames: ['portcullis', 'portcullis.portcullis', 'portcullis.portcullis.svc', 'portcullis.portcullis.svc.example.invalid'],
        },
      },
    ]);
  });

  it('is read from the Secret that is named', () => {
    expect(of({ tls: { mode: 'existingSecret', existingSecret: 'mine' } })).toEqual({ flags: files, secret: 'mine', made: [] });
  });
});

describeWithHelm('the NetworkPolicy', () => {
  const of = (values: RawObject) => render(values).find(({ kind }) => kind === 'NetworkPolicy').spec;

  it('lets everybody reach the webhook while nobody says whence the API server calls; out, the API server and DNS', () => {
    expect(of({})).toMatchObject({
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ ports: [{ port: 10250 }] }, { ports: [{ port: 8081 }] }],
      egress: [{ ports: [{ port: 443 }, { port: 6443 }] }, { to: [{ namespaceSelector: {} }], ports: [{ port: 53 }, { port: 53 }] }],
    });
    for (const one of of({}).ingress) expect(one).not.toHaveProperty('from');
  });

  it('then lets in those addresses, and our own test', () => {
    const [webhook, health] = of({ networkPolicy: { apiServerCIDRs: ['10.0.0.0/28'] } }).ingress;
    expect(webhook.from).toMatchObject([
      { ipBlock: { cidr: '10.0.0.0/28' } },
      { podSelector: { matchLabels: { 'app.kubernetes.io/component': 'selftest' } } },
    ]);
    expect(health).not.toHaveProperty('from');
  });
});
