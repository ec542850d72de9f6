import { beforeEach, describe, expect, it } from 'vitest';
import { restartLog } from '../../src/commands/restart-log.ts';
import { createLog } from '../../src/server/log.ts';
import type { Restart } from '../../src/sources/restart.ts';
import { FakeClock } from '../support/fake-clock.ts';

let logged: Record<string, unknown>[];
let clock: FakeClock;
let tell: (restart: Restart) => void;

beforeEach(() => {
  logged = [];
  clock = new FakeClock();
  tell = restartLog(createLog({ write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }), clock);
});

const pods = '/api/v1/pods';
const services = '/api/v1/services';
const refused = (path: string): Restart => ({ path, reason: 'disconnected', cause: new Error('connect ECONNREFUSED') });

describe('the log of restarts', () => {
  it('says in one line a minute that the API server is away, and how often more it was tried', async () => {
    for (let second = 0; second < 150; second += 5) {
      for (const path of [pods, services]) tell(refused(path));
      await clock.advance(5_000);
    }
    expect(logged.map(({ moreBefore }) => moreBefore)).toEqual([undefined, 23, 23]);
    expect(logged[0]).toMatchObject({ level: 'warn', path: pods, reason: 'disconnected', why: 'connect ECONNREFUSED' });
  });

  it('tells causes apart', () => {
    tell(refused(pods));
    tell({ path: pods, reason: 'expired' });
    expect(logged.map(({ reason }) => reason)).toEqual(['disconnected', 'expired']);
  });

  it('names each kind that is forbidden or not served', () => {
    for (const path of [pods, pods, services]) tell({ path, reason: 'forbidden' });
    tell({ path: pods, reason: 'notServed' });
    expect(logged.map(({ level, path }) => [level, path])).toEqual([
      ['warn', pods],
      ['warn', services],
      ['info', pods],
    ]);
  });

  it('has no warning for a kind that is forbidden and that no enabled rule needs', () => {
    const lines: Record<string, unknown>[] = [];
    const log = createLog({ write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
    const quiet = restartLog(log, clock, (path) => path === pods);
    for (const path of [pods, services]) quiet({ path, reason: 'forbidden' });
    expect(lines.map(({ level, path }) => [level, path])).toEqual([
      ['warn', pods],
      ['info', services],
    ]);
  });

  it('has nothing to say of a watch that ends in the ordinary way', () => {
    tell({ path: pods, reason: 'ended' });
    expect(logged).toEqual([]);
  });
});
