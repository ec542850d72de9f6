import { expect, it, vi } from 'vitest';
import { run } from '../../src/commands/program.ts';
import type { ServeOptions } from '../../src/commands/serve-options.ts';
import { fakeTerminal } from './terminal.ts';

const given = vi.hoisted((): ServeOptions[] => []);
vi.mock('../../src/commands/serve.ts', () => ({ serve: async (options: ServeOptions) => given.push(options) }));

it.each<[readonly string[], Pick<ServeOptions, 'reports' | 'events'>]>([
  // Left out, it depends on the Lease: audit-sinks.ts.
  [[], {}],
  [['--events', '--reports', 'auto'], { events: true, reports: 'auto' }],
  [['--no-events', '--reports', 'off'], { events: false, reports: 'off' }],
])('serve %j writes what it is told to', async (flags, expected) => {
  expect(await run(['serve', ...flags], fakeTerminal(), '0')).toBe(0);
  const { reports, events } = given.pop() as ServeOptions;
  expect({ reports, events }).toEqual({ reports: undefined, events: undefined, ...expected });
});
