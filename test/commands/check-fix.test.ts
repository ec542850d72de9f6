/** `check --fix`: what it writes, what it leaves alone, and what it says of both. */
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/commands/program.ts';
import { fakeTerminal } from './terminal.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'check-fix-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (name: string, content: string | Uint8Array): string => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};
const read = (name: string): string => readFileSync(join(directory, name), 'utf8');

async function fix(args: readonly string[], stdin = '') {
  const terminal = fakeTerminal(stdin);
  const code = await run(['check', '--fix', ...args], terminal, '1.2.3');
  return { code, ...terminal.written };
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, ports: [{name: http, containerPort: 8080}]}]}
`;
const service = (app = 'wbe', targetPort = 'http'): string => `# Who answers in the shop
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector:
    app: ${app} # its Pods
  ports:
    - port: 80   # as the load balancer expects
      targetPort: ${targetPort}
`;
const both = (text: string): string => `${deployment}---\n${text}`;

describe('check --fix', () => {
  it('edits the value and no other byte, says what, and judges again', async () => {
    const path = write('shop.yaml', both(service()));
    const { code, out } = await fix([path]);
    expect(read('shop.yaml')).toBe(both(service('web')));
    expect([code, out]).toEqual([
      0,
      expect.stringContaining(`fixed ${path}:15: spec.selector = {app: web} [service-selector-matches-no-pods]\n1 edit, 0 left alone\n`),
    ]);
    expect(readdirSync(directory)).toEqual(['shop.yaml']);
  });

  it('repairs what comes to light only then', async () => {
    const path = write('shop.yaml', both(service('wbe', 'htpp')));
    const { code, out } = await fix([path]);
    expect(read('shop.yaml')).toBe(both(service('web', 'http')));
    expect([code, out]).toEqual([0, expect.stringContaining('2 edits, 0 left alone')]);
    expect((await fix([path])).out).toContain('0 edits, 0 left alone');
  });

  it('reports what is left, with the exit code of check', async () => {
    const path = write('shop.yaml', both(service('unheard-of')));
    const { code, out } = await fix([path]);
    expect(read('shop.yaml')).toBe(both(service('unheard-of')));
    expect([code, out]).toEqual([1, expect.stringMatching(/^0 edits, 0 left alone[\s\S]*service-selector-matches-no-pods/)]);
  });

  it('keeps mode, byte order mark and the line breaks of Windows', async () => {
    const text = `\ufeff${both(service())}`.replaceAll('\n', '\r\n');
    const path = write('shop.yaml', text);
    chmodSync(path, 0o640);
    expect((await fix([path])).code).toBe(0);
    expect(read('shop.yaml')).toBe(text.replace('wbe', 'web'));
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  it.each(['utf-16le', 'utf-16be'])('keeps %s', async (encoding) => {
    const encoded = (text: string) => {
      const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
      return encoding === 'utf-16be' ? bytes.swap16() : bytes;
    };
    const path = write('shop.yaml', encoded(both(service())));
    expect((await fix([path])).code).toBe(0);
    expect(readFileSync(path).equals(encoded(both(service('web'))))).toBe(true);
  });

  it('edits objects of a List and of JSON', async () => {
    const object = (app: string) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { selector: { app }, ports: [{ port: 80, targetPort: 'http' }] },
    });
    const list = (app: string): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [object(app)] }, null, 3);
    write('list.json', list('wbe'));
    write('pods.yaml', deployment);
    const { code } = await fix([directory]);
    expect([code, read('list.json')]).toEqual([0, list('web')]);
  });

  it('adds what is not there yet, as people write it', async () => {
    const policy = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: kube-system}
spec:
  podSelector: {} # everybody
  policyTypes: [Ingress]
`;
    write('policy.yaml', policy);
    cpSync('examples/cluster', join(directory, 'cluster'), { recursive: true });
    const { code } = await fix([directory]);
    const ports = '    ports:\n    - protocol: UDP\n      port: 53\n    - protocol: TCP\n      port: 53\n';
    expect(read('policy.yaml')).toBe(`${policy}  ingress:\n  - from:\n    - namespaceSelector: {}\n${ports}`);
    expect(code).toBe(0);
  });

  it('leaves alone what comes from an anchor, and says so', async () => {
    const text = both(service()).replace('  selector:\n    app: wbe # its Pods', '  selector: &pods\n    app: wbe');
    const path = write('shop.yaml', text);
    const { code, out } = await fix([path]);
    expect([code, read('shop.yaml')]).toEqual([1, text]);
    expect(out).toMatch(
      /left alone .*shop\.yaml:15: spec\.selector = \{app: web\}: it has an anchor .* \[service-selector-matches-no-pods\]\n0 edits, 1 left alone/,
    );
  });

  it('touches no file that has errors', async () => {
    const text = `${both(service())}---\nkind: [\n`;
    const path = write('shop.yaml', text);
    const { code, out } = await fix([path]);
    expect([code, read('shop.yaml'), out]).toEqual([2, text, expect.stringContaining('the file has errors')]);
  });

  it('follows no symbolic link out of what was given', async () => {
    mkdirSync(join(directory, 'given'));
    const outside = write('outside.yaml', both(service()));
    symlinkSync(outside, join(directory, 'given', 'shop.yaml'));
    const { code, out } = await fix([join(directory, 'given')]);
    expect([code, read('outside.yaml')]).toEqual([2, both(service())]);
    expect(out).toContain('is behind a symbolic link that leads elsewhere');
    expect(out).toContain('0 edits');
  });

  it('follows one that stays within, and leaves it a link', async () => {
    mkdirSync(join(directory, '.base'));
    write('.base/shop.yaml', both(service()));
    symlinkSync(join('.base', 'shop.yaml'), join(directory, 'shop.yaml'));
    expect((await fix([directory])).code).toBe(0);
    expect([read('.base/shop.yaml'), readdirSync(join(directory, '.base'))]).toEqual([both(service('web')), ['shop.yaml']]);
  });

  it('prints what came from standard input, and nothing else there', async () => {
    const { code, out, error } = await fix(['-'], both(service()));
    expect([code, out]).toEqual([0, both(service('web'))]);
    expect(error).toContain('fixed stdin:15: spec.selector = {app: web}');
    expect((await fix(['-'], both(service('web')))).out).toBe(both(service('web')));
  });

  it('keeps JSON reports apart', async () => {
    const { code, out, error } = await fix(['-o', 'json', write('shop.yaml', both(service()))]);
    expect([code, JSON.parse(out).summary.findings, error]).toEqual([0, 0, expect.stringContaining('1 edit, 0 left alone')]);
  });
});

describe('check --fix --dry-run', () => {
  it('prints a diff, and writes nothing', async () => {
    const path = write('shop.yaml', both(service()));
    const { code, out, error } = await fix(['--dry-run', path]);
    expect([code, read('shop.yaml')]).toEqual([0, both(service())]);
    expect(out).toBe(
      [
        `--- ${path}`,
        `+++ ${path}`,
        '@@ -13,7 +13,7 @@',
        ' metadata: {name: web, namespace: shop}',
        ' spec:',
        '   selector:',
        '-    app: wbe # its Pods',
        '+    app: web # its Pods',
        '   ports:',
        '     - port: 80   # as the load balancer expects',
        '       targetPort: http',
        '',
      ].join('\n'),
    );
    expect(error).toContain('would fix ');
  });

  it('hands nothing of a file to the terminal that acts on it', async () => {
    const { out } = await fix(['--dry-run', '-'], both(service()).replace('# its Pods', '# \u001b[2J\u202e'));
    expect(['\u001b', '\u202e'].filter((one) => out.includes(one))).toEqual([]);
    expect(out).toContain('+    app: web # ?[2J?');
  });
});
