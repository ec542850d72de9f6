/** Which control plane the e2e suite runs on: programs that are given, cached or can be built; else K3s. */
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.ts';
import { controlPlaneBinaries, NoControlPlane } from './control-plane-binaries.ts';
import { startK3s } from './k3s.ts';

type Log = (line: string) => void;

const providers = new Map([
  [
    'programs',
    async (log: Log, options: ControlPlaneOptions): Promise<ControlPlane> => startControlPlane(await controlPlaneBinaries(log), options),
  ],
  ['k3s', startK3s],
]);

/**
 * Starts a control plane of the first provider that there is, or of the one that PORTCULLIS_CONTROL_PLANE_PROVIDER
 * names. Throws NoControlPlane with the reasons of all. A control plane that is there and does not start is an error.
 */
export async function newControlPlane(log: Log, options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const wanted = process.env['PORTCULLIS_CONTROL_PLANE_PROVIDER'] || undefined;
  if (wanted !== undefined && !providers.has(wanted))
    throw new Error(`PORTCULLIS_CONTROL_PLANE_PROVIDER is ${wanted}; it can be ${[...providers.keys()].join(' or ')}`);
  const reasons: string[] = [];
  for (const [name, start] of providers) {
    if (wanted !== undefined && name !== wanted) continue;
    try {
      return await start(log, options);
    } catch (error) {
      if (!(error instanceof NoControlPlane)) throw error;
      reasons.push(`${name}: ${error.message}`);
    }
  }
  throw new NoControlPlane(reasons.join('\n'));
}
