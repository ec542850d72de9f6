/** `portcullis flows`: who may talk to whom, by NetworkPolicy alone. */
import { nearestWord } from '../cluster/near-miss.ts';
import { display } from '../kube/display.ts';
import { type FlowMap, flowMapOf } from '../picture/flow-map.ts';
import { flowReport } from '../picture/flow-report.ts';
import { flowsJson, flowsText } from '../reports/flows-text.ts';
import type { DrawnFlows } from './draw-flows.ts';
import { type FlowWorldOptions, flowWorld } from './flow-world.ts';
import { interruptible } from './interrupt.ts';
import type { Terminal } from './terminal.ts';

export const flowFormats = ['text', 'json', 'dot', 'mermaid', 'svg'] as const;

export interface FlowsOptions extends Omit<FlowWorldOptions, 'signal'> {
  readonly output: (typeof flowFormats)[number];
}

/**
 * Prints, and returns the exit code: 0; 2 where something may not be listed; 130 after Ctrl-C. Rejects with an OperatorError
 * where nothing can be read.
 */
export const flows = ({ output, ...options }: FlowsOptions, paths: readonly string[], terminal: Terminal): Promise<number> =>
  interruptible(async (signal) => {
    const { snapshot, source, notices, isBlind } = await flowWorld(paths, { ...options, signal }, terminal);
    const only = new Set(options.namespace ?? []);
    const isMeant = (namespace: string): boolean => only.size === 0 || only.has(namespace);
    const map = flowMapOf(snapshot, isMeant);
    for (const sentence of emptiness(map, source, only)) terminal.error(`${display(sentence)}\n`);
    if (output === 'text' || output === 'json') {
      const print = output === 'json' ? flowsJson : flowsText;
      terminal.out(print(flowReport(snapshot, map, isMeant), { source, notices, paint: terminal.paint }));
    } else {
      const { drawFlows } = await import('./draw-flows.ts');
      const drawn: DrawnFlows = await drawFlows(flowReport(snapshot, map, isMeant), output);
      terminal.out(drawn.text, 'document');
      for (const sentence of [...notices, ...drawn.omitted]) terminal.error(`${sentence}\n`);
    }
    return isBlind ? 2 : 0;
  });

/** An answer without a line may be taken for one that nothing is open. */
function emptiness({ sets }: FlowMap, source: string, only: ReadonlySet<string>): readonly string[] {
  const present = new Set(sets.map(({ namespace }) => namespace));
  if (present.size === 0) return [`There is no workload in ${source}: nothing can be told of who may talk to whom.`];
  return [...only]
    .filter((namespace) => !present.has(namespace))
    .map((namespace) => {
      const nearest = nearestWord(namespace, [...present]);
      return `There is no workload in namespace ${namespace}.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}`;
    });
}
