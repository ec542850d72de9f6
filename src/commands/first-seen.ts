/** Since when the reports that stand in a cluster know a defect. */
import { type KubeClient, KubeError } from '../client/kube-client.ts';
import { objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { ourReports, servedForms } from '../sinks/report-api.ts';

export interface Sighting {
  readonly ruleId: string;
  readonly messageId: string;
  readonly namespace: string;
  /** Epoch milliseconds. */
  readonly firstSeen: number;
}

/** None where reports are not served, or may not be read: they only add a date. */
export async function sightingsIn(client: Pick<KubeClient, 'get'>, signal: AbortSignal): Promise<readonly Sighting[]> {
  const sightings: Sighting[] = [];
  try {
    const form = (await servedForms(client, 'auto', signal)).find(({ isChosen }) => isChosen)?.form;
    if (form === undefined) return [];
    for await (const report of ourReports(client, form, signal)) sightings.push(...sightingsOf(report));
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
  }
  return sightings;
}

function sightingsOf(report: RawObject): readonly Sighting[] {
  const namespace = stringAt(objectAt(report, 'metadata'), 'namespace') ?? '';
  return objectsAt(report, 'results').flatMap((result) => {
    const properties = objectAt(result, 'properties');
    const [ruleId, messageId] = [stringAt(result, 'policy'), stringAt(result, 'rule')];
    const firstSeen = Date.parse(stringAt(properties, 'firstSeen') ?? '');
    const isExempt = stringAt(properties, 'mode') === 'exempt';
    return ruleId === undefined || messageId === undefined || Number.isNaN(firstSeen) || isExempt
      ? []
      : [{ ruleId, messageId, namespace, firstSeen }];
  });
}
