/** The state of a cluster as a snapshot file has kept it. */
import { promisify } from 'node:util';
import { gunzip as gunzipWithCallback } from 'node:zlib';
import { OperatorError } from '../errors.ts';
import { formatRef, type ObjectRef } from '../kube/resources.ts';
import { type DecodedSnapshot, decodeSnapshot, secretsByName } from '../snapshots/decode.ts';
import type { ClusterState, ClusterStateOptions } from './cluster-state.ts';
import { readBytes } from './read-text.ts';
import { storedConfiguration } from './stored-configuration.ts';
import type { Terminal } from './terminal.ts';

const gunzip = promisify(gunzipWithCallback);

/** Rejects with an OperatorError: PC0002 unreadable, PC0011 no snapshot, PC0003 the configuration cannot be used. */
export async function snapshotState(
  options: ClusterStateOptions & { readonly snapshot: string },
  terminal: Pick<Terminal, 'now'>,
): Promise<ClusterState> {
  const { snapshot, reaches, context, configuration: text, secret } = await readSnapshot(options.snapshot);
  const chosen = await storedConfiguration(options, text);
  const { level } = chosen.configuration.secrets;
  return {
    ...chosen,
    name: context,
    snapshot,
    reaches,
    readByName: async (refs) => {
      if (level === 'off') return new Map(refs.map((ref) => [formatRef(ref), 'unknown']));
      return secretsByName(secret, level === 'full' ? refs : refs.map(withoutContent));
    },
    close: async () => {},
    ...staleness(options.snapshot, terminal.now() - snapshot.observedAt),
  };
}

const hourMs = 3_600_000;

/** A cluster moves on: after a day, whoever reads the answer has to know. */
function staleness(file: string, ageMs: number): Pick<ClusterState, 'stale'> {
  const hours = Math.floor(ageMs / hourMs);
  if (hours < 24) return {};
  const age = hours < 48 ? `${hours} hours` : `${Math.floor(hours / 24)} days`;
  return { stale: `the snapshot ${file} is ${age} old: what has changed in the cluster since is not known` };
}
const withoutContent = ({ apiVersion, kind, namespace, name }: ObjectRef): ObjectRef => ({ apiVersion, kind, namespace, name });

async function readSnapshot(file: string): Promise<DecodedSnapshot> {
  return decodeSnapshot(file, (await unpacked(file, await readBytes(file, 'Check the path of the snapshot.'))).toString('utf8'));
}

/** A 100,000-Pod cluster takes 20 MB; what claims to be more than this is a bomb. */
const maxBytes = 1024 ** 3;

/** Whatever the file is called: gzip begins with 1f 8b (RFC 1952). */
async function unpacked(file: string, bytes: Buffer): Promise<Buffer> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await gunzip(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    throw new OperatorError('PC0011', `${file} is damaged: it cannot be unpacked`, 'Take it anew with "portcullis snapshot".', { cause });
  }
}
