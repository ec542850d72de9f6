import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Asked } from '../../src/admission/request.ts';
import { createLog, logDecision } from '../../src/server/log.ts';
import { decisionWith, findingWith } from '../admission/reviews.ts';

const asked: Asked = {
  uid: 'u-1',
  operation: 'CREATE',
  group: '',
  kind: 'Service',
  namespace: 'shop',
  name: 'web',
  dryRun: true,
  user: { username: 'alice', groups: [] },
};

function logged(write: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = [];
  write(createLog({ write: (line: string) => void lines.push(line) }));
  return lines;
}

it('says of a decision who, what, which rules, and how long it took', () => {
  const decision = decisionWith({
    denials: [findingWith({ ruleId: 'a' }), findingWith({ ruleId: 'a' })],
    warnings: [{ finding: findingWith({ ruleId: 'b' }) }],
    skipped: [{ ruleId: 'c', reason: 'deadline' }],
  });
  const [line = ''] = logged((log) => logDecision(log, asked, decision, 1.234567));
  expect(JSON.parse(line)).toEqual({
    level: 'info',
    time: expect.stringMatching(/Z$/),
    uid: 'u-1',
    user: 'alice',
    operation: 'CREATE',
    object: 'Service shop/web',
    dryRun: true,
    decision: 'deny',
    deny: ['a'],
    warn: ['b'],
    skipped: ['c'],
    ms: 1.23,
    msg: 'denied',
  });
});

it('has nothing to say of a plain yes', () => expect(logged((log) => logDecision(log, asked, decisionWith({}), 1))).toEqual([]));

it('whatever names and errors hold, a line is one line of printable JSON', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('a"}\n{"level":"info","decision":"allow"}', '\u001b[2J', '\u202e', '\u2028'),
  );
  fc.assert(
    fc.property(text, text, text, (name, username, message) => {
      const lines = logged((log) =>
        logDecision(
          log,
          { ...asked, name, user: { username, groups: [] }, uid: message },
          decisionWith({
            denials: [findingWith({})],
            faults: [
              { ruleId: 'a', cause: new Error(message) },
              { ruleId: 'b', cause: message },
            ],
          }),
          1,
        ),
      );
      expect(lines).toHaveLength(3);
      for (const line of lines) {
        expect(line.endsWith('\n')).toBe(true);
        expect(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u.test(line.slice(0, -1))).toBe(false);
        expect(JSON.parse(line)).toMatchObject({ level: expect.stringMatching(/^(info|error)$/) });
      }
    }),
    { numRuns: 300 },
  );
});
