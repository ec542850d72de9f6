/** One real node for all files of this suite, with our image in it; each file installs and removes its own release. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { controlPlaneBinaries, NoControlPlane, nodeBinaries } from '../support/control-plane-binaries.ts';
import { docker } from '../support/image.ts';
import { type NodeAddress, type RealNode, startRealNode } from '../support/real-node.ts';
import { nodeImages, saveNodeImages } from '../support/real-node-images.ts';
import { busybox, networkPlugins, whyNoNode } from '../support/real-node-requirements.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Null where there can be none. */
    readonly node: NodeAddress | null;
  }
}

const say = (line: string): void => console.error(`[node] ${line}`);

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const node = await nodeOrNothing();
  project.provide('node', node?.address ?? null);
  return async () => {
    await node?.stop();
    if (node !== undefined) docker('image', 'rm', '--force', ...Object.values(nodeImages));
  };
}

async function nodeOrNothing(): Promise<RealNode | undefined> {
  const reason = await whyNoNode();
  if (reason !== undefined) return nothing(reason);
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof NoControlPlane)) throw error;
    return nothing(error.message);
  }
}

async function start(): Promise<RealNode> {
  const started = Date.now();
  const programs = { ...(await controlPlaneBinaries(say)), ...(await nodeBinaries(say)) };
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-images-'));
  try {
    const images = saveNodeImages(directory, { coredns: programs.coredns, busybox: busybox() });
    const node = await startRealNode({ programs, networkPlugins: networkPlugins(), images });
    say(`ready after ${Math.round((Date.now() - started) / 1000)} s, images included`);
    return node;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function nothing(reason: string): undefined {
  if (process.env['PORTCULLIS_REQUIRE_NODE'] === '1') throw new Error(`A real node is required here, and cannot be had. ${reason}`);
  const line = '!'.repeat(100);
  for (const text of [line, 'LEFT OUT: every test on a real node.', reason, line]) say(text);
  return undefined;
}
