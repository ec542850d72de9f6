import { expect, it } from 'vitest';
import { budgetMs } from '../../src/admission/deadline.ts';

it.each([
  ['3s', 2400],
  ['1s', 500],
  ['10s', 8000],
  ['30s', 24_000],
  ['1.5s', 1000],
  ['900ms', 400],
  ['400ms', 0],
  ['31s', 24_000],
  ['999999s', 24_000],
  [undefined, 8000],
  ['', 8000],
  ['0s', 8000],
  ['-3s', 8000],
  ['3', 8000],
  ['1e9s', 8000],
  ['Infinity', 8000],
  ['1m30s', 8000],
])('of ?timeout=%s, %d ms are ours', (timeout, ms) => expect(budgetMs(timeout)).toBe(ms));
