/**
 * Who may ask. An address is refused before the handshake, so that who calls from there cannot even hold a connection; a
 * client without the right certificate before a byte of its body is read. The latter is told so in HTTP, since an API
 * server whose handshake fails reports no more than "EOF" (docs/callers.md).
 */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Limits } from './limits.ts';
import { plain, type Webhook } from './plain.ts';

export interface Callers {
  /** The namespaces of the Pods at this address, if none of them may call. */
  readonly refusedPodsAt?: (address: string) => readonly string[] | undefined;
  /** Certificates of clients are asked for, and only who has the right one may call. */
  readonly certificates?: ClientCertificates;
  readonly onRefused: (refused: RefusedCaller) => void;
}

export interface ClientCertificates {
  /** What they are verified by, as it is now. */
  authorities(): ClientAuthorities;
  /** Common names or DNS names, of which one must be the client's; any, if left out. */
  readonly names?: readonly string[];
}

export interface ClientAuthorities {
  readonly pem: string;
  /** Since when, by `performance.now()`. */
  readonly since: number;
}

export interface RefusedCaller {
  readonly address: string;
  readonly reason: 'pod' | 'certificate';
  /** In words; may hold text that the caller chose. */
  readonly why: string;
}

/** What the handshake said of a client. */
interface Verified {
  readonly why: string | undefined;
  readonly at: number;
  /** When its certificate ends, in epoch milliseconds. */
  readonly until: number;
}

export function guardCallers(app: Webhook, { refusedPodsAt, certificates, onRefused }: Callers, limits: Limits): void {
  const verified = new WeakMap<Socket, Verified>();

  function refusalAt(address: string): RefusedCaller | undefined {
    const namespaces = refusedPodsAt?.(address);
    return namespaces && { address, reason: 'pod', why: `a Pod of namespace ${namespaces.join(', ')}` };
  }

  function refusalOf(socket: Socket): RefusedCaller | undefined {
    const address = addressOf(socket);
    if (certificates === undefined) return refusalAt(address);
    const { why, until } = verified.get(socket) ?? unseen;
    const refusal = why ?? (until <= Date.now() ? 'CERT_HAS_EXPIRED' : undefined);
    return refusal === undefined ? refusalAt(address) : { address, reason: 'certificate', why: refusal };
  }

  app.server.on('connection', (socket: Socket) => {
    const refused = refusalAt(addressOf(socket));
    if (refused === undefined) return;
    onRefused(refused);
    socket.destroy();
  });
  if (certificates !== undefined) {
    app.server.on('secureConnection', (socket) => {
      const result = verify(socket, certificates.names);
      verified.set(socket, result);
      // It may ask once, to be told.
      if (result.why !== undefined) socket.setTimeout(limits.headersMs, () => socket.destroy());
    });
  }
  // At each request too: a Pod may have called before its address was known to be one's.
  app.addHook('onRequest', async (request, reply) => {
    const { socket } = request.raw;
    const refused = refusalOf(socket);
    if (refused !== undefined) {
      onRefused(refused);
      return plain(reply.header('connection', 'close'), 403, texts[refused.reason]);
    }
    // Verified by authorities that may be gone, be it that the handshake was under way when they went: not on this connection again.
    if (certificates !== undefined && (verified.get(socket) ?? unseen).at < certificates.authorities().since + limits.handshakeMs)
      reply.header('connection', 'close');
  });
}

/** One for each reason, whatever is wrong in detail. An API server hands the text on to who wrote the object. */
const texts: Readonly<Record<RefusedCaller['reason'], string>> = {
  pod: 'forbidden',
  certificate: 'a client certificate is needed that this webhook trusts',
};

const unseen: Verified = { why: 'no handshake', at: 0, until: 0 };

const addressOf = ({ remoteAddress = '' }: Socket): string => remoteAddress;

function verify(socket: TLSSocket, names: readonly string[] | undefined): Verified {
  const at = performance.now();
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { why: 'no certificate', at, until: 0 };
  const until = certificate.validToDate.getTime();
  if (!socket.authorized) return { why: String(socket.authorizationError ?? 'not verified'), at, until };
  if (names === undefined || names.some((name) => isCalled(certificate, name))) return { why: undefined, at, until };
  return { why: `a certificate of another name: ${certificate.subject}`, at, until };
}

/** Exactly so: by its common name or one of its DNS names, of which none stands for many. */
function isCalled(certificate: X509Certificate, name: string): boolean {
  const commonNames: unknown = certificate.toLegacyObject().subject.CN;
  return commonNames === name || certificate.checkHost(name, { subject: 'never', wildcards: false }) !== undefined;
}
