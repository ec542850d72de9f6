/** One connection and what each policy says of it, for a person at a terminal and for programs. The verdict comes first. */
import { display } from '../kube/display.ts';
import type { ExplainedEnd, ExplainedFlow, ExplainedPolicy, ExplainedRule, RuleState } from '../picture/explained-flow.ts';
import { writtenJson } from './json.ts';
import type { Paint } from './report.ts';

export interface ExplainedFlowOptions {
  /** As people call where it was read: a context, the files. */
  readonly source: string;
  readonly notices: readonly string[];
  readonly paint: Paint;
}

const styles: Readonly<Record<ExplainedFlow['answer'], Parameters<Paint>[0]>> = { allowed: 'cyan', denied: 'red', depends: 'yellow' };
const words: Readonly<Record<ExplainedFlow['answer'], string>> = { allowed: 'allowed', denied: 'denied', depends: 'not certain' };

export function explainedFlowText(explained: ExplainedFlow, { source, notices, paint }: ExplainedFlowOptions): string {
  const { from, to, port, answer, ends, doubts } = explained;
  const verdict = `${paint(styles[answer], words[answer])}: ${display(from)} → ${display(to)}, ${port} (${display(source)}, by NetworkPolicy alone)`;
  const why = answer === 'depends' ? [`It depends: ${doubts.join('; ')}.`] : [];
  return `${[[verdict, ...why].join('\n'), ...ends.map((end) => endText(end, explained, paint)), ...notices.map((one) => display(one))].join('\n\n')}\n`;
}

function endText({ direction, answer, note, policies }: ExplainedEnd, { from, to }: ExplainedFlow, paint: Paint): string {
  const isSending = direction === 'Egress';
  const title = `${paint('bold', `${isSending ? `Sending, by ${display(from)}` : `Receiving, by ${display(to)}`}`)}: ${paint(styles[answer], words[answer])}`;
  const why =
    policies.length > 0 || note !== undefined ? [] : [`  no policy isolates it: it may ${isSending ? 'send to' : 'receive from'} anybody`];
  const noted = note === undefined ? [] : [`  ${note}`];
  return [title, ...why, ...noted, ...policies.flatMap((policy) => policyLines(policy, isSending, paint))].join('\n');
}

/** A policy of the API Server may have very many rules: those that matter are told, and some of the others. */
const mostRules = 20;

function policyLines({ policy, isSure, rules }: ExplainedPolicy, isSending: boolean, paint: Paint): readonly string[] {
  const isolates = `${isSure ? 'isolates' : 'isolates those Pods that it selects: only running Pods tell'}`;
  const inOrder = rules.toSorted((a, b) => rank.indexOf(a.state) - rank.indexOf(b.state));
  const shown = inOrder.slice(0, mostRules).map((rule) => ruleLine(rule, paint));
  const more = rules.length > mostRules ? [paint('dim', `    ${rules.length - mostRules} more rules`)] : [];
  const none =
    rules.length === 0 ? [`    ${paint('red', '✗')} it has no ${isSending ? 'egress' : 'ingress'} rule: it lets nothing through`] : [];
  return [`  ${display(policy)} ${isolates}`, ...none, ...shown, ...more];
}

const rank: readonly RuleState[] = ['holds', 'perhaps', 'otherPort', 'otherPeer'];

const signs: Readonly<Record<RuleState, readonly [sign: string, style: Parameters<Paint>[0], verdict: string]>> = {
  holds: ['✓', 'cyan', 'allows it'],
  perhaps: ['?', 'yellow', 'may allow it'],
  otherPort: ['✗', 'red', 'is about other ports'],
  otherPeer: ['✗', 'red', 'is about others'],
};

function ruleLine({ field, state, text }: ExplainedRule, paint: Paint): string {
  const [sign, style, verdict] = signs[state];
  return `    ${paint(style, sign)} ${field} ${verdict}: ${display(text)}`;
}

/** Version 1: keys are only added, never renamed. */
export const explainedFlowJson = (
  { ends: [sending, receiving], ...flow }: ExplainedFlow,
  { source, notices }: ExplainedFlowOptions,
): string => writtenJson({ version: 1, source, notices, ...flow, sending: endJson(sending), receiving: endJson(receiving) });

const endJson = ({ direction, note, ...end }: ExplainedEnd) => ({ direction, ...end, ...(note !== undefined && { note }) });
