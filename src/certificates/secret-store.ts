/**
 * The Secret that keeps the authority. The chart makes it, empty, so that it goes when the chart goes; it is filled and
 * rewritten here, each time with the version that was read as precondition: of two that write at once, one starts again.
 */
import { type KubeClient, KubeError } from '../client/kube-client.ts';
import { OperatorError } from '../errors.ts';
import { isObject, objectAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { type Authority, readAuthority } from './authority.ts';
import { type Certificate, certificatesIn } from './pem.ts';
import type { AuthorityState } from './renewal.ts';

export interface StoredState {
  readonly state: AuthorityState;
  /** As it was read: what is not ours is written back. */
  readonly secret: RawObject;
}

export interface SecretStore {
  /** Throws OperatorError PC0005 if the Secret is absent or forbidden, KubeError, and whatever the network or the signal throws. */
  read(signal: AbortSignal): Promise<StoredState>;
  /** Throws KubeError with status 409 if it is no longer what was read. */
  write(stored: StoredState, state: AuthorityState, signal: AbortSignal): Promise<void>;
}

/** Somebody else was faster: what was read no longer holds. */
export const isConflict = (error: unknown): boolean => error instanceof KubeError && error.status === 409;

const annotation = { next: 'portcullis.dev/next-ca-since', previous: 'portcullis.dev/previous-ca-since' } as const;

export function secretStore(client: KubeClient, namespace: string, name: string): SecretStore {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;
  return {
    read: async (signal) => {
      const secret = await client.get(path, signal).catch((error: unknown) => {
        throw unusable(`${namespace}/${name}`, error) ?? error;
      });
      return { secret, state: stateIn(secret) };
    },
    write: async ({ secret }, state, signal) => void (await client.send('PUT', path, secretWith(secret, state), signal)),
  };
}

function unusable(name: string, cause: unknown): OperatorError | undefined {
  const status = cause instanceof KubeError ? cause.status : 0;
  if (status !== 404 && status !== 403) return undefined;
  const what = `the Secret ${name} of the certificate authority ${status === 404 ? 'does not exist' : 'may not be read'}`;
  const hint =
    status === 404
      ? 'the chart makes it, empty, and it is filled from here: install the chart again, or create the Secret without data'
      : 'let the role of our ServiceAccount get and update this Secret';
  return new OperatorError('PC0005', what, hint, { cause });
}

function stateIn(secret: RawObject): AuthorityState {
  const data = objectAt(secret, 'data');
  const textAt = (key: string): string => Buffer.from(stringAt(data, key) ?? '', 'base64').toString('utf8');
  const authorityAt = (key: string): Authority | undefined => readAuthority(textAt(`${key}.crt`), textAt(`${key}.key`));
  const current = authorityAt('ca');
  // Without its key it signs no more, but leaves that it signed are in use.
  const lost: readonly Certificate[] = current === undefined ? certificatesIn(textAt('ca.crt')) : [];
  return {
    current,
    next: authorityAt('next-ca'),
    nextSince: timeAt(secret, annotation.next),
    previous: [...lost, ...certificatesIn(textAt('previous-ca.crt'))],
    previousSince: timeAt(secret, annotation.previous),
  };
}

function timeAt(secret: RawObject, key: string): number | undefined {
  const time = Date.parse(stringAt(objectAt(objectAt(secret, 'metadata'), 'annotations'), key) ?? '');
  return Number.isNaN(time) ? undefined : time;
}

function secretWith(secret: RawObject, { current, next, nextSince, previous, previousSince }: AuthorityState): RawObject {
  const metadata = objectAt(secret, 'metadata');
  return {
    ...secret,
    metadata: {
      ...metadata,
      annotations: replaced(metadata['annotations'], { [annotation.next]: time(nextSince), [annotation.previous]: time(previousSince) }),
    },
    data: replaced(secret['data'], {
      'ca.crt': encoded(current?.pem),
      'ca.key': encoded(current?.key),
      'next-ca.crt': encoded(next?.pem),
      'next-ca.key': encoded(next?.key),
      'previous-ca.crt': previous.length === 0 ? undefined : encoded(previous.map(({ pem }) => pem).join('')),
    }),
  };
}

/** What others keep there stays. */
function replaced(before: unknown, own: Readonly<Record<string, string | undefined>>): RawObject {
  const all = { ...(isObject(before) ? before : {}), ...own };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

const encoded = (text: string | undefined): string | undefined => (text === undefined ? undefined : Buffer.from(text).toString('base64'));
const time = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());
