/** `node scripts/control-plane.ts`: finds or builds the programs of a real control plane and prints where each one is. */
import { controlPlaneBinaries, NoControlPlane } from '../test/support/control-plane-binaries.ts';

try {
  const paths = await controlPlaneBinaries((line) => console.error(line));
  for (const path of Object.values(paths)) console.log(path);
} catch (error) {
  if (!(error instanceof NoControlPlane)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
