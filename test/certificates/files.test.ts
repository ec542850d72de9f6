import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { certificateFiles } from '../../src/certificates/files.ts';
import { newAuthority, newCertificate, type ServingCertificate } from '../support/certificate.ts';

let a: ServingCertificate;
let b: ServingCertificate;
let expired: ServingCertificate;
beforeAll(async () => {
  const authority = await newAuthority('test');
  [a, b] = await Promise.all([newCertificate(authority, ['a']), newCertificate(authority, ['b'])]);
  const past = { notBeforeDate: new Date('2020-01-01'), notAfterDate: new Date('2020-06-01') };
  const made = await generate([{ name: 'commonName', value: 'past' }], { keyType: 'ec', algorithm: 'sha256', ...past });
  expired = { cert: made.cert, key: made.private };
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-certificate-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function write(directory: string, { cert, key }: Partial<ServingCertificate>): void {
  if (cert !== undefined) writeFileSync(join(directory, 'tls.crt'), cert);
  if (key !== undefined) writeFileSync(join(directory, 'tls.key'), key);
}

async function watched(directory: string, calledBy?: string) {
  const refused: string[] = [];
  const served: string[] = [];
  const source = await certificateFiles({
    certFile: join(directory, 'tls.crt'),
    keyFile: join(directory, 'tls.key'),
    ...(calledBy !== undefined && { calledBy }),
    onRefused: (reason) => refused.push(reason.message),
    pollMs: 10,
  });
  onTestFinished(() => source.close());
  source.onChange(({ cert }) => served.push(cert));
  return { source, refused, served };
}

const inPlace = async () => {
  const directory = newDirectory();
  write(directory, a);
  return { directory, ...(await watched(directory)) };
};

describe('new files', () => {
  it('written in place are served', async () => {
    const { directory, source, served } = await inPlace();
    expect(source.current()).toMatchObject(a);
    write(directory, b);
    await vi.waitFor(() => expect(source.current()).toMatchObject(b));
    expect(served).toEqual([b.cert]);
  });

  it('renamed over the old ones are served', async () => {
    const { directory, source } = await inPlace();
    writeFileSync(join(directory, 'next.crt'), b.cert);
    writeFileSync(join(directory, 'next.key'), b.key);
    renameSync(join(directory, 'next.crt'), join(directory, 'tls.crt'));
    renameSync(join(directory, 'next.key'), join(directory, 'tls.key'));
    await vi.waitFor(() => expect(source.current()).toMatchObject(b));
  });

  it('behind a symbolic link that the kubelet swaps are served', async () => {
    const directory = newDirectory();
    for (const [name, pair] of Object.entries({ '..1': a, '..2': b })) {
      mkdirSync(join(directory, name));
      write(join(directory, name), pair);
    }
    symlinkSync('..1', join(directory, '..data'));
    symlinkSync('..data/tls.crt', join(directory, 'tls.crt'));
    symlinkSync('..data/tls.key', join(directory, 'tls.key'));
    const { source, refused } = await watched(directory);
    symlinkSync('..2', join(directory, '..tmp'));
    renameSync(join(directory, '..tmp'), join(directory, '..data'));
    await vi.waitFor(() => expect(source.current()).toMatchObject(b));
    expect(refused).toEqual([]);
  });

  it.each(['cert', 'key'] as const)('that come one after the other (%s first) are served when both are there', async (first) => {
    const { directory, source, refused } = await inPlace();
    write(directory, { [first]: b[first] });
    await vi.waitFor(() => expect(refused).toEqual(['the key does not belong to the certificate']));
    expect(source.current()).toMatchObject(a);
    write(directory, b);
    await vi.waitFor(() => expect(source.current()).toMatchObject(b));
  });

  it.each([
    ['half a certificate', () => ({ cert: b.cert.slice(0, 300), key: b.key }), /^the certificate cannot be read: /],
    ['half a chain', () => ({ cert: `${b.cert}\n${a.cert.slice(0, 200)}`, key: b.key }), /^the certificate chain /],
    ['half a key', () => ({ cert: b.cert, key: b.key.slice(0, 100) }), /^the key cannot be read: /],
    ['nothing', () => ({ cert: '', key: '' }), /^the certificate cannot be read: /],
    ['a certificate that has ended', () => expired, /^the certificate ended at 2020-06-01T/],
  ])('with %s are refused, once, and the last good ones kept', async (_, pair, reason) => {
    const { directory, source, refused } = await inPlace();
    write(directory, { key: pair().key });
    write(directory, pair());
    await vi.waitFor(() => expect(refused.at(-1)).toMatch(reason));
    const count = refused.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([source.current().cert, refused.length]).toEqual([a.cert, count]);
    write(directory, b);
    await vi.waitFor(() => expect(source.current()).toMatchObject(b));
  });

  it('that still change from one look to the next are left alone', async () => {
    const { directory, source, refused } = await inPlace();
    for (let length = 100; length < 160; length += 1) {
      write(directory, { cert: b.cert.slice(0, length) });
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    write(directory, b);
    await vi.waitFor(() => expect(source.current()).toMatchObject(b));
    expect(refused).toEqual([]);
  });

  it('for other names than the Service has are refused, and told apart by them', async () => {
    const directory = newDirectory();
    write(directory, a);
    const { source, refused } = await watched(directory, 'a');
    write(directory, b);
    await vi.waitFor(() =>
      expect(refused).toEqual(['the certificate is not for a, by which the API server calls: it is for DNS:b, IP Address:127.0.0.1']),
    );
    expect(source.current()).toMatchObject(a);
    await expect(watched(directory, 'portcullis.portcullis.svc')).rejects.toMatchObject({
      code: 'PC0005',
      message: expect.stringContaining('the certificate is not for portcullis.portcullis.svc'),
    });
  });

  it('that vanish change nothing', async () => {
    const { directory, source, refused } = await inPlace();
    rmSync(join(directory, 'tls.key'));
    await vi.waitFor(() => expect(refused).toEqual([expect.stringContaining('ENOENT')]));
    expect(source.current()).toMatchObject(a);
  });
});

describe('at the start', () => {
  it('files that cannot be served are the operator’s to repair', async () => {
    const directory = newDirectory();
    await expect(watched(directory)).rejects.toMatchObject({
      name: 'OperatorError',
      code: 'PC0005',
      message: expect.stringContaining('ENOENT'),
    });
    write(directory, { cert: a.cert, key: b.key });
    await expect(watched(directory)).rejects.toMatchObject({
      code: 'PC0005',
      message: expect.stringContaining('the key does not belong to the certificate'),
    });
  });
});

it('the end of the leaf is known', async () => {
  const { source } = await inPlace();
  expect(source.current().notAfter).toBeGreaterThan(Date.now());
});
