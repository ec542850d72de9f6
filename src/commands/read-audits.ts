/** The JSON reports of earlier audits → which rules would have denied something, and where. */
import { z } from 'zod';
import { OperatorError } from '../errors.ts';
import { readText } from './read-text.ts';

/** Only what is asked for; a later version of the report may add keys. */
const auditSchema = z.object({
  version: z.literal(1),
  observedAt: z.iso.datetime(),
  findings: z.array(z.object({ rule: z.string(), message: z.string(), object: z.object({ namespace: z.string() }) })),
});

export interface EarlierAudit {
  /** Epoch milliseconds. */
  readonly observedAt: number;
  readonly findings: readonly { readonly ruleId: string; readonly messageId: string; readonly namespace: string }[];
}

/** Oldest first. Throws an OperatorError: PC0002 unreadable, PC0009 no report of an audit. */
export async function readAudits(files: readonly string[]): Promise<readonly EarlierAudit[]> {
  const audits = await Promise.all(files.map(async (file) => auditIn(file, await readText(file, 'Check the paths that --audits names.'))));
  return audits.toSorted((a, b) => a.observedAt - b.observedAt);
}

function auditIn(file: string, text: string): EarlierAudit {
  const refused = (why: string, cause?: unknown): OperatorError =>
    new OperatorError('PC0009', `${file} is no report of an audit: ${why}`, 'Write one with "portcullis audit -o json".', { cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refused('it is not JSON', cause);
  }
  const { data, error } = auditSchema.safeParse(value);
  if (error !== undefined) throw refused(`${error.issues[0]?.path.join('.') || 'its top'}: ${error.issues[0]?.message}`, error);
  const findings = data.findings.map(({ rule, message, object }) => ({ ruleId: rule, messageId: message, namespace: object.namespace }));
  return { observedAt: Date.parse(data.observedAt), findings };
}
