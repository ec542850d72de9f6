/** A label by which some backends can be told from others. */
import { isRunTimeLabel, labelsOf } from '../kube/labels.ts';
import type { Backend } from './backends.ts';
import { sharedLabels } from './near-miss.ts';
import type { ClusterView } from './view.ts';

export interface Label {
  readonly key: string;
  readonly value: string;
}

export const carries = ({ shapes }: Backend, { key, value }: Label): boolean => shapes.every(({ labels }) => labels[key] === value);

/** Labels that say of which part something is come first. */
const telling = ['app.kubernetes.io/component', 'app.kubernetes.io/name', 'app', 'component', 'k8s-app', 'app.kubernetes.io/instance'];

/** What tells a canary from the stable one: to leave it out of the selector is meant. */
const variants: ReadonlySet<string> = new Set(['track', 'version', 'stage', 'color', 'revision']);

/** A label that all of the own ones carry with one value, and none of the others. */
export function separating(own: readonly Backend[], others: readonly Backend[], view: ClusterView): Label | undefined {
  const labels = own[0]?.shapes[0]?.labels ?? labelsOf({});
  const rest = Object.keys(labels).filter((key) => !sharedLabels.has(key) && !isRunTimeLabel(key) && !variants.has(key));
  return [...telling, ...rest]
    .flatMap((key) => (labels[key] === undefined ? [] : [{ key, value: labels[key] }]))
    .find((label) => {
      const carriesIt = (one: Backend): boolean => {
        view.step();
        return carries(one, label);
      };
      return own.every(carriesIt) && others.every(({ shapes }) => shapes.every((one) => one.labels[label.key] !== label.value));
    });
}
