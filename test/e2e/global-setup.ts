/** One control plane for all files of the e2e suite; each test takes a namespace of its own. */
import type { TestProject } from 'vitest/node';
import type { ControlPlane, ControlPlaneAddress } from '../support/control-plane.ts';
import { NoControlPlane } from '../support/control-plane-binaries.ts';
import { newControlPlane } from '../support/control-plane-provider.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Null on a developer's machine that cannot have one. */
    readonly controlPlane: ControlPlaneAddress | null;
  }
}

const say = (line: string): void => console.error(`[control plane] ${line}`);

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const plane = await planeOrNothing();
  project.provide('controlPlane', plane?.address ?? null);
  return plane?.stop;
}

async function planeOrNothing(): Promise<ControlPlane | undefined> {
  try {
    return await newControlPlane(say);
  } catch (error) {
    if (!(error instanceof NoControlPlane)) throw error;
    const { PORTCULLIS_REQUIRE_CONTROL_PLANE: required, CI: ci } = process.env;
    if (required === '1' || ci === 'true') throw new Error(`The real API server is required here, and cannot be had. ${error.message}`);
    const line = '!'.repeat(100);
    for (const text of [line, 'LEFT OUT: every test against the real API server.', error.message, line]) say(text);
    return undefined;
  }
}
