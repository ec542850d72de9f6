/** `portcullis explain RULE`: the page of a rule. */
import { nearestWord } from '../cluster/near-miss.ts';
import { OperatorError } from '../errors.ts';
import { display } from '../kube/display.ts';
import { rules } from '../rules/index.ts';
import { markdownText } from './markdown.ts';
import { rulePage } from './rule-pages.ts';
import type { Terminal } from './terminal.ts';

/** Throws an OperatorError PC0001 for an unknown rule. */
export function explain(id: string, terminal: Terminal): 0 {
  const rule = rules.find(({ meta }) => meta.id === id);
  if (rule === undefined) throw new OperatorError('PC0001', `there is no rule "${display(id, 80)}"`, hintFor(id));
  const page = rulePage(id) ?? `# ${id}\n\n${rule.meta.summary}.\n`;
  terminal.out(markdownText(page, terminal.paint));
  return 0;
}

function hintFor(id: string): string {
  const all = 'Run "portcullis rules" for the list.';
  const nearest = nearestWord(
    id,
    rules.map(({ meta }) => meta.id),
  );
  return nearest === undefined ? all : `Did you mean "${nearest}"? ${all}`;
}
