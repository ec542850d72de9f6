/** Where we run. */
import { readFileSync } from 'node:fs';

const mounted = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** The namespace that was given, else that of the mounted ServiceAccount; undefined outside a cluster. */
export function ownNamespace({ namespace }: { readonly namespace?: string }, file = mounted): string | undefined {
  if (namespace !== undefined) return namespace;
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
