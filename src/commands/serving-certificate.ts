/** Which certificate the webhook serves: one from files, or one that it makes itself. */
import { writeFile } from 'node:fs/promises';
import { certificateFiles } from '../certificates/files.ts';
import type { CertificateSource } from '../certificates/keypair.ts';
import { type SelfSigned, selfSigned, serviceNames } from '../certificates/self-signed.ts';
import { OperatorError } from '../errors.ts';
import type { Log } from '../server/log.ts';
import type { Metrics } from '../server/metrics.ts';
import { reasonOf } from './reason.ts';
import type { ServeOptions } from './start-server.ts';

export interface CertificateSurroundings {
  readonly log: Log;
  readonly metrics: Metrics;
  /** How often files are looked at, in milliseconds. */
  readonly pollMs: number;
}

/** Where our manifests put us. */
const deployed = { service: 'portcullis', namespace: 'portcullis' } as const;

/** Rejects with an OperatorError PC0005 if there is nothing that can be served. */
export async function servingCertificate(
  options: ServeOptions,
  { log, metrics, pollMs }: CertificateSurroundings,
): Promise<CertificateSource | SelfSigned> {
  const { tlsCert, tlsKey, tlsNames = [], caOut } = options;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new OperatorError('PC0005', 'a certificate needs its key', 'give both --tls-cert and --tls-key, or neither');
  }
  if (tlsCert === undefined || tlsKey === undefined) {
    const made = await selfSigned([...serviceNames(deployed.service, deployed.namespace), ...tlsNames], Date.now());
    if (caOut !== undefined) await writeCa(caOut, made.ca);
    return made;
  }
  return certificateFiles({
    certFile: tlsCert,
    keyFile: tlsKey,
    pollMs,
    onRefused: (err) => {
      metrics.internalError('certificate');
      log.error({ certFile: tlsCert, keyFile: tlsKey, ...reasonOf(err) }, 'the certificate files cannot be served: the last good ones are');
    },
  });
}

async function writeCa(path: string, ca: string): Promise<void> {
  try {
    await writeFile(path, ca);
  } catch (cause) {
    throw new OperatorError('PC0005', `the CA cannot be written: ${(cause as Error).message}`, 'give --ca-out a path that can be written', {
      cause,
    });
  }
}

/** When what is served ends, in epoch milliseconds, for the metrics. */
export function certificateEnds(source: CertificateSource | undefined): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  const served = source?.current();
  if (served !== undefined) ends.set('leaf', served.notAfter);
  if (served?.caNotAfter !== undefined) ends.set('ca', served.caNotAfter);
  return ends;
}
