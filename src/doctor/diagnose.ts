/** Facts → what is wrong, gravest first, and how writes get through meanwhile. */
import { type Severity, severities } from '../engine/finding.ts';
import { checks } from './checks.ts';
import { failsClosed } from './entries.ts';
import type { Facts, Seen } from './facts.ts';
import type { Check, Problem } from './problem.ts';
import { releaseOf } from './reinstall.ts';
import { openCommand } from './trial.ts';

export interface Found extends Problem {
  readonly check: string;
}

export interface Diagnosis {
  /** Lets writes through at once, where they are refused for want of an answer. */
  readonly emergency: string | undefined;
  readonly problems: readonly Found[];
  /** To know, and not to repair. */
  readonly notes: readonly Found[];
  /** What could not be looked at, and why. */
  readonly unseen: readonly { readonly what: string; readonly why: string }[];
}

const titles: readonly (readonly [keyof Facts, string])[] = [
  ['registration', 'the webhook configuration'],
  ['otherRegistrations', 'other webhook configurations'],
  ['service', 'the Service'],
  ['endpointSlices', 'its EndpointSlices'],
  ['deployments', 'Deployments'],
  ['pods', 'Pods'],
  ['budgets', 'PodDisruptionBudgets'],
  ['certificate', 'the certificate (the Secret that holds it)'],
  ['lease', 'the Lease'],
  ['rights', 'the rights of the ServiceAccount'],
  ['clusterRole', 'its ClusterRoleBindings'],
  ['policies', 'NetworkPolicies'],
  ['namespaces', 'Namespaces'],
  ['apiServer', 'the addresses of the API server'],
  ['file', 'the configuration file'],
  ['counters', "the API server's metrics"],
  ['events', 'Events'],
  ['trial', 'a dry-run of a Service'],
];

/** Of equals in gravity, what stands first in the table comes first. */
export function diagnose(facts: Facts, all: readonly Check[] = checks): Diagnosis {
  const found = all.flatMap((check) => Array.from(check.look(facts), (problem): Found => ({ check: check.id, ...problem })));
  const rank = ({ severity }: { readonly severity: Severity }): number => severities.indexOf(severity);
  const problems = found.filter(({ severity }) => severity !== 'info').toSorted((a, b) => rank(a) - rank(b));
  const isBlocked = failsClosed(facts) && problems.some(({ stopsCalls }) => stopsCalls === true);
  return {
    emergency: isBlocked ? openCommand(facts) : undefined,
    problems,
    notes: [...found.filter(({ severity }) => severity === 'info'), ...aboutHelm(facts, problems)],
    unseen: titles.flatMap(([key, what]) => {
      const seen = facts[key] as Seen<unknown>;
      return seen.state === 'unseen' ? [{ what, why: seen.why }] : [];
    }),
  };
}

/**
 * What a patch changes is its sender's field from then on. Even under Helm's name it would be: a field manager that updates is
 * another one than a manager of the same name that applies.
 */
function aboutHelm(facts: Facts, problems: readonly Found[]): readonly Found[] {
  const patches = problems.some(({ commands }) =>
    commands.some((command) => command.startsWith(`${facts.kubectl} `) && / patch /.test(command)),
  );
  if (!patches || releaseOf(facts) === undefined) return [];
  return [
    {
      check: 'helm',
      severity: 'info',
      what: 'what `kubectl patch` changes is no longer a field of Helm, which installed it',
      evidence: ['where its values say something else, the next `helm upgrade` of Helm 4 ends with a conflict: --force-conflicts, once'],
      repair: '',
      commands: [],
    },
  ];
}
