/** The JSON report of an earlier run → its findings. */
import { z } from 'zod';
import { severities } from '../engine/finding.ts';
import { OperatorError } from '../errors.ts';
import type { BaselineFinding } from '../reports/baseline.ts';
import { readText } from './read-text.ts';

/** Only what is compared or told; a later version of the report may add keys. */
const reportSchema = z.object({
  version: z.literal(1),
  findings: z.array(
    z.object({
      rule: z.string(),
      severity: z.enum(severities),
      object: z.object({ apiVersion: z.string(), kind: z.string(), namespace: z.string(), name: z.string() }),
      path: z.string(),
      file: z.string().optional(),
      what: z.string(),
      fingerprint: z.string(),
    }),
  ),
});

/** Throws an OperatorError: PC0002 unreadable, PC0009 no report. */
export async function readBaseline(file: string): Promise<readonly BaselineFinding[]> {
  const { findings } = parsed(
    file,
    await readText(file, 'Check the path that --baseline names. For the first run there is none: make one with -o json.'),
  );
  return findings.map(({ rule, severity, object, path, file: of, what, fingerprint }) => ({
    ruleId: rule,
    subject: object,
    path,
    what,
    severity,
    fingerprint,
    ...(of === undefined ? {} : { file: of }),
  }));
}

function parsed(file: string, text: string): z.infer<typeof reportSchema> {
  const refused = (why: string, cause?: unknown): OperatorError =>
    new OperatorError('PC0009', `${file} is no report of an earlier run: ${why}`, 'Write one with "-o json", and keep it as it is.', {
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refused('it is not JSON', cause);
  }
  const { success, data, error } = reportSchema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  throw refused(`${issue?.path.join('.') || 'the whole'}: ${issue?.message}`, error);
}
