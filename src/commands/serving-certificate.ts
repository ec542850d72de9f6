/** Which certificate the webhook serves: one from files, one of an authority in a Secret, or one that it makes for itself. */
import { writeFileSync } from 'node:fs';
import { calledName, serviceNames } from '../certificates/authority.ts';
import { caBundles } from '../certificates/ca-bundle.ts';
import { certificateFiles } from '../certificates/files.ts';
import type { CertificateSource } from '../certificates/keypair.ts';
import type { RotationTimes } from '../certificates/renewal.ts';
import { secretStore } from '../certificates/secret-store.ts';
import { type SelfSigned, selfSigned } from '../certificates/self-signed.ts';
import { rotationTimes, type SharedAuthority, sharedAuthority } from '../certificates/shared-authority.ts';
import { type ReadingPace, readingPace, type TrustWatch, watchTrust } from '../certificates/trust.ts';
import type { KubeClient } from '../client/kube-client.ts';
import type { Leadership } from '../client/leader-election.ts';
import { OperatorError } from '../errors.ts';
import type { Log } from '../server/log.ts';
import type { Metrics } from '../server/metrics.ts';
import { ownNamespace } from './own-namespace.ts';
import { reasonOf } from './reason.ts';
import type { ServeOptions } from './serve-options.ts';

export interface CertificateSurroundings {
  readonly log: Log;
  readonly metrics: Metrics;
  /** How often files are looked at, in milliseconds. */
  readonly pollMs: number;
  /** Undefined where the cluster is read from files. */
  readonly client: KubeClient | undefined;
  readonly leadership: Leadership;
  readonly rotation?: Rotation | undefined;
}

/** How long things live and how often they are looked at, for tests that cannot wait for a year. */
export interface Rotation {
  readonly times: RotationTimes;
  readonly pace: ReadingPace;
}

export interface ServedCertificates extends CertificateSource {
  /** What stands between us and being trusted by the API servers, in words. */
  lacks(): readonly string[];
  /** What a client has to trust, as PEM, where we made the certificate for ourselves. */
  readonly ca?: string;
}

type Options = ServeOptions & Required<Pick<ServeOptions, 'service' | 'clusterDomain'>>;

/** Rejects with an OperatorError PC0005 if there is nothing that can be served, or if flags contradict one another. */
export async function servingCertificate(options: Options, around: CertificateSurroundings): Promise<ServedCertificates> {
  const { tlsSecret, tlsCert, tlsKey } = options;
  if (tlsSecret !== undefined) return fromSecret(tlsSecret, options, around);
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new OperatorError('PC0005', 'a certificate needs its key', 'give both --tls-cert and --tls-key, or neither');
  const hasFiles = tlsCert !== undefined && tlsKey !== undefined;
  const source = hasFiles ? await fromFiles(tlsCert, tlsKey, options, around) : await madeHere(options, around.log);
  const trust = trustOf(source, options, around);
  return {
    current: () => source.current(),
    onChange: (listener) => source.onChange(listener),
    lacks: () => trust?.lacks(source.current().cert) ?? [],
    ...(isOurs(source) ? { ca: source.ca() } : {}),
    close: async () => {
      await trust?.close();
      await source.close();
    },
  };
}

const isOurs = (source: CertificateSource | SelfSigned): source is SelfSigned => 'ca' in source;

async function fromSecret(tlsSecret: string, options: Options, around: CertificateSurroundings): Promise<SharedAuthority> {
  const { tlsCert, tlsKey, webhookConfiguration, service, clusterDomain } = options;
  const { log, client, leadership, rotation } = around;
  const namespace = ownNamespace(options);
  if (tlsCert !== undefined || tlsKey !== undefined)
    throw new OperatorError('PC0005', '--tls-secret and --tls-cert exclude each other', 'leave one of them out');
  if (client === undefined || webhookConfiguration === undefined || namespace === undefined)
    throw new OperatorError('PC0005', '--tls-secret needs to know whom the certificate is for', need);
  const source = await sharedAuthority({
    store: secretStore(client, namespace, tlsSecret),
    bundles: caBundles(client, webhookConfiguration),
    names: [...serviceNames(service, namespace, clusterDomain), ...(options.tlsNames ?? [])],
    leadership,
    times: rotation?.times ?? rotationTimes,
    pace: rotation?.pace ?? readingPace,
    onStored: (change) => log.info({ secret: `${namespace}/${tlsSecret}` }, changes[change]),
    onPublished: (authorities) => log.info({ webhookConfiguration, authorities }, 'wrote the caBundle of each entry'),
    onProblem: (err) => log.warn(reasonOf(err), 'the certificate authority cannot be taken care of: going on with what is there'),
  });
  source.start();
  return source;
}

const need = 'give --webhook-configuration and --namespace, and no --cluster: the authority is kept in a cluster';

/** What was written to the Secret, for the log. */
const changes = {
  created: 'made a certificate authority, since there was none that can sign',
  announced: 'made the next certificate authority: it is trusted from now on, and signs after the overlap',
  seen: 'every entry trusts the next certificate authority: the overlap begins',
  unseen: 'an entry has lost the next certificate authority: the overlap will begin anew',
  promoted: 'the next certificate authority signs from now on; the one before is trusted for the overlap',
  stamped: 'the overlap of the certificate authority before begins',
  forgotten: 'the certificate authority before is trusted no more',
} as const;

async function fromFiles(certFile: string, keyFile: string, { service, namespace }: Options, around: CertificateSurroundings) {
  const { log, metrics, pollMs } = around;
  return certificateFiles({
    certFile,
    keyFile,
    pollMs,
    ...(namespace === undefined ? {} : { calledBy: calledName(service, namespace) }),
    onRefused: (err) => {
      metrics.internalError('certificate');
      log.error({ certFile, keyFile, ...reasonOf(err) }, 'the certificate files cannot be served: the last good ones are');
    },
  });
}

async function madeHere({ service, namespace = 'portcullis', clusterDomain, tlsNames = [], caOut }: Options, log: Log) {
  const made = await selfSigned({
    names: [...serviceNames(service, namespace, clusterDomain), ...tlsNames],
    onAuthority: (ca) => {
      log.warn({ caOut }, 'the certificate authorities that clients have to trust are others now: an old one goes a day after it');
      try {
        if (caOut !== undefined) writeCa(caOut, ca);
      } catch (error) {
        log.error(reasonOf(error as Error), 'the certificate authority is not where clients look for it');
      }
    },
  });
  if (caOut !== undefined) writeCa(caOut, made.ca());
  return made;
}

function writeCa(path: string, ca: string): void {
  try {
    writeFileSync(path, ca);
  } catch (cause) {
    throw new OperatorError('PC0005', `the CA cannot be written: ${(cause as Error).message}`, 'give --ca-out a path that can be written', {
      cause,
    });
  }
}

function trustOf(
  source: CertificateSource,
  options: ServeOptions,
  { client, log, rotation }: CertificateSurroundings,
): TrustWatch | undefined {
  const { webhookConfiguration } = options;
  if (webhookConfiguration === undefined || client === undefined) return undefined;
  return watchTrust({
    bundles: caBundles(client, webhookConfiguration),
    served: () => source.current().cert,
    ...(rotation && { pace: rotation.pace }),
    onProblem: (err) => log.warn({ webhookConfiguration, ...reasonOf(err) }, 'the webhook configuration cannot be read'),
  });
}

/** When what is served ends, in epoch milliseconds, for the metrics. */
export function certificateEnds(source: CertificateSource | undefined): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  const served = source?.current();
  if (served !== undefined) ends.set('leaf', served.notAfter);
  if (served?.caNotAfter !== undefined) ends.set('ca', served.caNotAfter);
  return ends;
}
