/** The configuration in effect: read from its file, and again whenever the file changes. */
import { pollFiles, type Reading, readTexts } from '../certificates/poll-files.ts';
import { type Configuration, defaultConfigurationFile, parseConfiguration } from '../config/settings.ts';
import { OperatorError } from '../errors.ts';
import { rules } from '../rules/index.ts';
import { readYaml, YamlError } from '../sources/yaml.ts';

export interface LiveConfiguration {
  current(): Configuration;
  close(): void;
}

export interface ConfigurationEvents {
  /** A new configuration is in effect. */
  readonly onLoaded: (configuration: Configuration) => void;
  /** The file as it is now cannot be used; the last good configuration stays in effect. */
  readonly onRefused: (reason: Error) => void;
  readonly pollMs?: number;
}

/** Without a file, the defaults. Rejects with an OperatorError PC0002 or PC0003 if the file cannot be used now. */
export async function watchConfiguration(path: string | undefined, events: ConfigurationEvents): Promise<LiveConfiguration> {
  if (path === undefined) {
    const defaults = parseConfiguration(defaultConfigurationFile, rules);
    return { current: () => defaults, close: () => {} };
  }
  const first = await readTexts([path]);
  let current = configurationOf(path, first);
  const poll = pollFiles([path], first, events.pollMs ?? 2000, (reading) => {
    try {
      current = configurationOf(path, reading);
      events.onLoaded(current);
    } catch (error) {
      events.onRefused(error as Error);
    }
  });
  return { current: () => current, close: () => poll.close() };
}

function configurationOf(path: string, reading: Reading): Configuration {
  if ('error' in reading)
    throw new OperatorError('PC0002', reading.error.message, 'give the path of a file that can be read', { cause: reading.error });
  return parseConfiguration(yamlOf(path, reading.texts[0] as string), rules);
}

function yamlOf(path: string, text: string): unknown {
  try {
    return readYaml(text).value;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const line = text.slice(0, error.offset).split('\n').length;
    throw new OperatorError('PC0003', `${path}:${line}: ${error.message}`, 'correct the YAML', { cause: error });
  }
}
