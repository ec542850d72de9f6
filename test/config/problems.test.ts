import { expect, it } from 'vitest';
import { parseConfiguration } from '../../src/config/settings.ts';
import { OperatorError } from '../../src/errors.ts';
import { sampleRules } from './sample-rules.ts';

/** The lines of the error, without the one that counts them. */
function problems(file: unknown): readonly string[] {
  try {
    parseConfiguration(file, sampleRules);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    expect(error.code).toBe('PC0003');
    const [count, ...lines] = error.message.split('\n');
    expect(count).toBe(`${lines.length === 1 ? 'one problem' : `${lines.length} problems`} in the configuration:`);
    return lines;
  }
  return [];
}
const problemsWith = (part: object): readonly string[] => problems({ apiVersion: 'portcullis.dev/v1', ...part });
const rule = (settings: unknown) => ({ rules: { 'service-is-odd': settings } });
const exemption = (entry: object) => ({ exemptions: { list: [{ rules: ['*'], reason: 'moving', ...entry }] } });

it.each([
  [undefined, 'missing; expected a mapping'],
  [null, 'expected a mapping, found nothing'],
  ['profile: guided', 'expected a mapping, found a string'],
  [[], 'expected a mapping, found a list'],
  [{}, 'apiVersion: missing; expected portcullis.dev/v1'],
  [{ apiVersion: 'portcullis.dev/v2' }, 'apiVersion: "portcullis.dev/v2" is not portcullis.dev/v1; did you mean "portcullis.dev/v1"?'],
])('refuses the file %j', (file, line) => expect(problems(file)).toEqual([line]));

it.each([
  [{ profil: 'strict' }, 'profil: unknown key; did you mean "profile"?'],
  [{ profile: 'guide' }, 'profile: "guide" is not one of observe, guided, strict; did you mean "guided"?'],
  [{ profile: ['strict'] }, 'profile: a list is not one of observe, guided, strict'],
  [{ rules: { 'service-is-od': {} } }, 'rules.service-is-od: no rule has this id; did you mean "service-is-odd"?'],
  [{ rules: { nonsense: {} } }, 'rules.nonsense: no rule has this id; "portcullis rules" lists them'],
  [rule(false), 'rules.service-is-odd: expected a mapping, found false; did you mean {mode: off}?'],
  [rule('audit'), 'rules.service-is-odd: expected a mapping, found a string; did you mean {mode: audit}?'],
  [rule('x'), 'rules.service-is-odd: expected a mapping, found a string'],
  [rule({ mdoe: 'off' }), 'rules.service-is-odd.mdoe: unknown key; did you mean "mode"?'],
  [rule({ mode: 'denny' }), 'rules.service-is-odd.mode: "denny" is not one of deny, warn, audit, off; did you mean "deny"?'],
  [rule({ mode: true }), 'rules.service-is-odd.mode: true is not one of deny, warn, audit, off'],
  [rule({ exemptable: 'no' }), 'rules.service-is-odd.exemptable: expected true or false, found a string'],
  [rule({ options: { prots: [80] } }), 'rules.service-is-odd.options.prots: unknown key; did you mean "ports"?'],
  [rule({ options: { ports: ['80'] } }), 'rules.service-is-odd.options.ports[0]: expected a number, found a string'],
  [
    rule({ options: { from: 'insde' } }),
    'rules.service-is-odd.options.from: "insde" is not one of inside, outside; did you mean "inside"?',
  ],
  [rule({ options: null }), 'rules.service-is-odd.options: expected a mapping, found nothing'],
  [
    rule({ overrides: [{ mode: 'warn' }] }),
    'rules.service-is-odd.overrides[0]: chooses no namespaces; add namespaces or namespaceSelector',
  ],
  [
    rule({ overrides: [{ namespaces: ['shop'] }] }),
    'rules.service-is-odd.overrides[0].mode: missing; expected deny or warn or audit or off',
  ],
  [
    rule({ overrides: [{ namespaces: ['Shop'], mode: 'off' }] }),
    'rules.service-is-odd.overrides[0].namespaces[0]: "Shop" is not the name of a namespace, with * for any characters',
  ],
  [
    rule({ overrides: [{ namespaceSelector: { matchLabel: {} }, mode: 'off' }] }),
    'rules.service-is-odd.overrides[0].namespaceSelector.matchLabel: unknown key; did you mean "matchLabels"?',
  ],
  [
    rule({ overrides: [{ namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] }, mode: 'off' }] }),
    'rules.service-is-odd.overrides[0].namespaceSelector.matchExpressions[0].values: missing; In and NotIn need values, Exists and DoesNotExist take none',
  ],
  [
    exemption({ rules: ['service-is-od'] }),
    'exemptions.list[0].rules[0]: "service-is-od" is not one of *, service-is-odd, resolver-is-cut, service-is-refused, service-is-dormant; did you mean "service-is-odd"?',
  ],
  [exemption({ reason: ' ' }), 'exemptions.list[0].reason: " " is empty'],
  [exemption({ reason: undefined }), 'exemptions.list[0].reason: missing; expected a string'],
  [exemption({ until: '2027-02-30' }), 'exemptions.list[0].until: "2027-02-30" is not a date, as 2027-03-31'],
  [
    exemption({ users: ['system:serviceaccount:flux:*'] }),
    'exemptions.list[0].users[0]: "system:serviceaccount:flux:*" is a pattern; a user is named in full, since names can be chosen to fit a pattern',
  ],
  [{ grace: '1 minute' }, 'grace: "1 minute" is not a duration up to 24h, as 60s or 1m30s'],
  [{ grace: '25h' }, 'grace: "25h" is not a duration up to 24h, as 60s or 1m30s'],
  [{ docsBaseUrl: 'docs.example.com' }, 'docsBaseUrl: "docs.example.com" is not an http or https address'],
  [{ secrets: { level: 'existense' } }, 'secrets.level: "existense" is not one of off, existence, full; did you mean "existence"?'],
  [{ protectedNamespaces: ['kube-*'] }, 'protectedNamespaces[0]: "kube-*" is not the name of a namespace'],
  [
    { workloads: [{ apiVersion: 'apps/v1beta1', kind: 'Deployment', resource: 'deployments' }] },
    'workloads[0].kind: "Deployment" is known already',
  ],
  [
    { workloads: [{ apiVersion: 'a.io/v1', kind: 'Rollout', resource: 'rollouts', template: 'spec[0]' }] },
    'workloads[0].template: "spec[0]" is not the path of a field, as spec.template',
  ],
])('refuses %j', (part, line) => expect(problemsWith(part)).toEqual([line]));

it('tells of all problems at once, those of options too', () => {
  expect(problemsWith({ profile: 'x', ...rule({ mode: 'x', options: { ports: [0] } }), nonsense: 1 })).toHaveLength(4);
});

it('takes keys of the prototype for what they are', () => {
  expect(problemsWith(JSON.parse('{"__proto__": {}, "rules": {"__proto__": {}}}'))).toEqual([
    '__proto__: unknown key',
    'rules.__proto__: unknown key',
  ]);
  expect(problemsWith({ rules: JSON.parse('{"constructor": {}, "toString": {}}') })).toHaveLength(2);
});

it('refuses a label that a map would drop, and the selector be wider for it', () => {
  const namespaceSelector = JSON.parse('{"matchLabels": {"__proto__": "x"}}');
  expect(problemsWith(rule({ overrides: [{ namespaceSelector, mode: 'off' }] }))).toEqual([
    'rules.service-is-odd.overrides[0].namespaceSelector.matchLabels.__proto__: unknown key',
  ]);
});
