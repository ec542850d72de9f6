import { KubeError } from '../client/kube-client.ts';
import { OperatorError } from '../errors.ts';

/** What an operator has caused is told with what to do about it; the stack of anything else than a refusal is for us. */
export function reasonOf(err: Error) {
  if (err instanceof OperatorError) return { code: err.code, reason: err.message, hint: err.hint };
  if (err instanceof KubeError || isOfTheNetwork(err)) return { reason: err.message };
  return { err };
}

/** As the system and undici name what they could not reach, and a signal what took too long. */
const isOfTheNetwork = (err: Error & { readonly code?: unknown }): boolean =>
  err.name === 'TimeoutError' || (typeof err.code === 'string' && /^(E[A-Z]+$|UND_ERR_)/.test(err.code));
