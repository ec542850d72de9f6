/**
 * Certificates and keys for the Secrets of the rule tables, which name them as `<shop.crt>` and `<shop.key>`. Made anew in
 * each run, so that no key is kept anywhere; what is said of them is the same each time.
 */
import { createPrivateKey } from 'node:crypto';
import { generate } from 'selfsigned';
import { isObject } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';

interface Made {
  readonly names: readonly string[];
  readonly from?: string;
  readonly until?: string;
}

/** The real API server has the real time: what is valid here is so for long, and what is not, never again. */
const wanted: Readonly<Record<string, Made>> = {
  shop: { names: ['shop.example.com'] },
  other: { names: ['shop.example.com'] },
  /** For generated worlds. */
  example: { names: ['shop.example', '*.example'] },
  wildcard: { names: ['*.example.com', 'EXAMPLE.com'] },
  nameless: { names: [] },
  expired: { names: ['shop.example.com'], from: '2025-01-01', until: '2026-10-31' },
  /** Of the time that it has, less than a sixth is left. */
  ending: { names: ['shop.example.com'], from: '1960-01-01', until: '2036-06-01' },
  future: { names: ['shop.example.com'], from: '2090-01-01' },
};

async function made({ names, from = '2020-01-01', until = '2120-01-01' }: Made) {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'shop.example.com' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(from),
    notAfterDate: new Date(until),
    extensions: [
      { name: 'basicConstraints', cA: false },
      ...(names.length === 0 ? [] : [{ name: 'subjectAltName' as const, altNames: names.map((value) => ({ type: 2 as const, value })) }]),
    ],
  });
  return { cert, key };
}

const material = new Map<string, string>();
for (const [name, one] of Object.entries(wanted)) {
  const { cert, key } = await made(one);
  material.set(`<${name}.crt>`, cert).set(`<${name}.key>`, key);
}
const locked = createPrivateKey(material.get('<shop.key>') as string);
material.set('<locked.key>', String(locked.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })));

/** The Secret with the bytes in place of their names. */
export function withMaterial(secret: RawObject): RawObject {
  const { stringData } = secret;
  if (!isObject(stringData)) return secret;
  const filled = Object.entries(stringData).map(([key, text]) => [key, String(text).replaceAll(/<\w+\.\w+>/g, (name) => bytesOf(name))]);
  return { ...secret, stringData: Object.fromEntries(filled) };
}

function bytesOf(name: string): string {
  const bytes = material.get(name);
  if (bytes === undefined) throw new Error(`no material is called ${name}`);
  return `${bytes.trim()}\n`;
}
