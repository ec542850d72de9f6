/** What doctor asks about is what the chart grants: neither a right more nor a right less. */
import { readFileSync } from 'node:fs';
import { load, loadAll } from 'js-yaml';
import { expect, it } from 'vitest';
import { neededRights, type OwnObjects } from '../../src/commands/needed-rights.ts';
import { configurationIn } from '../../src/commands/read-configuration.ts';
import { groupOf } from '../../src/kube/normalize.ts';
import { objectAt, objectsAt, stringAt, stringsAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { watchedKinds } from '../../src/sources/watched.ts';

const own: OwnObjects = {
  namespace: 'portcullis',
  secret: 'portcullis-ca',
  webhookConfiguration: 'portcullis',
  lease: 'portcullis-leader',
  reports: 'auto',
  events: true,
};
const needed = (yaml: string, objects = own): readonly string[] =>
  neededRights(configurationIn('test', `apiVersion: portcullis.dev/v1\n${yaml}`), objects)
    .map(({ verb, group, resource, name = '', namespace }) => `${verb} ${resource}.${group}/${name} ${namespace}`)
    .toSorted();

function granted(): readonly string[] {
  const objects = loadAll(readFileSync('deploy/10-rbac.yaml', 'utf8')) as readonly RawObject[];
  const roles = objects.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role');
  const rights = roles.flatMap((role) =>
    objectsAt(role, 'rules').flatMap((rule) => rightsOf(rule, stringAt(objectAt(role, 'metadata'), 'namespace') ?? '')),
  );
  return rights.toSorted();
}

function rightsOf(rule: RawObject, namespace: string): readonly string[] {
  const names = stringsAt(rule, 'resourceNames');
  return stringsAt(rule, 'apiGroups').flatMap((group) =>
    stringsAt(rule, 'resources').flatMap((resource) =>
      (names.length === 0 ? [''] : names).flatMap((name) =>
        stringsAt(rule, 'verbs').map((verb) => `${verb} ${resource}.${group}/${name} ${namespace}`),
      ),
    ),
  );
}

it('is exactly what deploy/ grants for the configuration of deploy/', () => expect(needed('')).toEqual(granted()));

it('is less where rules are off', () => {
  const readers = rules.filter(({ meta }) => meta.reads.includes('Secret')).map(({ meta }) => `${meta.id}: {mode: "off"}`);
  expect(needed(`rules: {${readers.join(', ')}}`)).not.toContain('get secrets./ ');
  expect(needed('secrets: {level: "off"}')).not.toContain('get secrets./ ');
  expect(needed('secrets: {level: "off"}')).toContain('get secrets./portcullis-ca portcullis');
});

it('is the right to ask about requesters where an answer depends on theirs', () => {
  const asks = 'create subjectaccessreviews.authorization.k8s.io/ ';
  expect(needed('privacy: open')).not.toContain(asks);
  for (const more of ['', 'privacy: tenant', 'privacy: open\nexemptions: {byAnnotation: permitted}']) expect(needed(more)).toContain(asks);
});

it('is more where there are other kinds of workloads', () =>
  expect(needed('workloads: [{apiVersion: argoproj.io/v1alpha1, kind: Rollout, resource: rollouts}]')).toContain(
    'watch rollouts.argoproj.io/ ',
  ));

it('is nothing of our own where the process keeps nothing', () => {
  const rights = needed('', { ...own, secret: undefined, lease: undefined });
  expect(rights.filter((right) => right.endsWith(' portcullis'))).toEqual([]);
});

it('is what the audit tells with, and nothing where it tells nothing', () => {
  const groups = (changes: Partial<OwnObjects>): readonly string[] =>
    [
      ...new Set(needed('', { ...own, ...changes }).flatMap((right) => /(openreports|wgpolicyk8s|events)\.\S*io/.exec(right)?.[1] ?? [])),
    ].sort();
  expect(groups({})).toEqual(['events', 'openreports', 'wgpolicyk8s']);
  expect(groups({ reports: 'policyreport' })).toEqual(['events', 'wgpolicyk8s']);
  expect(groups({ reports: 'off', events: false })).toEqual([]);
});

it('the role in docs/audit.md allows an audit to read what it reads, and no more', () => {
  const [yaml = ''] = /(?<=```yaml\n)apiVersion: rbac[\s\S]*?(?=```)/.exec(readFileSync('docs/audit.md', 'utf8')) ?? [];
  const allowed = objectsAt(load(yaml) as RawObject, 'rules').flatMap((rule) => rightsOf(rule, ''));
  const lists = watchedKinds([]).map(({ apiVersion, resource }) => `list ${resource}.${groupOf(apiVersion)}/ `);
  const gets = ['get namespaces./ ', 'get secrets./ ', 'get configmaps./portcullis '];
  expect(allowed.toSorted()).toEqual([...lists, ...gets].toSorted());
});
