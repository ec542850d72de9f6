import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineRule, type Message } from '../../src/engine/rule.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { Ingress } from '../../src/kube/resources.ts';
import { service, view } from '../support/toy-rules.ts';

const rule = defineRule({
  id: 'service-is-wrong',
  kinds: ['Service'],
  orderClass: 'backward',
  summary: 'A Service is right',
  reads: ['Ingress'],
  confirms: ['Ingress'],
  since: '0.1.0',
  options: z.strictObject({ allow: z.array(z.number()).default([80]) }),
  messages: {
    wrong: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'public',
      text: ({ port }: { port: number }) => ({ what: `port ${port} is wrong`, why: 'It fails.', fixes: [{ text: 'mend it' }] }),
    },
  },
  fetches: ({ metadata }, _, { allow }) => [{ apiVersion: 'v1', kind: 'Secret', namespace: metadata.namespace, name: `s${allow.length}` }],
  *check({ object, options, shared, finding }) {
    for (const [index, { port }] of object.spec.ports.entries())
      if (!options.allow.includes(port) && shared.expectedSecrets.length === 0)
        yield finding('wrong', ['spec', 'ports', index, 'port'], { port }, [
          { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' satisfies Ingress['kind'], namespace: 'shop', name: 'web' },
        ]);
  },
});
const drafts = (options?: unknown, expectedSecrets: readonly string[] = []) => {
  const cluster = view();
  const subject = { object: service({ ports: [{ port: 81 }] }), operation: 'WRITE', before: undefined } as const;
  return [...rule.configure(options, { expectedSecrets }).check(subject, cluster, { known: cluster, elsewhere: undefined })];
};

describe('defineRule', () => {
  it('gives the registry what describes the rule, and nothing that runs', () =>
    expect(rule.meta).toEqual({
      id: 'service-is-wrong',
      kinds: ['Service'],
      orderClass: 'backward',
      summary: 'A Service is right',
      reads: ['Ingress'],
      confirms: ['Ingress'],
      since: '0.1.0',
    }));

  it('checks options when it is configured, not when it runs', () => {
    expect(() => rule.configure({ alow: [] })).toThrow(z.ZodError);
    expect(() => rule.configure({ allow: ['x'] })).toThrow(z.ZodError);
  });

  it('runs with its options, or with their defaults', () => {
    expect(drafts()).toHaveLength(1);
    expect(drafts({ allow: [81] })).toEqual([]);
    expect(drafts({}, ['a'])).toEqual([]);
  });

  it('makes a finding of a message and its facts', () =>
    expect(drafts()[0]?.explained()).toMatchObject({
      ruleId: 'service-is-wrong',
      messageId: 'wrong',
      severity: 'low',
      facts: 'public',
      subject: { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web' },
      path: ['spec', 'ports', 0, 'port'],
      what: 'port 81 is wrong',
      fixes: [{ text: 'mend it' }],
      fingerprint: '["service-is-wrong","wrong","Service shop/web",["spec","ports","port"],81]',
      defects: ['["service-is-wrong","wrong","Service shop/web",["spec","ports","port"],81]'],
    }));

  it('tells findings apart by the value at fault, or by what the message says they consist of', () => {
    const of = (defects?: (data: { port: number }) => readonly string[]) => {
      const { wrong } = rule.messages;
      const other = defineRule({
        ...rule.meta,
        kinds: ['Service'],
        options: z.strictObject({}),
        messages: { wrong: { ...(wrong as Message<{ port: number }>), ...(defects && { defects }) } },
        *check({ object, finding }) {
          for (const [index, { port }] of object.spec.ports.entries())
            yield finding('wrong', ['spec', 'ports', index, 'protocol'], { port });
        },
      }).configure();
      const prints = (...ports: readonly number[]) => {
        const subject = { object: service({ ports: ports.map((port) => ({ port })) }), operation: 'WRITE', before: undefined } as const;
        return [...other.check(subject, view(), { known: view(), elsewhere: undefined })].map((draft) => draft.explained().fingerprint);
      };
      return prints;
    };
    const prints = of(({ port }) => [`${port}`]);
    expect(new Set(prints(80, 81)).size).toBe(2);
    expect(prints(81, 80).toSorted()).toEqual(prints(80, 81).toSorted());
    expect(prints(80)).toEqual(['["service-is-wrong","wrong","Service shop/web",["spec","ports","protocol"],["80"]]']);
    expect(of()(80)).toEqual(['["service-is-wrong","wrong","Service shop/web",["spec","ports","protocol"],"TCP"]']);
  });

  it('asks for nothing for an object that it does not judge', () => {
    const ingress = normalize({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'web' } }) as Ingress;
    expect(rule.configure().fetches(ingress, view())).toEqual([]);
  });

  it('asks for what it wants read by name', () =>
    expect(rule.configure({ allow: [] }).fetches(service(), view())).toEqual([
      { apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 's0' },
    ]));
});
