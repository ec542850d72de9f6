/** Whether this replica does what only one may do. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { KubeClient } from '../client/kube-client.ts';
import { type Leadership, leaderElection, onlyOne } from '../client/leader-election.ts';
import { OperatorError } from '../errors.ts';
import type { Log } from '../server/log.ts';
import { ownNamespace } from './own-namespace.ts';
import { reasonOf } from './reason.ts';
import type { ServeOptions } from './serve-options.ts';

/** A container that is restarted has the name that it had before, and must not take itself for the one before. */
export const newIdentity = (): string => `${process.env['POD_NAME'] ?? hostname()}_${randomBytes(4).toString('hex')}`;

/** Without a Lease, this process leads. Throws OperatorError PC0001 if it cannot be known where the Lease is. */
export function leadershipOf(options: ServeOptions, client: KubeClient | undefined, identity: string, log: Log): Leadership {
  const { lease } = options;
  if (lease === undefined) return onlyOne;
  const namespace = ownNamespace(options);
  if (client === undefined || namespace === undefined)
    throw new OperatorError('PC0001', '--lease names a Lease of no namespace that is known', 'Give --namespace too, and no --cluster.');
  const what = { lease: `${namespace}/${lease}`, identity };
  return leaderElection({
    client,
    namespace,
    name: lease,
    identity,
    onChange: (leads) => log.info(what, leads ? 'leads the replicas' : 'leads no more'),
    onFollow: (leader) => log.info({ ...what, leader }, 'another replica leads'),
    onProblem: (err) => log.warn({ ...what, ...reasonOf(err) }, 'there is no telling who leads: the Lease cannot be read or written'),
  });
}
