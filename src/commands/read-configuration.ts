import { type Configuration, defaultConfigurationFile, parseConfiguration } from '../config/settings.ts';
import type { Profile } from '../engine/mode.ts';
import { OperatorError } from '../errors.ts';
import { isObject } from '../kube/read.ts';
import { rules } from '../rules/index.ts';
import { splitDocuments } from '../sources/documents.ts';
import { placer } from '../sources/positions.ts';
import { readYaml, YamlError } from '../sources/yaml.ts';
import { readText } from './read-text.ts';

/**
 * The configuration of a file, or what holds without one; `profile` takes the place of the file's. Throws an
 * OperatorError: PC0002 unreadable, PC0003 not valid.
 */
export async function readConfiguration(file: string | undefined, profile?: Profile): Promise<Configuration> {
  const raw = file === undefined ? defaultConfigurationFile : parsed(file, await readText(file, 'Check the path that --config names.'));
  return configurationOf(file, withProfile(raw, profile));
}

/** The same of a text that has been read; `name` is what messages call it. Throws an OperatorError PC0003. */
export const configurationIn = (name: string, text: string, profile?: Profile): Configuration =>
  configurationOf(name, withProfile(parsed(name, text), profile));

const withProfile = (raw: unknown, profile: Profile | undefined): unknown =>
  profile !== undefined && isObject(raw) ? { ...raw, profile } : raw;

function configurationOf(file: string | undefined, raw: unknown): Configuration {
  try {
    return parseConfiguration(raw, rules);
  } catch (error) {
    if (!(error instanceof OperatorError) || file === undefined) throw error;
    throw new OperatorError(error.code, `${file}: ${error.message}`, error.hint, { cause: error });
  }
}

/** What is given twice would be decided by whichever is read last: no way to set what is denied. */
function parsed(file: string, text: string): unknown {
  const refused = (offset: number, message: string, hint: string, cause?: unknown): OperatorError => {
    const { line, column } = placer(text)(offset);
    return new OperatorError('PC0003', `${file}:${line}:${column} ${message}`, hint, { cause });
  };
  try {
    const { value, duplicates } = readYaml(text);
    const [twice] = duplicates;
    if (twice !== undefined) throw refused(twice.offset, `the key "${twice.key}" stands twice in this mapping`, 'Remove one of them.');
    const [, second] = splitDocuments(text).chunks.filter((chunk) => readYaml(chunk.text).value !== null);
    if (second !== undefined) throw refused(second.offset, 'a second document begins', 'Put all of the configuration into one.');
    return value;
  } catch (cause) {
    if (!(cause instanceof YamlError)) throw cause;
    throw refused(cause.offset, `is not valid YAML: ${cause.message}`, 'Repair the YAML at this place.', cause);
  }
}
