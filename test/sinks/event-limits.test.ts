import { describe, expect, it } from 'vitest';
import { EventLimits } from '../../src/sinks/event-limits.ts';
import { FakeClock } from '../support/fake-clock.ts';

const notes = (many: number): readonly string[] => Array.from({ length: many }, (_, at) => `note ${at}`);

describe('Events of one object', () => {
  it('are 25 at once, then one in five minutes; of another object or type apart', async () => {
    const clock = new FakeClock();
    const limits = new EventLimits(clock);
    const admit = (reason: string, object = 'a', type = 'Warning'): boolean => limits.admit(object, type, reason, 'the same') !== 'dropped';
    expect(Array.from({ length: 40 }, (_, at) => admit(`Reason${at}`)).filter(Boolean).length).toBe(25);
    expect([admit('More', 'b'), admit('More', 'a', 'Normal')]).toEqual([true, true]);
    await clock.advance(299_000);
    expect(admit('Later')).toBe(false);
    await clock.advance(1_000);
    expect([admit('Later'), admit('Later')]).toEqual([true, false]);
  });

  it('of one reason are combined from the tenth on, until ten minutes have passed without one', async () => {
    const clock = new FakeClock();
    const limits = new EventLimits(clock);
    const admit = (note: string): string => limits.admit('a', 'Warning', 'SelectorMatchesNoPods', note);
    expect(notes(12).map(admit)).toEqual([...Array<string>(9).fill('alone'), 'combined', 'combined', 'combined']);
    await clock.advance(600_000);
    expect(admit('late')).toBe('combined');
    await clock.advance(600_001);
    expect(admit('later')).toBe('alone');
  });

  it('with the same note are no many', () => {
    const limits = new EventLimits(new FakeClock());
    expect(new Set(notes(20).map(() => limits.admit('a', 'Warning', 'One', 'the same')))).toEqual(new Set(['alone']));
  });

  it('are remembered of 4,096 objects', () => {
    const limits = new EventLimits(new FakeClock());
    const admit = (object: string): string => limits.admit(object, 'Warning', 'One', 'the same');
    for (let at = 0; at < 25; at++) admit('first');
    expect(admit('first')).toBe('dropped');
    for (let at = 0; at < 4_096; at++) admit(`other ${at}`);
    expect(admit('first')).toBe('alone');
  });
});
