/** What certificates of clients are verified by: a PEM file, read again when it changes. */
import { X509Certificate } from 'node:crypto';
import { pollFiles, type Reading, readTexts } from '../certificates/poll-files.ts';
import { OperatorError } from '../errors.ts';
import type { ClientAuthorities } from '../server/callers.ts';

export interface WatchedAuthorities {
  current(): ClientAuthorities;
  close(): void;
}

export interface AuthoritiesEvents {
  readonly pollMs: number;
  /** Others are in effect. */
  readonly onChange: () => void;
  /** The file as it is now cannot be used; the last good authorities stay in effect. */
  readonly onRefused: (reason: Error) => void;
}

/** Rejects with an OperatorError PC0007 if the file cannot be used now. */
export async function clientAuthorities(file: string, { pollMs, onChange, onRefused }: AuthoritiesEvents): Promise<WatchedAuthorities> {
  const first = await readTexts([file]);
  let current: ClientAuthorities = { pem: authoritiesIn(first, file), since: Number.NEGATIVE_INFINITY };
  const poll = pollFiles([file], first, pollMs, (reading) => {
    try {
      const pem = authoritiesIn(reading, file);
      if (pem === current.pem) return;
      current = { pem, since: performance.now() };
      onChange();
    } catch (error) {
      onRefused(error as Error);
    }
  });
  return { current: () => current, close: () => poll.close() };
}

const block = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of the file and nothing else of it. Whoever reads half of them turns the others' clients away, so all must be good. */
function authoritiesIn(reading: Reading, file: string): string {
  if ('error' in reading) throw unusable(file, reading.error.message, reading.error);
  const text = reading.texts[0] as string;
  const blocks = text.match(block) ?? [];
  if (blocks.length === 0 || blocks.length < text.split('-----BEGIN').length - 1)
    throw unusable(file, 'it is not a list of whole certificates');
  for (const [index, pem] of blocks.entries()) {
    const certificate = read(pem, (cause) => unusable(file, `certificate ${index + 1} cannot be read: ${cause.message}`, cause));
    if (!certificate.ca) throw unusable(file, `certificate ${index + 1} is not that of an authority`);
  }
  return `${blocks.join('\n')}\n`;
}

function read(pem: string, failure: (cause: Error) => Error): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw failure(cause as Error);
  }
}

const unusable = (file: string, why: string, cause?: unknown): OperatorError =>
  new OperatorError(
    'PC0007',
    `${file} cannot verify clients: ${why}`,
    'give --client-ca a PEM file with the certificates of the authorities that sign the certificates of API servers',
    { cause },
  );
