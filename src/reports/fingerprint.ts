/** Fingerprints as other programs hold them: short, and each only once in a report. */
import { shortDigest } from './digest.ts';

/** Gives the same fingerprints, in the same order, the same names: that of a second finding alike counts them. */
export function fingerprints(): (fingerprint: string) => { readonly hash: string; readonly nth: number } {
  const seen = new Map<string, number>();
  return (fingerprint) => {
    const nth = (seen.get(fingerprint) ?? 0) + 1;
    seen.set(fingerprint, nth);
    return { hash: shortDigest(fingerprint), nth };
  };
}
