/** `node scripts/real-node.ts`: says whether this machine can be a Kubernetes node for tests, and finds or builds the programs for it. */
import { controlPlaneBinaries, NoControlPlane, nodeBinaries } from '../test/support/control-plane-binaries.ts';
import { whyNoNode } from '../test/support/real-node-requirements.ts';

const log = (line: string): void => console.error(line);

async function whyNot(): Promise<string | undefined> {
  const reason = await whyNoNode();
  if (reason !== undefined) return reason;
  try {
    for (const path of Object.values({ ...(await controlPlaneBinaries(log)), ...(await nodeBinaries(log)) })) console.log(path);
    return undefined;
  } catch (error) {
    if (!(error instanceof NoControlPlane)) throw error;
    return error.message;
  }
}

const reason = await whyNot();
if (reason !== undefined) {
  log(reason);
  process.exitCode = 1;
}
