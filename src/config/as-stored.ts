import { namespaceLabelsIn } from '../cluster/namespace-choice.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { JudgedResource } from '../kube/resources.ts';
import type { BoundSettings, WriteContext } from './bind.ts';
import type { Configuration } from './settings.ts';

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
