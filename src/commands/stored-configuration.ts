/** The configuration of an installation, as its cluster or a snapshot of it holds it. */
import type { Configuration } from '../config/settings.ts';
import type { Profile } from '../engine/mode.ts';
import { configurationIn, readConfiguration } from './read-configuration.ts';

export interface ConfigurationChoice {
  readonly config?: string;
  readonly profile?: Profile;
}

export interface ChosenConfiguration {
  readonly configuration: Configuration;
  /** Where it is from, where nobody said; for the reader of a report. */
  readonly notice?: string;
  /** The installation's, as it is written there. */
  readonly text?: string;
}

/** What the chart calls it, unless it is told otherwise. */
export const configMap = { namespace: 'portcullis', name: 'portcullis', key: 'portcullis.yaml' };
export const installed = `ConfigMap ${configMap.namespace}/${configMap.name}`;

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
    : givenBy(`${installed}, as the snapshot holds it`, text, profile);
}

export const givenBy = (where: string, text: string, profile: Profile | undefined): ChosenConfiguration => ({
  configuration: configurationIn(where, text, profile),
  notice: `the configuration is that of ${where}`,
});

export const byDefault = async (profile: Profile | undefined, why: string): Promise<ChosenConfiguration> => ({
  configuration: await readConfiguration(undefined, profile),
  notice: `the configuration is the default one: ${why}, and no --config is given`,
});
