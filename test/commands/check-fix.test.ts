/** `check --fix`: what it writes, what it leaves alone, and what it says of both. */
import {
  chmodSync,
  chownSync,
  cpSync,
  linkSync,
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

  it('writes no guess: what may be another name, number or label stays as it is, with the question', async () => {
    const text = `apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: w}
spec:
  selector: {matchLabels: {app: carts}}
  template:
    metadata: {labels: {app: carts}}
    spec: {containers: [{name: a, ports: [{name: http, containerPort: 8080}, {name: v1, containerPort: 81}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: payments-us, namespace: w}
spec: {selector: {app: carts}, ports: [{name: http, port: 80, targetPort: v2, appProtocol: kubernetes.io/ws2}]}
---
apiVersion: v1
kind: Service
metadata: {name: api-v1, namespace: w}
spec: {selector: {app: carts, version: v3}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: api-v2, namespace: w}
spec: {selector: {app: carts}, ports: [{port: 80, targetPort: 8081}]}
---
apiVersion: v1
kind: Secret
metadata: {name: shop-us-tls, namespace: w}
type: kubernetes.io/tls
data: {tls.crt: AAAA, tls.key: AAAA}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, namespace: w}
spec:
  ingressClassName: nginx
  tls:
  - {hosts: [a.example.com], secretName: shop-eu-tls}
  - {hosts: [x.internal.example.com], secretName: shop-us-tls}
  rules:
  - host: a.example.com
    http:
      paths:
      - {path: /x, pathType: Prefix, backend: {service: {name: api-v3, port: {number: 80}}}}
      - {path: /eu, pathType: Prefix, backend: {service: {name: payments-eu, port: {number: 80}}}}
      - {path: /two, pathType: Prefix, backend: {service: {name: api-v2, port: {number: 81}}}}
  - host: y.internal.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: payments-us, port: {number: 80}}}}
`;
    const path = write('shop.yaml', text);
    const { code, out } = await fix([path]);
    expect(read('shop.yaml')).toBe(text);
    expect([code, out]).toEqual([1, expect.stringContaining('0 edits, 0 left alone')]);
    const meant = [
      'v1 (or the number 81)',
      'the selector without version',
      'targetPort 8080',
      'api-v1',
      'payments-us',
      'shop-us-tls',
      'y.internal.example.com',
    ];
    for (const one of meant) expect(out).toContain(`did you mean ${one}`);
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

  const external = `# Outside
apiVersion: v1
kind: Service
metadata: {name: db}
spec:
  type: ExternalName # by its address
  externalName: 192.0.2.10
  ports:
  - port: 5432
`;
  const slice = `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: db-1
  labels:
    kubernetes.io/service-name: db
addressType: IPv4
ports:
- name: ""
  protocol: TCP
  port: 5432
endpoints:
- addresses:
  - "192.0.2.10"
`;
  const inside = external.replace('ExternalName', 'ClusterIP').replace('  externalName: 192.0.2.10\n', '');

  it('puts the object that an edit takes for granted behind it', async () => {
    const path = write('db.yaml', `${external}---\n${deployment}`);
    const { code, out } = await fix([path]);
    expect(read('db.yaml')).toBe(`${inside}${slice}---\n${deployment}`);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/fixed .*: spec\.type = ClusterIP, spec\.externalName removed, EndpointSlice db-1 added \[/),
    ]);
    expect((await fix([path])).out).toContain('0 edits, 0 left alone');
  });

  it('does so at the end of a file without a last line break, in the namespace that its object names', async () => {
    const text = external.replace('{name: db}', '{name: db, namespace: shop}').trimEnd().replaceAll('\n', '\r\n');
    write('db.yaml', text);
    expect((await fix([directory])).code).toBe(0);
    const expected =
      inside.replace('{name: db}', '{name: db, namespace: shop}') + slice.replace('  name: db-1\n', '  namespace: shop\n  name: db-1\n');
    expect(read('db.yaml')).toBe(expected.replaceAll('\n', '\r\n'));
  });

  it('leaves both alone where the one cannot be put, and says why', async () => {
    const text = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'db' },
      spec: { type: 'ExternalName', externalName: '192.0.2.10', ports: [{ port: 5432 }] },
    });
    write('db.json', text);
    const { code, out } = await fix([directory]);
    expect([code, read('db.json')]).toEqual([1, text]);
    expect(out).toContain('EndpointSlice db-1 has to stand beside it, and nothing can behind an object in braces');
  });

  it('leaves both alone where there is such an object already', async () => {
    write('db.yaml', external + slice);
    const { code, out } = await fix([directory]);
    expect([code, read('db.yaml')]).toEqual([1, external + slice]);
    expect(out).toContain('EndpointSlice db-1 has to stand beside it, and one is there already');
  });

  it('takes the last item out with the list', async () => {
    const dns =
      'apiVersion: v1\nkind: Service\nmetadata: {name: dns, namespace: shop}\nspec: {clusterIP: 10.96.0.53, ports: [{port: 53}]}\n';
    const web = (spec: string): string =>
      `apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec:\n${spec}  ports: [{port: 80}]\n`;
    write('ips.yaml', `${dns}---\n${web('  externalIPs:\n  - 10.96.0.53 # of the DNS\n')}`);
    expect((await fix([directory])).code).toBe(0);
    expect(read('ips.yaml')).toBe(`${dns}---\n${web('')}`);
  });

  it('keeps the owner and the other names of a file', async () => {
    const path = write('shop.yaml', both(service()));
    const owner = process.getuid?.() === 0 ? 12_345 : (process.getuid?.() ?? 0);
    chownSync(path, owner, process.getuid?.() === 0 ? 12_345 : (process.getgid?.() ?? 0));
    expect((await fix([path])).code).toBe(0);
    expect([read('shop.yaml'), statSync(path).uid]).toEqual([both(service('web')), owner]);

    writeFileSync(path, both(service()));
    linkSync(path, join(directory, 'other.name'));
    expect((await fix([path])).code).toBe(0);
    expect([read('shop.yaml'), read('other.name')]).toEqual([both(service('web')), both(service('web'))]);
    expect(statSync(path)).toMatchObject({ uid: owner, nlink: 2 });
    expect(readdirSync(directory).sort()).toEqual(['other.name', 'shop.yaml']);
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
