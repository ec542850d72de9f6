/** Which keys and values labels may have (apimachinery pkg/util/validation). */
import { isDnsSubdomain } from './dns-name.ts';

const word = /^[A-Za-z0-9](?:[-\w.]*[A-Za-z0-9])?$/;
const isWord = (text: string): boolean => text.length <= 63 && word.test(text);

/** IsQualifiedName: `app`, `example.com/app`. */
export function isLabelKey(key: string): boolean {
  const [name = '', prefix, ...more] = key.split('/').toReversed();
  return more.length === 0 && isWord(name) && (prefix === undefined || isDnsSubdomain(prefix));
}

/** IsValidLabelValue. */
export const isLabelValue = (value: string): boolean => value === '' || isWord(value);
