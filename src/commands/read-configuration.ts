import { readFile } from 'node:fs/promises';
import { type Configuration, defaultConfigurationFile, parseConfiguration } from '../config/settings.ts';
import type { Profile } from '../engine/mode.ts';
import { OperatorError } from '../errors.ts';
import { isObject } from '../kube/read.ts';
import { rules } from '../rules/index.ts';
import { placer } from '../sources/positions.ts';
import { readYaml, YamlError } from '../sources/yaml.ts';

/**
 * The configuration of a file, or what holds without one; `profile` takes the place of the file's. Throws an
 * OperatorError: PC0002 unreadable, PC0003 not valid.
 */
export async function readConfiguration(file: string | undefined, profile?: Profile): Promise<Configuration> {
  const raw = file === undefined ? defaultConfigurationFile : parsed(file, await textOf(file));
  const withProfile = profile !== undefined && isObject(raw) ? { ...raw, profile } : raw;
  try {
    return parseConfiguration(withProfile, rules);
  } catch (error) {
    if (!(error instanceof OperatorError) || file === undefined) throw error;
    throw new OperatorError(error.code, `${file}: ${error.message}`, error.hint, { cause: error });
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new OperatorError('PC0002', `${file} cannot be read (${code})`, 'Check the path that --config names.', { cause });
  }
}

function parsed(file: string, text: string): unknown {
  try {
    return readYaml(text).value;
  } catch (cause) {
    if (!(cause instanceof YamlError)) throw cause;
    const { line, column } = placer(text)(cause.offset);
    throw new OperatorError('PC0003', `${file}:${line}:${column} is not valid YAML: ${cause.message}`, 'Repair the YAML at this place.', {
      cause,
    });
  }
}
