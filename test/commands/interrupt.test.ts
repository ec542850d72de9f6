import { describe, expect, it } from 'vitest';
import { interruptible } from '../../src/commands/interrupt.ts';

const listeners = (): number => process.listenerCount('SIGINT');

describe('interruptible', () => {
  it('ends the work with exit code 130 on Ctrl-C, and without a message', async () => {
    const before = listeners();
    const ended = interruptible(
      (signal) => new Promise<number>((_, reject) => signal.addEventListener('abort', () => reject(new Error('the call was aborted')))),
    );
    process.emit('SIGINT');
    expect(await ended).toBe(130);
    expect(listeners()).toBe(before);
  });

  it('hands on what the work comes to, and what goes wrong by itself', async () => {
    const before = listeners();
    expect(await interruptible(async () => 1)).toBe(1);
    await expect(interruptible(async () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(listeners()).toBe(before);
  });
});
