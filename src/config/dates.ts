/** Days of the calendar, in UTC. */
import { dayOf } from '../kube/day.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** `2027-03-31`, a day that exists. */
export function isDate(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const start = Date.parse(`${value}T00:00:00Z`);
  // V8 reads 30 February as 2 March.
  return !Number.isNaN(start) && dayOf(start) === value;
}

/** The day's last millisecond is still within it. */
export const isOver = (day: string, nowMs: number): boolean => nowMs >= Date.parse(`${day}T00:00:00Z`) + dayMs;

/** What is proposed for an exemption that needs a new end: a season from now, and the same for weeks, so that no report changes daily. */
export function renewal(nowMs: number): string {
  const now = new Date(nowMs);
  return dayOf(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 4, 0));
}

/** So long before an exemption ends, its end is told. */
export const noticeDays = 14;

/** Not over, but in so many days it will be. */
export const endsWithin = (day: string, days: number, nowMs: number): boolean => !isOver(day, nowMs) && isOver(day, nowMs + days * dayMs);
