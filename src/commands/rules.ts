/** `portcullis rules`: what is checked, and what becomes of it in each profile. */

import { severities } from '../engine/finding.ts';
import type { Mode } from '../engine/mode.ts';
import { modes } from '../engine/mode.ts';
import type { Rule } from '../engine/rule.ts';
import { rules } from '../rules/index.ts';
import type { Terminal } from './terminal.ts';

export interface RulesOptions {
  readonly output: 'text' | 'json';
}

export function listRules({ output }: RulesOptions, terminal: Terminal): 0 {
  const sorted = rules.toSorted((a, b) => (a.meta.id < b.meta.id ? -1 : 1));
  terminal.out(output === 'json' ? jsonList(sorted) : textList(sorted, terminal));
  return 0;
}

const jsonList = (sorted: readonly Rule[]): string =>
  `${JSON.stringify(
    {
      version: 1,
      rules: sorted.map(({ meta, messages }) => ({
        id: meta.id,
        kinds: meta.kinds,
        orderClass: meta.orderClass,
        summary: meta.summary,
        since: meta.since,
        offlineOnly: meta.offlineOnly ?? false,
        messages: Object.entries(messages).map(
          ([
            id,
            {
              severity,
              modes: { guided, strict },
            },
          ]) => ({
            id,
            severity,
            modes: { observe: 'audit', guided, strict },
          }),
        ),
      })),
    },
    null,
    2,
  )}\n`;

/** The gravest of its messages speaks for a rule. */
function textList(sorted: readonly Rule[], { paint }: Terminal): string {
  const entries = sorted.map(({ meta, messages }) => {
    const all = Object.values(messages);
    const severity = severities.find((one) => all.some((message) => message.severity === one)) ?? 'info';
    const strictest = (of: (message: (typeof all)[number]) => Mode): Mode =>
      modes.find((mode) => all.some((message) => of(message) === mode)) ?? 'off';
    const guided = strictest((message) => message.modes.guided);
    const strict = strictest((message) => message.modes.strict);
    const files = meta.offlineOnly === true ? '; files only' : '';
    return [
      paint('bold', meta.id),
      `  ${meta.summary}.`,
      `  ${paint('dim', `${meta.kinds.join(', ')}; ${severity}; guided: ${guided}, strict: ${strict}${files}`)}`,
    ].join('\n');
  });
  return `${entries.join('\n')}\n\n${sorted.length} rules. "portcullis explain RULE" tells all about one.\n`;
}
