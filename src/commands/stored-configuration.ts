/** The configuration of an installation, as its cluster or a snapshot of it holds it. */
import type { Configuration } from '../config/settings.ts';
import type { Profile } from '../engine/mode.ts';
import { OperatorError } from '../errors.ts';
import { quoted } from '../kube/display.ts';
import { isObjectName } from '../kube/object-name.ts';
import { configurationIn, readConfiguration } from './read-configuration.ts';

export interface ConfigurationChoice {
  readonly config?: string;
  /** The ConfigMap of the installation, as NAMESPACE/NAME. */
  readonly installation?: string;
  readonly profile?: Profile;
}

export interface ChosenConfiguration {
  readonly configuration: Configuration;
  /** Where it is from, where nobody said; for the reader of a report. */
  readonly notice?: string;
  /** The installation's, as it is written there. */
  readonly text?: string;
}

/** What the chart calls it, unless it is told otherwise: by its release's name, where that is another. */
const usual = 'portcullis/portcullis';
export const configKey = 'portcullis.yaml';

/** Throws an OperatorError PC0001 for what is no NAMESPACE/NAME. */
export function configMapOf(installation = usual): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = '', ...rest] = installation.split('/');
  if (rest.length > 0 || !isObjectName(namespace) || !isObjectName(name))
    throw new OperatorError(
      'PC0001',
      `--installation ${quoted(installation)} is not NAMESPACE/NAME`,
      'Give the ConfigMap of the installation, as portcullis/portcullis.',
    );
  return { namespace, name };
}

export const titleOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `ConfigMap ${namespace}/${name}`;

/**
 * The one that is given, else the one that a snapshot holds, if it does. Rejects with an OperatorError PC0002 or PC0003 if it
 * cannot be used.
 */
export async function storedConfiguration(
  { config, profile }: ConfigurationChoice,
  text: string | undefined,
): Promise<ChosenConfiguration> {
  if (config !== undefined) return { configuration: await readConfiguration(config, profile) };
  return text === undefined
    ? byDefault(profile, 'the snapshot holds none')
    : givenBy('the installation, as the snapshot holds it', text, profile);
}

export const givenBy = (where: string, text: string, profile: Profile | undefined): ChosenConfiguration => ({
  configuration: configurationIn(where, text, profile),
  notice: `the configuration is that of ${where}`,
});

export const byDefault = async (profile: Profile | undefined, why: string): Promise<ChosenConfiguration> => ({
  configuration: await readConfiguration(undefined, profile),
  notice: `the configuration is the default one: ${why}, and no --config is given`,
});
