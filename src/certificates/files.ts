/** The serving certificate from two files, such as a mounted Secret of cert-manager, renewed by whoever writes them. */
import { OperatorError } from '../errors.ts';
import { type CertificateSource, checkedKeypair, type ServingCertificate } from './keypair.ts';
import { pollFiles, type Reading, readTexts } from './poll-files.ts';

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** The name that API servers verify the certificate by; any will do, if left out. */
  readonly calledBy?: string;
  /** Hears why new files are not served; the last good ones are, meanwhile. */
  readonly onRefused: (reason: Error) => void;
  readonly now?: () => number;
  readonly pollMs?: number;
}

/** Rejects with an OperatorError PC0005 if the files cannot be served now. Later, bad ones are refused and the last good ones kept. */
export async function certificateFiles(options: CertificateFiles): Promise<CertificateSource> {
  const { certFile, keyFile, calledBy, onRefused, now = Date.now, pollMs = 2000 } = options;
  const paths = [certFile, keyFile];
  const first = await readTexts(paths);
  let served = firstOf(first, options, now());
  const listeners: ((certificate: ServingCertificate) => void)[] = [];
  const poll = pollFiles(paths, first, pollMs, (reading) => {
    const next = keypairOf(reading, now(), calledBy);
    if (next instanceof Error) return onRefused(next);
    // What was bad for a moment and is as before again needs no new context.
    if (next.cert === served.cert && next.key === served.key) return;
    served = next;
    for (const listener of listeners) listener(next);
  });
  return { current: () => served, onChange: (listener) => void listeners.push(listener), close: () => poll.close() };
}

function firstOf(reading: Reading, { certFile, keyFile, calledBy }: CertificateFiles, nowMs: number): ServingCertificate {
  const first = keypairOf(reading, nowMs, calledBy);
  if (!(first instanceof Error)) return first;
  const hint = 'give a PEM certificate chain, leaf first, with --tls-cert and its unencrypted key with --tls-key';
  throw new OperatorError('PC0005', `${certFile} and ${keyFile} cannot be served: ${first.message}`, hint, { cause: first });
}

function keypairOf(reading: Reading, nowMs: number, calledBy: string | undefined): ServingCertificate | Error {
  if ('error' in reading) return reading.error;
  try {
    return checkedKeypair(reading.texts[0] as string, reading.texts[1] as string, nowMs, calledBy);
  } catch (error) {
    return error as Error;
  }
}
