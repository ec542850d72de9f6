import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unfitNode } from '../../src/commands/node-version.ts';
import { run } from '../../src/commands/program.ts';
import { rules } from '../../src/rules/index.ts';
import { fakeTerminal } from './terminal.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'program-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function portcullis(args: readonly string[], stdin = '') {
  const terminal = fakeTerminal(stdin);
  const code = await run(args, terminal, '1.2.3');
  // biome-ignore lint/suspicious/noExplicitAny: parsed JSON, which the tests pick apart
  return { code, ...terminal.written, json: (): any => JSON.parse(terminal.written.out) };
}
const write = (name: string, content: string): string => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, ports: [{name: http, containerPort: 8080}]}]}
`;
const service = (app: string, targetPort = 'http'): string => `apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
spec:
  selector:
    app: ${app}
  ports:
    - port: 80
      targetPort: ${targetPort}
`;
const namespace = (profile: string): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {portcullis.dev/profile: ${profile}}}\n`;

describe('portcullis check', () => {
  it('is content with what is right', async () => {
    const { code, out, error } = await portcullis(['check', write('a.yaml', `${deployment}---\n${service('web')}`)]);
    expect([code, out, error]).toEqual([0, 'No findings in 1 object of 1 file\n', '']);
  });
  it('finds a selector that matches nothing, at its line, and says the repair', async () => {
    const path = write('a.yaml', `${deployment}---\n${service('wbe')}`);
    const { code, out } = await portcullis(['check', path]);
    expect(code).toBe(1);
    expect(out).toContain(`${path}\n  15:3  high  Service shop/web\n    spec.selector: `);
    expect(out).toContain('app=web');
    expect(out).toContain('service-selector-matches-no-pods (warned on apply)');
  });
  it('writes the same as JSON', async () => {
    const { code, json } = await portcullis(['check', '-o', 'json', '-'], `${deployment}---\n${service('wbe')}`);
    expect(code).toBe(1);
    expect(json().findings).toEqual([
      expect.objectContaining({
        rule: 'service-selector-matches-no-pods',
        mode: 'warn',
        file: 'stdin',
        line: 15,
        column: 3,
        path: 'spec.selector',
      }),
    ]);
    expect(json().findings[0].patch.length).toBeGreaterThan(0);
  });
  it('knows Pods of one namespace only from files of it, and lists what it could not check', async () => {
    const { code, out, json } = await portcullis(['check', '-o', 'json', '-'], service('web'));
    expect(code).toBe(0);
    expect(json().findings).toEqual([]);
    expect(json().skipped.map(({ rule }: Record<string, unknown>) => rule)).toContain('service-selector-matches-no-pods');
    expect(json().skipped[0]).toMatchObject({ reason: 'notGiven', namespace: 'shop' });
    expect(out).not.toContain('"fault"');
    expect((await portcullis(['check', '-'], service('web'))).out).toContain('Template of namespace shop is not among the files');
  });
  it('takes the files for everything with --assume-complete', async () => {
    const { code, json } = await portcullis(['check', '--assume-complete', '-o', 'json', '-'], service('web'));
    expect(code).toBe(1);
    expect(json().skipped).toEqual([]);
  });
  it.each([
    ['critical', 0],
    ['high', 1],
    ['medium', 1],
    ['info', 1],
  ])('with --fail-on %s exits with %i for a high finding', async (severity, expected) => {
    expect((await portcullis(['check', '--fail-on', severity, '-'], `${deployment}---\n${service('wbe')}`)).code).toBe(expected);
  });
  it('fails on nothing that is only noted', async () => {
    const { code, json } = await portcullis(
      ['check', '--profile', 'observe', '--fail-on', 'info', '-o', 'json', '-'],
      `${deployment}---\n${service('wbe')}`,
    );
    expect([code, json().findings[0].mode]).toEqual([0, 'audit']);
  });
  it('reads profiles from the label of a namespace among the files', async () => {
    const { json } = await portcullis(['check', '-o', 'json', '-'], `${namespace('strict')}---\n${deployment}---\n${service('wbe')}`);
    expect(json().findings[0].mode).toBe('deny');
  });
  it('reads the configuration', async () => {
    const config = write('portcullis.yaml', 'apiVersion: portcullis.dev/v1\nrules:\n  service-selector-matches-no-pods: {mode: off}\n');
    expect((await portcullis(['check', '--config', config, '-'], `${deployment}---\n${service('wbe')}`)).code).toBe(0);
  });
  it('lists what is exempt, with the reason', async () => {
    const exemption = "{rules: ['*'], namespaces: [shop], reason: known since May}";
    const config = write('portcullis.yaml', `apiVersion: portcullis.dev/v1\nexemptions:\n  list: [${exemption}]\n`);
    const { code, json } = await portcullis(['check', '--config', config, '-o', 'json', '-'], `${deployment}---\n${service('wbe')}`);
    expect(code).toBe(0);
    expect(json().skipped).toEqual([
      expect.objectContaining({
        rule: 'service-selector-matches-no-pods',
        reason: 'exempt',
        message: expect.stringContaining('known since May'),
      }),
    ]);
  });
  it('uses the namespace given for objects that name none', async () => {
    const text = `${deployment}---\n${service('wbe')}`.replaceAll(/,? ?\n? *namespace: shop/g, '');
    const { json } = await portcullis(['check', '-n', 'mine', '-o', 'json', '-'], text);
    expect(json().findings[0].object.namespace).toBe('mine');
  });
  it('checks the other files when one is broken, and exits with 2', async () => {
    const paths = [
      write('bad.yaml', 'a: [\n'),
      join(directory, 'none.yaml'),
      write('text.yaml', 'hello\n'),
      write('good.yaml', `${deployment}---\n${service('wbe')}`),
    ];
    const { code, json } = await portcullis(['check', '-o', 'json', ...paths]);
    expect(code).toBe(2);
    expect(json().findings.length).toBe(1);
    expect(
      json().errors.map(({ file, line, message, hint }: Readonly<Record<'file' | 'line' | 'message' | 'hint', string>>) => [
        file.slice(directory.length + 1),
        line,
        message.slice(0, 19),
        hint.length > 5,
      ]),
    ).toEqual([
      ['none.yaml', undefined, 'does not exist', true],
      ['bad.yaml', 2, 'is not valid YAML: ', true],
      ['text.yaml', 1, 'is not a Kubernetes', true],
    ]);
  });
  it('does not judge what the API server refuses, but lets others refer to it', async () => {
    const { code, json } = await portcullis(['check', '-o', 'json', '-'], `${deployment}---\n${service('wbe', '"8080"')}`);
    expect(code).toBe(2);
    expect(json().errors).toEqual([
      expect.objectContaining({ line: 19, column: 7, message: expect.stringContaining('"8080" is no name of a port') }),
    ]);
    expect([json().findings, json().summary.objects]).toEqual([[], 0]);
  });
  it('exits with 2 when there is nothing to check', async () => {
    expect((await portcullis(['check', '-'], '')).code).toBe(2);
    expect((await portcullis(['check', directory])).code).toBe(2);
  });
  it('knows Secrets by name, and what will bring one', async () => {
    const ingress = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  tls: [{hosts: [a.example], secretName: tls}]
  defaultBackend: {service: {name: web, port: {number: 80}}}
`;
    const secret = (name: string): string =>
      `apiVersion: v1\nkind: Secret\nmetadata: {name: ${name}, namespace: shop}\ntype: kubernetes.io/tls\ndata: {tls.crt: aGk=, tls.key: aGk=}\n`;
    const found = async (...more: string[]) => (await portcullis(['check', '-o', 'json', '-'], [ingress, ...more].join('---\n'))).json();
    expect((await found(secret('tls'))).findings).toEqual([]);
    expect((await found(secret('other'))).findings).toEqual([expect.objectContaining({ rule: 'tls-secret-missing', line: 5 })]);
    expect((await found()).skipped).toContainEqual(expect.objectContaining({ rule: 'tls-secret-missing', reason: 'notGiven' }));
  });
});

describe('portcullis rules and explain', () => {
  it('lists every rule', async () => {
    const { code, out } = await portcullis(['rules']);
    expect(code).toBe(0);
    for (const { meta } of rules) expect(out).toContain(`${meta.id}\n  ${meta.summary}.\n`);
  });
  it('lists them as JSON, each message with its modes', async () => {
    const { json } = await portcullis(['rules', '-o', 'json']);
    expect(json().rules.map(({ id }: Record<string, unknown>) => id)).toEqual(rules.map(({ meta }) => meta.id).sort());
    expect(json().rules.find(({ id }: Record<string, unknown>) => id === 'service-selector-matches-no-pods')).toMatchObject({
      kinds: ['Service'],
      messages: expect.arrayContaining([
        expect.objectContaining({ severity: 'high', modes: { observe: 'audit', guided: 'warn', strict: 'deny' } }),
      ]),
    });
  });
  it('explains a rule', async () => {
    const { code, out } = await portcullis(['explain', 'service-selector-matches-no-pods']);
    expect([code, out.startsWith('service-selector-matches-no-pods\n')]).toEqual([0, true]);
  });
  it('shows the page of every rule without its markup', async () => {
    for (const { meta } of rules) {
      const { code, out } = await portcullis(['explain', meta.id]);
      expect(code).toBe(0);
      expect(out.length).toBeGreaterThan(500);
      expect(out).not.toMatch(/^(#|```)|<!--|\]\(|\*\*/m);
    }
  });
  it.each(['service-selector-matches-no-pod', 'selector-matches-no-pods'])('guesses what %s means', async (id) => {
    const { code, out, error } = await portcullis(['explain', id]);
    expect([code, out]).toEqual([2, '']);
    expect(error).toContain(`there is no rule "${id}". Did you mean "service-selector-matches-no-pods"?`);
  });
  it('does not guess at nonsense', async () => {
    expect((await portcullis(['explain', '\u001b[31mx'])).error).toBe(
      'portcullis: there is no rule "?[31mx". Run "portcullis rules" for the list. [PC0001]\n',
    );
  });
});

describe('the command line', () => {
  it.each([
    [['check', '--failon', 'x'], "unknown option '--failon'. Did you mean --fail-on?"],
    [['chek', 'x'], "unknown command 'chek'. Did you mean check?"],
    [['check', '--fail-on', 'bad', 'x'], "argument 'bad' is invalid. Allowed choices are critical, high"],
    [['check'], "missing required argument 'path'. See"],
    [['check', '-o', 'xml', 'x'], 'Allowed choices are text, json'],
    [['explain'], "missing required argument 'target'. See"],
    [['explain', 'a', 'b'], 'too many arguments'],
    [['serve', '--port', '70000'], 'Not a port'],
    [[], 'no command is given. See "portcullis --help"'],
  ])('answers %j with one line', async (args, expected) => {
    const { code, out, error } = await portcullis(args);
    expect([code, out]).toEqual([2, '']);
    expect(error).toContain(expected);
    expect(error).toMatch(/^portcullis: [^\n]+ \[PC0001\]\n$/);
  });
  it.each([
    ...[['--help'], ['check', '--help'], ['rules', '-h'], ['explain', '--help'], ['serve', '--help'], ['demo', '--help']],
    ...[
      ['doctor', '--help'],
      ['selftest', '-h'],
    ],
  ])('teaches: %s %s', async (...args) => {
    const { code, out, error } = await portcullis(args.filter((arg) => arg !== undefined));
    expect([code, error]).toEqual([0, '']);
    expect(out).toMatch(/Examples:\n {2}\S/);
  });
  it('knows its version', async () => expect((await portcullis(['--version'])).out).toBe('1.2.3\n'));

  it.each([
    ['none.yaml', undefined, /none\.yaml cannot be read \(ENOENT\)\. .* \[PC0002\]\n$/],
    ['bad.yaml', 'a: [\n', /bad\.yaml:2:1 is not valid YAML: .* \[PC0003\]\n$/],
    [
      'typo.yaml',
      'apiVersion: portcullis.dev/v1\nprofil: strict\n',
      /typo\.yaml: .*profil: .*did you mean "profile"\? Correct .* \[PC0003\]\n$/s,
    ],
    [
      'twice.yaml',
      'apiVersion: portcullis.dev/v1\nprofile: strict\nprofile: observe\n',
      /twice\.yaml:3:1 the key "profile" .* \[PC0003\]\n$/,
    ],
    ['two.yaml', 'apiVersion: portcullis.dev/v1\n---\nprofile: strict\n', /two\.yaml:3:1 a second document .* \[PC0003\]\n$/],
  ])('tells what is wrong with the configuration %s, without a stack', async (name, content, expected) => {
    const path = content === undefined ? join(directory, name) : write(name, content);
    const { code, out, error } = await portcullis(['check', '--config', path, '-'], service('web'));
    expect([code, out]).toEqual([2, '']);
    expect(error).toMatch(expected);
    expect(error).not.toMatch(/\n\s+at /);
  });
  it('takes a configuration between separators for one document', async () => {
    const path = write('one.yaml', '# ours\n---\napiVersion: portcullis.dev/v1\nprofile: strict\n---\n');
    expect((await portcullis(['check', '--config', path, write('a.yaml', deployment)])).code).toBe(0);
  });
});

describe('the process', () => {
  const main = join(import.meta.dirname, '../../src/main.ts');
  const node = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
    promisify(execFile)(process.execPath, [main, ...args], { env: { ...process.env, ...environment } }).catch(
      (error: unknown) => error as { stdout: string; stderr: string; code: number },
    );

  it('returns the exit code, and colours only if asked to', async () => {
    const path = write('a.yaml', `${deployment}---\n${service('wbe')}`);
    const plain = await node(['check', path], { NO_COLOR: '1' });
    expect(plain).toMatchObject({ code: 1, stderr: '' });
    expect(plain.stdout).not.toContain('\u001b');
    const coloured = await node(['check', path], { FORCE_COLOR: '1', NO_COLOR: '' });
    expect(coloured.stdout).toContain('\u001b[31mhigh');
  });
  it.runIf(existsSync('/dev/full'))('does not take a full disk for a finding', async () => {
    const path = write('a.yaml', `${deployment}---\n${service('wbe')}`);
    const command = promisify(execFile)('sh', ['-c', '"$0" "$@" > /dev/full', process.execPath, main, 'check', path]);
    await expect(command).rejects.toMatchObject({ code: 2, stderr: 'portcullis: standard output cannot be written (ENOSPC)\n' });
  });
  it('wants a Node that it was written for', () => {
    expect(unfitNode('20.20.2')).toMatch(/^portcullis: this is Node 20\.20\.2, .* "npx" before "node"\.\n$/);
    expect([unfitNode('24.0.0'), unfitNode('26.1.0'), unfitNode(process.versions.node)]).toEqual([undefined, undefined, undefined]);
  });
});
