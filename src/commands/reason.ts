import { OperatorError } from '../errors.ts';

/** What an operator has caused is told with what to do about it; the stack of anything else is for us. */
export const reasonOf = (err: Error) => (err instanceof OperatorError ? { code: err.code, reason: err.message, hint: err.hint } : { err });
