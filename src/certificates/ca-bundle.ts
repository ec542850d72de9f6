/**
 * What API servers verify us by: `clientConfig.caBundle` in each entry of one webhook configuration, which the chart makes.
 * It is read by its name, and nothing but that field of entries that exist is ever written.
 */
import { type KubeClient, KubeError, strategicMerge } from '../client/kube-client.ts';
import { objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { calledName } from './authority.ts';
import { type Certificate, certificatesIn } from './pem.ts';

export interface Entry {
  readonly name: string;
  readonly trusted: readonly Certificate[];
  /** By which it calls us, where it calls a Service: `portcullis.portcullis.svc`. */
  readonly called: string | undefined;
}

export interface LiveConfiguration {
  /** Nobody calls us where it is absent; where it is forbidden, there is no telling. */
  readonly state: 'present' | 'absent' | 'forbidden';
  readonly entries: readonly Entry[];
  readonly uid: string;
  readonly resourceVersion: string;
}

export interface CaBundles {
  /** The name of the configuration. */
  readonly name: string;
  /** Throws KubeError, and whatever the network or the signal throws; not for absence, nor for want of permission. */
  read(signal: AbortSignal): Promise<LiveConfiguration>;
  /** Changes nothing; throws as `publish` does. */
  confirm(live: LiveConfiguration, signal: AbortSignal): Promise<void>;
  /** Throws KubeError with status 409 if the configuration is no longer what was read, 404 if it is gone: it is never made. */
  publish(live: LiveConfiguration, trusted: readonly Certificate[], signal: AbortSignal): Promise<void>;
}

/** For one call, in milliseconds. */
export const callMs = 5_000;

export const forbidden = (name: string): Error =>
  new Error(`the webhook configuration ${name} may not be read, so nobody knows whether the API servers trust the certificate`);

const collection = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

export function caBundles(client: KubeClient, name: string): CaBundles {
  const path = `${collection}/${encodeURIComponent(name)}`;
  const patch = async (body: RawObject, signal: AbortSignal): Promise<void> =>
    void (await client.send('PATCH', `${path}?fieldManager=portcullis-ca`, body, signal, strategicMerge));
  return {
    name,
    async read(signal) {
      try {
        return liveIn(await client.get(path, signal));
      } catch (error) {
        if (error instanceof KubeError && error.status === 404) return without('absent');
        if (error instanceof KubeError && error.status === 403) return without('forbidden');
        throw error;
      }
    },
    confirm: (live, signal) => patch({ metadata: versionOf(live) }, signal),
    publish: (live, trusted, signal) => patch({ metadata: versionOf(live), webhooks: entriesWith(live, trusted) }, signal),
  };
}

const without = (state: 'absent' | 'forbidden'): LiveConfiguration => ({ state, entries: [], uid: '', resourceVersion: '' });

function liveIn(configuration: RawObject): LiveConfiguration {
  const metadata = objectAt(configuration, 'metadata');
  const bundles = new Map<string, readonly Certificate[]>();
  return {
    state: 'present',
    entries: objectsAt(configuration, 'webhooks').map((webhook) => entryOf(webhook, bundles)),
    uid: stringAt(metadata, 'uid') ?? '',
    resourceVersion: stringAt(metadata, 'resourceVersion') ?? '',
  };
}

function entryOf(webhook: RawObject, bundles: Map<string, readonly Certificate[]>): Entry {
  const client = objectAt(webhook, 'clientConfig');
  const service = Object.hasOwn(client, 'service') ? objectAt(client, 'service') : undefined;
  const caBundle = stringAt(client, 'caBundle') ?? '';
  // Almost always the same in all entries, which is read once then.
  const trusted = bundles.get(caBundle) ?? certificatesIn(Buffer.from(caBundle, 'base64').toString('utf8'));
  bundles.set(caBundle, trusted);
  return {
    name: stringAt(webhook, 'name') ?? '',
    trusted,
    called: service && calledName(stringAt(service, 'name') ?? '', stringAt(service, 'namespace') ?? ''),
  };
}

/** As preconditions. */
const versionOf = ({ uid, resourceVersion }: LiveConfiguration): RawObject => ({ uid, resourceVersion });

/**
 * For a strategic merge, entries found by name. Server-side apply would do the same now, but make us a co-owner of each
 * entry: an upgrade of the chart that leaves one out, applied by server-side apply itself (Helm 4), would then be refused,
 * since what is ours of the entry stays and is not valid alone (tried on 1.36.3, docs/decisions/0014-own-authority.md).
 */
function entriesWith({ entries }: LiveConfiguration, trusted: readonly Certificate[]): readonly RawObject[] {
  const caBundle = Buffer.from(trusted.map(({ pem }) => pem).join('')).toString('base64');
  return entries.map(({ name }) => ({ name, clientConfig: { caBundle } }));
}
