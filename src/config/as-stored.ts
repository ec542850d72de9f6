import type { ClusterView } from '../cluster/view.ts';
import { labelsOf } from '../kube/labels.ts';
import type { JudgedResource, Labels } from '../kube/resources.ts';
import type { BoundSettings, WriteContext } from './bind.ts';
import type { Configuration } from './settings.ts';

/** None, where the view does not hold the namespace. */
export const namespaceLabelsIn = (view: ClusterView, namespace: string): Labels =>
  view.get('Namespace', '', namespace)?.metadata.labels ?? labelsOf({});

/** Binds to an object as it stands in the view, with nobody writing. */
export const asStored =
  (configuration: Pick<Configuration, 'bind'>, view: ClusterView, circumstances: Pick<WriteContext, 'now' | 'offline'>) =>
  (object: JudgedResource): BoundSettings =>
    configuration.bind({
      object,
      operation: 'CREATE',
      namespaceLabels: namespaceLabelsIn(view, object.metadata.namespace),
      ...circumstances,
    });
