import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { handle } from '../../src/admission/handler.ts';
import { allow } from '../../src/admission/response.ts';
import { checkSelf, type Judge } from '../../src/commands/self-check.ts';
import { startServer } from '../../src/commands/start-server.ts';
import { createLog } from '../../src/server/log.ts';
import type { Metrics } from '../../src/server/metrics.ts';

/** Lives, answers, and finds nothing. */
const zombie: Judge = async (...review) => {
  const handled = await handle(...review);
  if (handled.outcome !== 'judged') return handled;
  return { ...handled, decision: { ...handled.decision, allowed: true, denials: [] }, answer: allow(handled.asked) };
};
/** Judges right and then says yes to everything. */
const yesSayer: Judge = async (...review) => {
  const handled = await handle(...review);
  return handled.outcome === 'judged' ? { ...handled, answer: allow(handled.asked) } : handled;
};
/** Whatever comes, it is what came first. */
const stuck = (): Judge => {
  let first: ReturnType<Judge> | undefined;
  return (...review) => (first ??= handle(...review));
};
const thrower: Judge = async () => {
  throw new Error('out of order');
};

describe('the self-check', () => {
  it('has nothing to say of a process that judges', async () => expect(await checkSelf()).toBeUndefined());

  it.each<[string, Judge, string]>([
    ['lets everything pass', zombie, 'Service wbe should be denied by service-selector-matches-no-pods and is allowed'],
    ['does not answer what it found', yesSayer, 'Service wbe should be denied by service-selector-matches-no-pods and is allowed'],
    ['denies everything', stuck(), 'Service web should be allowed and is denied by service-selector-matches-no-pods'],
    ['throws', thrower, 'a review cannot be judged: out of order'],
    ['understands nothing', async () => ({ outcome: 'refused' }), 'a review of Service wbe is refused'],
  ])('notices one that %s', async (_, judge, complaint) => expect(await checkSelf(judge)).toBe(complaint));

  it('takes a process that fails it out of the Service, and lets it in again', async () => {
    const logged: Record<string, unknown>[] = [];
    let metrics: Metrics | undefined;
    let judge = zombie;
    const server = await startServer(
      { cluster: ['examples/cluster'], host: '127.0.0.1', port: 0, healthPort: 0, drainMs: 0 },
      {
        log: createLog({ write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }),
        onMetrics: (made) => {
          metrics = made;
        },
        selfCheck: { everyMs: 5, judge: (...review) => judge(...review) },
      },
    );
    onTestFinished(() => server.close());
    const scrape = async (): Promise<string> => (await (metrics as Metrics).scrape()).text;
    const readiness = async (): Promise<string> => (await fetch(`${server.healthUrl}/readyz`)).text();

    expect(await readiness()).toBe('not ready: the self-check fails');
    expect(await scrape()).toContain('portcullis_self_check_success 0');
    expect(logged[0]).toMatchObject({ level: 'error', why: expect.stringContaining('Service wbe should be denied') });
    judge = handle;
    await vi.waitFor(async () => expect(await readiness()).toBe('ok'));
    expect(await scrape()).toContain('portcullis_self_check_success 1');
    expect(logged.filter(({ msg }) => msg === 'the self-check succeeds again')).toHaveLength(1);
    judge = zombie;
    await vi.waitFor(() => expect(server.isReady()).toBe(false));
  });
});
