/** May our ServiceAccount do what it has to? */
import { listed } from '../kube/listed.ts';
import type { RawObject } from '../kube/resources.ts';
import { type Facts, listOf, type Right } from './facts.ts';
import { type Check, kubectl, kubectlHere, type Problem, patch, word } from './problem.ts';
import { reinstall } from './reinstall.ts';

const resourceText = ({ group, resource, name }: Right): string =>
  `${resource}${group === '' ? '' : `.${group}`}${name === undefined ? '' : `/${name}`}`;

/** Rights on one thing stand in one rule. */
const together = (rights: readonly Right[]): readonly (readonly Right[])[] => [
  ...Map.groupBy(rights, (right) => `${right.namespace} ${resourceText(right)}`).values(),
];

const ruleFor = (rights: readonly Right[]) => {
  const [first] = rights as readonly [Right];
  return {
    apiGroups: [first.group],
    resources: [first.resource],
    ...(first.name !== undefined && { resourceNames: [first.name] }),
    verbs: rights.map(({ verb }) => verb),
  };
};

export const mayRead: Check = {
  id: 'access',
  holds: 'The ServiceAccount may read what the enabled rules look at, and keep its certificate and its Lease',
  *look(facts) {
    const denied = listOf(facts.rights).filter(({ allowed }) => !allowed);
    const clusterWide = denied.filter(({ namespace }) => namespace === '');
    const here = denied.filter(({ namespace }) => namespace !== '');
    if (clusterWide.length > 0) yield lacking(facts, clusterWide, clusterCommands(facts, together(clusterWide)));
    if (here.length > 0) yield lacking(facts, here, roleCommands(facts, together(here)));
  },
};

const lacking = (facts: Facts, denied: readonly Right[], commands: Problem['commands']): Problem => {
  const neededBy = [...new Set(denied.flatMap((right) => right.neededBy))];
  return {
    severity: 'high',
    what: `ServiceAccount ${facts.namespace}/${facts.serviceAccount} may not ${listed(together(denied).map((rights) => `${rights.map(({ verb }) => verb).join(', ')} ${resourceText(rights[0] as Right)}`))}`,
    evidence: [`without it: no ${neededBy.join(', ')}`],
    repair: 'grant it; where the chart installed it, its next upgrade grants it as well',
    commands,
  };
};

const subject = ({ namespace, serviceAccount }: Facts): readonly string[] => [
  `--serviceaccount=${namespace}:${serviceAccount}`,
  ...['--dry-run=client', '-o', 'yaml'],
];
const addRules = (groups: readonly (readonly Right[])[]): string =>
  patch(groups.map((rights) => ({ op: 'add', path: '/rules/-', value: ruleFor(rights) })));

/** What is bound to others too, or is none of ours, such as `view`, stays as it is. */
function clusterCommands(facts: Facts, groups: readonly (readonly Right[])[]): Problem['commands'] {
  const { clusterRole, namespace, serviceAccount } = facts;
  if (clusterRole.state !== 'seen') return [reinstall(facts, 'deploy/10-rbac.yaml')];
  if (clusterRole.value !== undefined)
    return [kubectl(facts, 'patch', 'clusterrole', clusterRole.value, '--type=json', '-p', addRules(groups))];
  const name = `${namespace}-${serviceAccount}-own`;
  return [
    reconcile(facts, { kind: 'ClusterRole', metadata: { name }, rules: groups.map(ruleFor) }),
    bind(facts, kubectl(facts, 'create', 'clusterrolebinding', name, `--clusterrole=${name}`, ...subject(facts))),
  ];
}

/** A Role and binding beside those that were installed: which of these is at fault makes no difference. */
function roleCommands(facts: Facts, groups: readonly (readonly Right[])[]): Problem['commands'] {
  const name = `${facts.serviceAccount}-own`;
  return [
    reconcile(facts, { kind: 'Role', metadata: { name, namespace: facts.namespace }, rules: groups.map(ruleFor) }),
    bind(facts, kubectlHere(facts, 'create', 'rolebinding', name, `--role=${name}`, ...subject(facts))),
  ];
}

/** Adds to the rules that an earlier repair has left there. */
const reconcile = (facts: Facts, role: RawObject): string =>
  `echo ${word(JSON.stringify({ apiVersion: 'rbac.authorization.k8s.io/v1', ...role }))} | ${kubectl(facts, 'auth', 'reconcile', '-f', '-')}`;
const bind = (facts: Facts, create: string): string => `${create} | ${kubectl(facts, 'auth', 'reconcile', '-f', '-')}`;
