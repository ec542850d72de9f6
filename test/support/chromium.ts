/** A real Chromium, driven over its own protocol. Debian's will do; nothing is downloaded. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { describe } from 'vitest';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** `PORTCULLIS_CHROMIUM`, or the first one on the path; undefined if there is none. */
function findChromium(): string | undefined {
  const given = process.env['PORTCULLIS_CHROMIUM'];
  if (given !== undefined) return given;
  const directories = (process.env['PATH'] ?? '').split(delimiter);
  return names.flatMap((name) => directories.map((directory) => join(directory, name))).find(isProgram);
}

const executablePath = findChromium();
const missing = `No Chromium: none of ${names.join(', ')} is on the path, and PORTCULLIS_CHROMIUM is not set. On Debian: apt-get install chromium fonts-dejavu-core`;
if (executablePath === undefined) {
  if (process.env['CI'] === 'true') throw new Error(missing);
  console.warn(`LEFT OUT: the tests of the page. ${missing}`);
}

/** `describe` for what needs the browser. Without one it says loudly what is left out, and fails in CI. */
export const describeInChromium = describe.runIf(executablePath !== undefined);

/** Its sandbox refuses root, which is who runs tests in a container. */
export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: executablePath as string, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
