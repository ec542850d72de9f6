/** What an operator can cause: bad configuration, missing permission, unreadable file. Printed without a stack. */

/** Code → what it stands for. Codes are never reused; docs/errors.md has an anchor for each. */
export const errorCodes = {
  PC0001: 'the command line cannot be understood',
  PC0002: 'a file or directory cannot be read',
  PC0003: 'the configuration is not valid',
  PC0004: 'the kubeconfig or the in-cluster credentials cannot be used',
  PC0005: 'the serving certificate cannot be used',
  PC0006: 'a port cannot be listened on',
  PC0007: 'the authorities that verify clients cannot be used',
  PC0008: 'the webhook configuration cannot be read from the API server',
  PC0009: 'the baseline is no report of an earlier run',
  PC0010: 'the cluster cannot be read',
  PC0011: 'the snapshot cannot be used',
} as const;
export type ErrorCode = keyof typeof errorCodes;

export class OperatorError extends Error {
  readonly code: ErrorCode;
  /** What to do about it, in one sentence. */
  readonly hint: string;

  constructor(code: ErrorCode, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OperatorError';
    this.code = code;
    this.hint = hint;
  }
}
