const limitMs = 24 * 60 * 60 * 1000;

/** `60s`, `1m30s`, `2h` in milliseconds; undefined for what is no duration or longer than a day. */
export function durationMs(text: string): number | undefined {
  const match = /^(?=\d)(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,5})s)?$/.exec(text);
  if (match === null) return undefined;
  const [, hours = 0, minutes = 0, seconds = 0] = match;
  const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return ms <= limitMs ? ms : undefined;
}
