/** Small rules and objects for tests of the engine, which knows no real rule. */
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import type { Coverage } from '../../src/cluster/view.ts';
import type { Fix } from '../../src/engine/finding.ts';
import type { ConfiguredRule, Draft, Message, Messages, RuleContext, RuleDefinition, RuleMeta } from '../../src/engine/rule.ts';
import { defineRule } from '../../src/engine/rule.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { Collection, RawObject, Service } from '../../src/kube/resources.ts';

const anyOptions = { parse: (value: unknown): unknown => value };

/** A Service on port 80, or what the changes make of it. */
export const service = (spec: RawObject = {}, metadata: RawObject = {}): Service =>
  normalize({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop', ...metadata },
    spec: { ports: [{ port: 80 }], ...spec },
  }) as Service;

export const view = (coverage: (collection: Collection, namespace: string) => Coverage = () => 'complete'): ClusterSnapshot =>
  ClusterSnapshot.empty({ observedAt: 0, coverage });

interface Toy
  extends Partial<RuleMeta>,
    Pick<RuleDefinition<'Service', unknown, Messages>, 'otherwise'>,
    Partial<Pick<Message<unknown>, 'defects' | 'deniesDryRun' | 'severity'>> {
  readonly fixes?: readonly [...Fix[], Fix];
  check(context: RuleContext<'Service', unknown, { wrong: Message<unknown> }>): Iterable<Draft>;
}

/** A rule with one message, `wrong`, that `strict` denies. */
export function toyRule({ check, fixes = [{ text: 'mend it' }], severity = 'high', defects, deniesDryRun, ...meta }: Toy): ConfiguredRule {
  const wrong: Message<unknown> = {
    severity,
    modes: { guided: 'warn', strict: 'deny' },
    facts: 'self',
    text: () => ({ what: 'it is wrong', why: 'It fails.', fixes }),
    ...(defects && { defects }),
    ...(deniesDryRun !== undefined && { deniesDryRun }),
  };
  return defineRule({
    id: 'service-is-wrong',
    orderClass: 'self-contained',
    summary: 'A Service is right',
    reads: [],
    since: '0.1.0',
    options: anyOptions,
    ...meta,
    kinds: ['Service'],
    messages: { wrong },
    check,
  }).configure();
}

/** Finds every port whose targetPort is not 8080. */
export const only8080 = (changes: Partial<Toy> = {}): ConfiguredRule =>
  toyRule({
    *check({ object, finding }) {
      for (const [index, { targetPort }] of object.spec.ports.entries())
        if (targetPort !== 8080) yield finding('wrong', ['spec', 'ports', index, 'targetPort'], undefined);
    },
    ...changes,
  });

/** What is left of a time that passes when it is told to. */
export interface Clock {
  readonly timeLeft: () => number;
  readonly pass: (ms: number) => void;
}

export function clockOf(ms: number): Clock {
  let left = ms;
  return {
    timeLeft: () => left,
    pass: (spent) => {
      left -= spent;
    },
  };
}

/** The same, taking so long for each run. */
export const slow = (clock: Clock, ms: number, changes: Partial<Toy> = {}): ConfiguredRule =>
  toyRule({
    *check({ object, finding }) {
      clock.pass(ms);
      for (const [index, { targetPort }] of object.spec.ports.entries())
        if (targetPort !== 8080) yield finding('wrong', ['spec', 'ports', index, 'targetPort'], undefined);
    },
    ...changes,
  });
