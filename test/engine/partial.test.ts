/** What is known in part (files beside which an operator makes more): a finding stands where what is there shows it. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { NotKnown, RecordingView } from '../../src/cluster/recording.ts';
import type { Coverage } from '../../src/cluster/view.ts';
import { evaluate } from '../../src/engine/evaluate.ts';
import { defineRule } from '../../src/engine/rule.ts';
import { service, view } from '../support/toy-rules.ts';

const rule = defineRule({
  id: 'name-is-taken',
  kinds: ['Service'],
  orderClass: 'forward',
  summary: 'There is a Service of each name wanted',
  reads: ['Service', 'Pod', 'Template'],
  since: '0.1.0',
  options: z.strictObject({ wanted: z.array(z.string()) }),
  messages: {
    missing: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'public',
      isEvident: ({ name }: { readonly name: string }) => name === 'wbe',
      text: ({ name }) => ({ what: `${name} is missing`, why: 'It is wanted.', fixes: [{ text: 'make it' }] }),
    },
    wrong: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'public',
      text: () => ({ what: 'it is wrong', why: 'It is wanted.', fixes: [{ text: 'mend it' }] }),
    },
  },
  *check({ cluster, options, finding }) {
    for (const name of options.wanted)
      if (cluster.get('Service', 'shop', name) === undefined) yield finding('missing', ['spec'], { name });
      else yield finding('wrong', ['spec'], undefined);
  },
});

const known = (coverage: Coverage) =>
  view()
    .with([service()])
    .knowing({ coverage: () => coverage });
const judged = (coverage: Coverage, ...wanted: readonly string[]) =>
  evaluate({ object: service(), operation: 'WRITE', before: undefined }, known(coverage), [rule.configure({ wanted })]);
const texts = (coverage: Coverage, ...wanted: readonly string[]) => judged(coverage, ...wanted).findings.map(({ what }) => what);
const skip = { ruleId: 'name-is-taken', reason: 'partial', missing: 'Service', namespace: 'shop' };

describe('a rule on what is known in part', () => {
  it('keeps what is evident, and makes one skip of what else is missing', () => {
    const { findings, skipped, clean } = judged('partial', 'api', 'wbe', 'cart');
    expect(findings.map(({ what }) => what)).toEqual(['wbe is missing']);
    expect(findings[0]).not.toHaveProperty('isEvident');
    expect([skipped, clean.size]).toEqual([[skip], 0]);
  });

  it('tells all before anything was found missing', () => {
    expect(texts('partial', 'web', 'api')).toEqual(['it is wrong']);
    expect(judged('partial', 'web').skipped).toEqual([]);
  });

  it('concludes where all is known, and ends where nothing is', () => {
    expect(texts('complete', 'api', 'cart')).toEqual(['api is missing', 'cart is missing']);
    expect(judged('notGiven', 'wbe')).toMatchObject({ findings: [], skipped: [{ ...skip, reason: 'notGiven' }] });
  });

  it('goes on only for who looks at the doubt', () => {
    expect(() => new RecordingView(known('partial')).get('Service', 'shop', 'api')).toThrow(NotKnown);
    const going = new RecordingView(known('partial'), undefined, true);
    expect([going.get('Service', 'shop', 'web')?.metadata.name, going.doubt]).toEqual(['web', undefined]);
    going.workloadsSelectedBy({ app: 'web' }, 'shop');
    expect(going.doubt).toMatchObject({ collection: 'Template', coverage: 'partial' });
  });
});
