/** Where both Helms are, for tests of the chart. */
import type { TestProject } from 'vitest/node';
import { type HelmPaths, helmBinaries, NoControlPlane } from '../support/control-plane-binaries.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Null on a developer's machine that cannot have them. */
    readonly helm: HelmPaths | null;
  }
}

const say = (line: string): void => console.error(`[helm] ${line}`);

export default async function setup(project: TestProject): Promise<void> {
  project.provide('helm', await helmsOrNothing());
}

async function helmsOrNothing(): Promise<HelmPaths | null> {
  try {
    return await helmBinaries(say);
  } catch (error) {
    if (!(error instanceof NoControlPlane)) throw error;
    const { PORTCULLIS_REQUIRE_CONTROL_PLANE: required, CI: ci } = process.env;
    if (required === '1' || ci === 'true') throw new Error(`Helm is required here, and cannot be had. ${error.message}`);
    const line = '!'.repeat(100);
    for (const text of [line, 'LEFT OUT: every test of the chart.', error.message, line]) say(text);
    return null;
  }
}
