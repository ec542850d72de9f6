/** `portcullis explain`: the page of a rule, the way of an object's requests, or what policies say of a connection. */
import { nearestWord } from '../cluster/near-miss.ts';
import { OperatorError } from '../errors.ts';
import { display } from '../kube/display.ts';
import { rules } from '../rules/index.ts';
import type { ExplainOptions } from './explain-object.ts';
import { markdownText } from './markdown.ts';
import { rulePage } from './rule-pages.ts';
import type { Terminal } from './terminal.ts';

/** Returns the exit code. Rejects with an OperatorError PC0001 for an unknown rule or object. */
export async function explain(target: string, paths: readonly string[], options: ExplainOptions, terminal: Terminal): Promise<number> {
  if (target === 'flow') return (await import('./explain-flow.ts')).explainFlow(paths, options, terminal);
  if (target.includes('/')) return (await import('./explain-object.ts')).explainObject(target, paths, options, terminal);
  if (paths.length > 0)
    throw new OperatorError('PC0001', `too many arguments after ${display(target, 80)}`, 'Files go with ingress/NAME or service/NAME.');
  return explainRule(target, terminal);
}

function explainRule(id: string, terminal: Terminal): 0 {
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
