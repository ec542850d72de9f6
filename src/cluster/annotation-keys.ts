/** Which controller an annotation was written for, and which key was meant. */
import { matchesAnyGlob } from '../kube/glob.ts';
import type { Labels } from '../kube/resources.ts';
import { type AnnotationFamily, annotationFamilies, otherPrefixes } from './annotation-families.ts';
import { differsByAtMost, isCertainTypo, nearestWord } from './near-miss.ts';

export const isOf = ({ prefixes }: AnnotationFamily, key: string): boolean => prefixes.some((prefix) => key.startsWith(prefix));

/**
 * With annotations for its own controller, an Ingress was written for several, and the others do no harm. Of a controller of whose
 * prefixes nothing is listed, nobody here knows what it reads.
 */
export function mayBeRead(title: string, annotations: Labels): boolean {
  const families = annotationFamilies.filter((family) => family.title === title).flatMap(({ prefixes }) => prefixes);
  const prefixes = [...families, ...otherPrefixes.flatMap(([of, prefix]) => (of === title ? prefix : []))];
  return prefixes.length === 0 || Object.keys(annotations).some((key) => prefixes.some((prefix) => key.startsWith(prefix)));
}

/** The key that was meant, where it is not there already; none where too much differs, since newer versions read more. */
export function meantBy(key: string, { prefixes, keys, ignoresCase }: AnnotationFamily, annotations: Labels): string | undefined {
  const prefix = prefixes.find((one) => key.startsWith(one));
  if (prefix === undefined) return undefined;
  const rest = key.slice(prefix.length);
  if (matchesAnyGlob(keys, ignoresCase ? rest.toLowerCase() : rest)) return undefined;
  const most = rest.length < 8 ? 1 : 2;
  const near = nearestWord(
    rest,
    keys.filter((one) => !one.includes('*') && differsByAtMost(most, rest, one)),
  );
  return near === undefined || Object.hasOwn(annotations, prefix + near) ? undefined : prefix + near;
}

/** Both are of one prefix. */
export function isSurelyMeant(key: string, meant: string, { prefixes, keys }: AnnotationFamily): boolean {
  const from = prefixes.find((one) => key.startsWith(one))?.length ?? 0;
  return isCertainTypo(key.slice(from), meant.slice(from), keys);
}

/** What stands behind the slash means the same to many controllers. */
export function sameOf(key: string, own: AnnotationFamily | undefined): string | undefined {
  const rest = key.slice(key.indexOf('/') + 1);
  return own?.keys.includes(rest) ? `${own.prefixes[0]}${rest}` : undefined;
}
