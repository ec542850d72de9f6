// biome-ignore lint/style/noRestrictedImports: a hash is a function of its input and of nothing else
import { createHash } from 'node:crypto';

/** SHA-256, 16 digits of it: enough to tell texts of one cluster apart, short enough to be read. */
export const shortDigest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** As a content security policy names what it lets run: `sha256-…`. */
export const integrity = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;
