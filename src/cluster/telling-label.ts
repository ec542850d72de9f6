/** A label by which some backends can be told from others. */
import { isRunTimeLabel, labelsOf } from '../kube/labels.ts';
import { isForWatchers } from '../kube/ports.ts';
import type { ServicePort } from '../kube/resources.ts';
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

/** Pods that are there for those who watch others say so by their component, as exporters do. */
const isExporter = ({ shapes }: Backend): boolean =>
  shapes.every(({ labels }) => /(^|-)(metrics|exporter)$/.test(labels['app.kubernetes.io/component'] ?? labels['component'] ?? ''));

/** A Job's Pods end; one without ports says nothing, nor does one that declares its metrics only, unless it is there for them. */
export function saysWhatItServes(backend: Backend): boolean {
  const { ref, shapes } = backend;
  const isBatch = ref.kind === 'Job' || ref.kind === 'CronJob';
  return !isBatch && shapes.some(({ ports }) => ports.some((one) => isExporter(backend) || !isForWatchers(one)));
}

/** Metrics of a whole release are gathered through one Service; clients of several applications are not meant to be. */
export const isForClients = ({ shapes }: Backend, { name = '', targetPort }: ServicePort): boolean =>
  !isForWatchers({ name }) &&
  shapes.some(({ ports }) => ports.some((one) => (one.containerPort === targetPort || one.name === targetPort) && !isForWatchers(one)));

/** Under which Pods carry what their application is called. */
const applicationKeys = ['app.kubernetes.io/name', 'app', 'k8s-app'];
const mostApplications = 10;

/**
 * Of which applications the backends are, with the label that says so: where all carry it, and with names that have no part in
 * common. `web` and `web-canary`, or `db-primary` and `db-replica`, are one application to those who put a Service before both.
 */
export function applicationsOf(backends: readonly Backend[], view: ClusterView): readonly Label[] {
  for (const key of applicationKeys) {
    const values = new Set<string>();
    const all = backends.every(({ shapes }) => {
      view.step();
      return shapes.every(({ labels }) => labels[key] !== undefined && values.add(labels[key]));
    });
    if (all && values.size > mostApplications) return []; // who has so many behind one Service means them all
    if (all && values.size > 1) return haveNothingInCommon([...values]) ? Array.from(values, (value) => ({ key, value })) : [];
  }
  return [];
}

function haveNothingInCommon(names: readonly string[]): boolean {
  const parts = names.flatMap((name) => [...new Set(name.toLowerCase().split(/[^a-z]+/))]);
  return (
    !parts.includes('') &&
    new Set(parts).size === parts.length &&
    !parts.some((part) => parts.some((other) => other !== part && other.includes(part)))
  );
}
