/** How long the API server waits (`?timeout=3s`; apiserver admission/plugin/webhook/validating/dispatcher.go), and how much of it we use. */

const defaultMs = 10_000;
const maxMs = 30_000;
const reserveMs = 500;

/** The time within which to answer, in milliseconds: the rest is for the way back. An expiry would hide every finding. */
export function budgetMs(timeout: string | undefined): number {
  const given = Math.min(timeoutMs(timeout) ?? defaultMs, maxMs);
  return Math.max(0, Math.min(given - reserveMs, given * 0.8));
}

function timeoutMs(timeout: string | undefined): number | undefined {
  const match = /^(\d{1,6}(?:\.\d{1,9})?)(ms|s)$/.exec(timeout ?? '');
  if (match === null) return undefined;
  const ms = Number(match[1]) * (match[2] === 's' ? 1000 : 1);
  return ms > 0 ? ms : undefined;
}
