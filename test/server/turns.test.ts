import { setImmediate as nextRound } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Turns } from '../../src/server/turns.ts';

it('gives one turn at a time, in the order of asking', async () => {
  const turns = new Turns();
  const order: string[] = [];
  const ends = ['a', 'b', 'c'].map(async (name) => {
    const end = await turns.take();
    order.push(name);
    return end;
  });
  (await ends[0])?.();
  (await ends[1])?.();
  expect(order).toEqual(['a', 'b']);
  (await ends[2])?.();
  expect(order).toEqual(['a', 'b', 'c']);
});

it('waits for as long as a turn lasts', async () => {
  const turns = new Turns();
  const end = await turns.take();
  let taken = false;
  const second = turns.take().then(() => {
    taken = true;
  });
  for (let round = 0; round < 5; round++) await nextRound();
  expect(taken).toBe(false);
  end();
  await second;
  expect(taken).toBe(true);
});

it('lets everybody else come first who is there when a turn ends', async () => {
  const turns = new Turns();
  const order: string[] = [];
  const end = await turns.take();
  const second = turns.take().then(() => order.push('large'));
  setImmediate(() => order.push('small'));
  end();
  await second;
  expect(order).toEqual(['small', 'large']);
});
