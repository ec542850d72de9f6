/** What kubectl prints for an API server's answer to one write (1.36.3: pkg/cmd/util/helpers.go, pkg/cmd/apply, pkg/cmd/delete). */
import { z } from 'zod';

/** The parts of an AdmissionReview's answer that reach the user. */
export const admissionAnswer = z.looseObject({
  response: z.looseObject({
    uid: z.string(),
    allowed: z.boolean(),
    warnings: z.array(z.string()).default([]),
    status: z
      .looseObject({
        reason: z.string().default(''),
        message: z.string().default(''),
        details: z
          .looseObject({
            kind: z.string().default(''),
            name: z.string().default(''),
            causes: z.array(z.looseObject({ field: z.string().default(''), message: z.string().default('') })).default([]),
          })
          .optional(),
      })
      .optional(),
  }),
});
export type AdmissionAnswer = z.output<typeof admissionAnswer>['response'];

/** The lines of both streams: warnings as they come, then the error, or `done` if there is none. */
export function kubectlText({ allowed, warnings, status }: AdmissionAnswer, done: string): readonly string[] {
  const told = [...new Set(warnings)].map((text) => `Warning: ${text}`);
  if (allowed) return [...told, done];
  const { kind, name, causes } = status?.details ?? { kind: '', name: '', causes: [] };
  if (status?.reason !== 'Invalid' || causes.length === 0) return [...told, `Error from server (${status?.reason}): ${status?.message}`];
  const errors = [...new Set(causes.map(({ field, message }) => `${field}: ${message}`))];
  const head = `The ${kind} "${name}" is invalid: `;
  return [...told, ...(errors.length === 1 ? [head + errors[0]] : [head, ...errors.map((error) => `* ${error}`)])];
}
