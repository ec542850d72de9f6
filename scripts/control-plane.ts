/** `node scripts/control-plane.ts`: finds or builds the programs of a real control plane, and Helm, and prints where each one is. */
import { controlPlaneBinaries, helmBinaries, NoControlPlane } from '../test/support/control-plane-binaries.ts';
import { openReportsDefinitions } from '../test/support/report-definitions.ts';

try {
  const log = (line: string): void => console.error(line);
  const paths = { ...(await controlPlaneBinaries(log)), ...(await helmBinaries(log)) };
  for (const path of Object.values(paths)) console.log(path);
  await openReportsDefinitions();
} catch (error) {
  if (!(error instanceof NoControlPlane)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
