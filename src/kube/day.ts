/** `2026-11-21`, of milliseconds since 1970, in UTC. */
export const dayOf = (epochMs: number): string => new Date(epochMs).toISOString().slice(0, 10);
