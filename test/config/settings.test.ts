import { describe, expect, it } from 'vitest';
import { parseConfiguration, type WriteContext } from '../../src/config/settings.ts';
import type { Mode } from '../../src/engine/mode.ts';
import { dormantRule, fileRule, findingOf, labels, now, sampleRules, service, serviceRule, systemRule } from './sample-rules.ts';

const configuration = (file: object = {}) => parseConfiguration({ apiVersion: 'portcullis.dev/v1', ...file }, sampleRules);

const write = (context: Partial<WriteContext> = {}): WriteContext => ({
  object: service(),
  operation: 'CREATE',
  namespaceLabels: labels({}),
  now,
  ...context,
});

const modesOf = (file: object, context: Partial<WriteContext> = {}): readonly Mode[] => {
  const bound = configuration(file).bind(write(context));
  return ['grave', 'mild', 'note'].map((id) => bound.modeOf(...findingOf(serviceRule, id)));
};
const labelled = (profile: string): Partial<WriteContext> => ({
  namespaceLabels: labels({ 'portcullis.dev/profile': profile, team: 'a' }),
});
const rule = (settings: object) => ({ rules: { 'service-is-odd': settings } });
const inShop = { namespaces: ['sh*'] };
const inTeamA = { namespaceSelector: { matchLabels: { team: 'a' } } };

describe('precedence, weakest first', () => {
  it.each([
    ['the default profile is guided', {}, {}, ['warn', 'audit', 'audit']],
    ['observe only records', { profile: 'observe' }, {}, ['audit', 'audit', 'audit']],
    ['strict', { profile: 'strict' }, {}, ['deny', 'warn', 'audit']],
    ['a label makes stricter', {}, labelled('strict'), ['deny', 'warn', 'audit']],
    ['a label does not loosen', { profile: 'strict' }, labelled('observe'), ['deny', 'warn', 'audit']],
    [
      '… unless the configuration allows it',
      { profile: 'strict', namespaceProfiles: 'any' },
      labelled('observe'),
      ['audit', 'audit', 'audit'],
    ],
    ['… nor does it anything where labels are ignored', { namespaceProfiles: 'ignore' }, labelled('strict'), ['warn', 'audit', 'audit']],
    ['an unknown label does nothing', {}, labelled('stricct'), ['warn', 'audit', 'audit']],
    ['deny lifts what strict denies, the rest to strict', rule({ mode: 'deny' }), {}, ['deny', 'warn', 'audit']],
    ['warn lifts and lowers all but severity info', rule({ mode: 'warn' }), labelled('strict'), ['warn', 'warn', 'audit']],
    ['audit', rule({ mode: 'audit' }), labelled('strict'), ['audit', 'audit', 'audit']],
    ['off', rule({ mode: 'off' }), labelled('strict'), ['off', 'off', 'off']],
    ['a bare off is false in YAML 1.1', rule({ mode: false }), {}, ['off', 'off', 'off']],
    ['a rule outweighs observe', { profile: 'observe', ...rule({ mode: 'deny' }) }, {}, ['deny', 'warn', 'audit']],
    ['an override outweighs the rule', rule({ mode: 'deny', overrides: [{ ...inShop, mode: 'audit' }] }), {}, ['audit', 'audit', 'audit']],
    ['… elsewhere it does not', rule({ mode: 'off', overrides: [{ namespaces: ['shop-*'], mode: 'deny' }] }), {}, ['off', 'off', 'off']],
    [
      'the first override that matches wins',
      rule({
        overrides: [
          { ...inTeamA, mode: 'warn' },
          { ...inShop, mode: 'deny' },
        ],
      }),
      labelled('guided'),
      ['warn', 'warn', 'audit'],
    ],
    [
      'names and selector of one override must both match',
      rule({
        overrides: [
          { ...inTeamA, namespaces: ['other'], mode: 'off' },
          { ...inShop, ...inTeamA, mode: 'deny' },
        ],
      }),
      labelled('guided'),
      ['deny', 'warn', 'audit'],
    ],
  ] as const)('%s', (_, file, context, expected) => expect(modesOf(file, context)).toEqual(expected));

  it('says which label has no effect, and why', () => {
    const noticesOf = (file: object, label: string) => configuration(file).bind(write(labelled(label))).notices;
    expect(noticesOf({}, 'stricct')).toEqual([
      'label portcullis.dev/profile=stricct of Namespace shop has no effect: it is not one of observe, guided, strict; did you mean "strict"?',
    ]);
    expect(noticesOf({ profile: 'strict' }, 'guided')).toEqual([
      "label portcullis.dev/profile=guided of Namespace shop has no effect: the cluster's profile strict is stricter, and a label may only make it stricter",
    ]);
    expect(noticesOf({}, 'strict')).toEqual([]);
    expect(noticesOf({ namespaceProfiles: 'ignore' }, 'nonsense')).toEqual([]);
  });
});

describe('DELETE', () => {
  const user = (username: string) => ({ username, groups: [] });
  it.each([
    ['strict denies no removal', { profile: 'strict' }, user('jane'), 'warn'],
    ['a rule set to deny does', rule({ mode: 'deny' }), user('jane'), 'deny'],
    ['so does an override', rule({ overrides: [{ ...inShop, mode: 'deny' }] }), user('jane'), 'deny'],
    ['of an unknown user too', rule({ mode: 'deny' }), undefined, 'deny'],
    ['never the namespace controller', rule({ mode: 'deny' }), user('system:serviceaccount:kube-system:namespace-controller'), 'warn'],
    ['never the garbage collector', rule({ mode: 'deny' }), user('system:serviceaccount:kube-system:generic-garbage-collector'), 'warn'],
    ['never both under one name', rule({ mode: 'deny' }), user('system:kube-controller-manager'), 'warn'],
    [
      'a service account of another namespace is nobody',
      rule({ mode: 'deny' }),
      user('system:serviceaccount:shop:namespace-controller'),
      'deny',
    ],
  ] as const)('%s', (_, file, who, expected) => {
    expect(modesOf(file, { operation: 'DELETE', ...(who && { user: who }) })[0]).toBe(expected);
  });

  it('denies the same users other writes', () => {
    expect(modesOf(rule({ mode: 'deny' }), { operation: 'UPDATE', user: user('system:kube-controller-manager') })[0]).toBe('deny');
  });

  it('runs only rules that judge removals', () => {
    const once = parseConfiguration({ apiVersion: 'portcullis.dev/v1' }, [
      {
        ...serviceRule,
        configure: (given, shared) => {
          const configured = serviceRule.configure(given, shared);
          return { ...configured, meta: { ...configured.meta, judgesDelete: false } };
        },
      },
    ]);
    expect(once.bind(write({ operation: 'DELETE' })).rules).toEqual([]);
    expect(once.bind(write({ operation: 'UPDATE' })).rules).toHaveLength(1);
  });
});

describe('which rules run', () => {
  const running = (file: object, context: Partial<WriteContext> = {}) =>
    configuration(file)
      .bind(write(context))
      .rules.map(({ meta }) => meta.id);
  const id = ({ meta }: { meta: { id: string } }): string => meta.id;

  it('leaves out what is for files only, what is off here, and in protected namespaces what does not guard the system', () => {
    expect(running({})).toEqual([id(serviceRule), id(systemRule)]);
    expect(running({}, { offline: true })).toEqual([id(serviceRule), id(systemRule), id(fileRule)]);
    expect(running({}, labelled('strict'))).toContain(id(dormantRule));
    expect(running({}, { object: service({ namespace: 'kube-system' }) })).toEqual([id(systemRule)]);
    expect(running({ protectedNamespaces: ['shop'] })).toEqual([id(systemRule)]);
    expect(running({ protectedNamespaces: [] }, { object: service({ namespace: 'kube-system' }) })).toContain(id(serviceRule));
    expect(running(rule({ mode: 'off', overrides: [{ ...inShop, mode: 'audit' }] }))).toContain(id(serviceRule));
    expect(running(rule({ overrides: [{ ...inShop, mode: 'off' }] }))).not.toContain(id(serviceRule));
  });

  it('knows what is off everywhere', () => {
    const ids = (file: object) => configuration(file).rules.map(({ meta }) => meta.id);
    expect(ids(rule({ mode: 'off' }))).not.toContain(id(serviceRule));
    expect(ids(rule({ mode: 'off', overrides: [{ ...inShop, mode: 'audit' }] }))).toContain(id(serviceRule));
    expect(ids({})).toContain(id(dormantRule));
    expect(ids({ namespaceProfiles: 'ignore' })).not.toContain(id(dormantRule));
    expect(ids({ namespaceProfiles: 'ignore', rules: { 'service-is-dormant': { mode: 'warn' } } })).toContain(id(dormantRule));
  });
});

it('completes what the file leaves out', () => {
  const { rules: known, file, ...rest } = configuration();
  expect(file).toMatchObject({ apiVersion: 'portcullis.dev/v1', rules: {}, exemptions: { byAnnotation: 'never', list: [] } });
  expect(known.length).toBeGreaterThan(0);
  expect(JSON.parse(JSON.stringify(rest))).toEqual({
    profile: 'guided',
    namespaceProfiles: 'stricter',
    secrets: { level: 'existence', expected: [] },
    privacy: 'tenant',
    protectedNamespaces: ['kube-system'],
    graceMs: 60_000,
    docsBaseUrl: '',
    workloads: [],
  });
});

it('takes a resolver by namespace and name, and nothing less', () => {
  const named = (resolver: object) => () => configuration({ dns: { resolver } });
  expect(named({ namespace: 'dns', name: 'resolver' })).not.toThrow();
  expect(named({ namespace: 'dns' })).toThrow('dns.resolver.name');
  expect(named({ namespace: 'kube_system', name: 'dns' })).toThrow('dns.resolver.namespace: "kube_system" is not the name of a namespace');
  expect(named({ namespce: 'dns', name: 'dns' })).toThrow('did you mean "namespace"?');
  const at =
    (...nodeAddresses: readonly string[]) =>
    () =>
      configuration({ dns: { nodeAddresses } });
  expect(at('169.254.20.10', 'fd00::10')).not.toThrow();
  expect(at('169.254.20.10/32')).toThrow('dns.nodeAddresses[0]: "169.254.20.10/32" is not an address');
});

it('hands on what the file says', () => {
  const { graceMs, docsBaseUrl, workloads } = configuration({
    grace: '1m30s',
    docsBaseUrl: 'https://docs.example.com/rules/',
    workloads: [{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', resource: 'rollouts', template: 'spec.workload.template' }],
  });
  expect({ graceMs, docsBaseUrl }).toEqual({ graceMs: 90_000, docsBaseUrl: 'https://docs.example.com/rules' });
  expect(workloads).toEqual([
    { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', resource: 'rollouts', template: ['spec', 'workload', 'template'] },
  ]);
});
