/** The configuration that a command on a cluster goes by: the one that is given, else the installation's own, read from it. */
import { type KubeClient, KubeError } from '../client/kube-client.ts';
import { OperatorError } from '../errors.ts';
import { objectAt, stringAt } from '../kube/read.ts';
import { cannotBeRead } from '../sources/list-cluster.ts';
import { readConfiguration } from './read-configuration.ts';
import {
  byDefault,
  type ChosenConfiguration,
  type ConfigurationChoice,
  configKey,
  configMapOf,
  givenBy,
  titleOf,
} from './stored-configuration.ts';

const callMs = 10_000;

/**
 * Rejects with an OperatorError: PC0002 or PC0003 if what is given, or found, cannot be used, PC0010 if the API server does
 * not answer.
 */
export async function clusterConfiguration(
  { config, profile, installation }: ConfigurationChoice,
  client: Pick<KubeClient, 'get'>,
  signal: AbortSignal,
): Promise<ChosenConfiguration> {
  if (config !== undefined) return { configuration: await readConfiguration(config, profile) };
  const configMap = configMapOf(installation);
  const installed = titleOf(configMap);
  const found = await textIn(client, configMap, signal);
  if (found.text === undefined && installation !== undefined)
    throw new OperatorError(
      'PC0002',
      `${installed} ${found.why}`,
      'Check the name given with --installation, or give the configuration with --config.',
    );
  return found.text === undefined
    ? byDefault(profile, `${installed} ${found.why}`)
    : { ...givenBy(installed, found.text, profile), text: found.text };
}

async function textIn(
  client: Pick<KubeClient, 'get'>,
  { namespace, name }: ReturnType<typeof configMapOf>,
  signal: AbortSignal,
): Promise<{ readonly text?: string; readonly why: string }> {
  const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`;
  try {
    const found = await client.get(path, AbortSignal.any([signal, AbortSignal.timeout(callMs)]));
    const text = stringAt(objectAt(found, 'data'), configKey);
    return text === undefined ? { why: `has no key ${configKey}` } : { text, why: '' };
  } catch (cause) {
    if (!(cause instanceof KubeError)) throw cannotBeRead(path, cause);
    return { why: cause.status === 404 ? 'does not exist' : `may not be read (${cause.status})` };
  }
}
