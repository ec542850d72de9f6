/** The configuration in effect: read from its file, and again whenever the file changes. */
import { pollFiles, readTexts } from '../certificates/poll-files.ts';
import type { Configuration } from '../config/settings.ts';
import { readConfiguration } from './read-configuration.ts';

export interface LiveConfiguration {
  current(): Configuration;
  close(): void;
}

export interface ConfigurationEvents {
  /** A new configuration is in effect. */
  readonly onLoaded: () => void;
  /** The file as it is now cannot be used; the last good configuration stays in effect. */
  readonly onRefused: (reason: Error) => void;
  readonly pollMs: number;
}

/** Without a file, the defaults. Rejects with an OperatorError PC0002 or PC0003 if the file cannot be used now. */
export async function watchConfiguration(file: string | undefined, events: ConfigurationEvents): Promise<LiveConfiguration> {
  const paths = file === undefined ? [] : [file];
  // Before the configuration: what is written in between is a change.
  const first = await readTexts(paths);
  let current = await readConfiguration(file);
  const poll = pollFiles(paths, first, events.pollMs, () => {
    readConfiguration(file).then((next) => {
      current = next;
      events.onLoaded();
    }, events.onRefused);
  });
  return { current: () => current, close: () => poll.close() };
}
