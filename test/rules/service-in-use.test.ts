/** What a table cannot say: how many are told of, and whom nobody is told of. */
import { expect, it } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { type EvaluateOptions, evaluate } from '../../src/engine/evaluate.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject, Service } from '../../src/kube/resources.ts';
import { serviceInUse } from '../../src/rules/service-in-use.ts';
import { ingress, service } from '../support/shop.ts';

const within = (namespace: string, object: RawObject, name: string): RawObject => ({ ...object, metadata: { namespace, name } });
const web = normalize(within('shop', service(), 'web')) as Service;

function removed(held: readonly RawObject[], options: EvaluateOptions = {}) {
  const cluster = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(held.flatMap((one) => normalize(one) ?? []));
  const subject = { object: web, operation: 'DELETE', before: () => cluster.with([web]) } as const;
  return evaluate(subject, cluster, [serviceInUse.configure()], options);
}

const ingresses = (count: number): readonly RawObject[] =>
  Array.from({ length: count }, (_, index) => within('shop', ingress('tls'), `edge-${String(index).padStart(3, '0')}`));

const elsewhere = (count: number): readonly RawObject[] =>
  ingresses(count).map((one) => JSON.parse(JSON.stringify(one).replace('"name":"web","port"', '"name":"api","port"')));

it('counts up to a hundred Ingresses, and says that there may be more', () => {
  const [all] = removed(ingresses(100)).findings;
  expect(all?.what).toBe(
    'Service web is still named by Ingress edge-000, edge-001, edge-002 and 97 more (100 routes, among them shop.example.com/)',
  );
  const [cut] = removed(ingresses(101)).findings;
  expect(cut?.what).toBe(
    'Service web is still named by Ingress edge-000, edge-001, edge-002 and at least 97 more (at least 100 routes, among them shop.example.com/)',
  );
  expect(cut?.related).toHaveLength(10);
});

it('gives up where its time is over, instead of telling half', () => {
  let looks = 0;
  const { findings, skipped } = removed(elsewhere(200), { timeLeft: () => 1 - looks++ });
  expect([findings, skipped]).toEqual([[], [{ ruleId: 'service-in-use', reason: 'deadline' }]]);
});

it('tells nothing of other namespaces to who may not look there', () => {
  const alias = within('bank', service({ spec: { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' } }), 'web');
  const asked: string[] = [];
  const audience = (answer: boolean) => ({
    mayList: ({ kind, namespace }: { readonly kind: string; readonly namespace: string }) => {
      asked.push(`${kind} ${namespace}`);
      return answer;
    },
  });
  expect(removed([alias]).findings).toEqual([]);
  expect(removed([alias], { audience: audience(false) }).findings).toEqual([]);
  expect(removed([alias], { audience: audience(true) }).findings).toHaveLength(1);
  // Of whom it does not speak, nobody's rights are asked for.
  const unrelated = within('vault', service(), 'web');
  removed([alias, unrelated], { audience: audience(true) });
  expect(new Set(asked)).toEqual(new Set(['Service bank']));
});

it('counts no Ingress that is being deleted', () => {
  const [edge = {}] = ingresses(1);
  const leaving = { ...edge, metadata: { ...(edge['metadata'] as object), deletionTimestamp: '2026-11-21T12:00:00Z' } };
  expect(removed([leaving]).findings).toEqual([]);
});
