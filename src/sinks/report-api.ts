/** Which report APIs the cluster serves, what of ours they hold, and where. */
import type { KubeClient } from '../client/kube-client.ts';
import { objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { managedBy, type ReportForm } from '../reports/policy-report.ts';
import { choosableForms, type ReportChoice } from './report-choice.ts';
import { inTime, isStatus } from './write-queue.ts';

export interface Served {
  readonly form: ReportForm;
  /** Served, but another one is written to: what it holds of ours is from before. */
  readonly isChosen: boolean;
}

/** In the order of preference. Throws as `KubeClient.get` does. */
export async function servedForms(client: Pick<KubeClient, 'get'>, choice: ReportChoice, signal: AbortSignal): Promise<readonly Served[]> {
  const served: ReportForm[] = [];
  for (const form of choosableForms[choice]) if (await isServed(client, form, signal)) served.push(form);
  return served.map((form, index) => ({ form, isChosen: choice !== 'auto' || index === 0 }));
}

async function isServed(client: Pick<KubeClient, 'get'>, form: ReportForm, signal: AbortSignal): Promise<boolean> {
  try {
    const resources = objectsAt(await client.get(`/apis/${form.apiVersion}`, inTime(signal)), 'resources').map((one) =>
      stringAt(one, 'name'),
    );
    return resources.includes(form.resource) && resources.includes(form.clusterResource);
  } catch (error) {
    if (isStatus(error, 404)) return false;
    throw error;
  }
}

/** `shop/<uid of the object>`, and `/portcullis` for the report of the cluster. */
export const reportKey = (namespace: string, name: string): string => `${namespace}/${name}`;

export function addressOf({ apiVersion, resource, clusterResource }: ReportForm, key: string): string {
  const [namespace = '', name = ''] = key.split('/').map(encodeURIComponent);
  const where = namespace === '' ? clusterResource : `namespaces/${namespace}/${resource}`;
  return `/apis/${apiVersion}/${where}/${name}`;
}

/** Name the metadata of an object, and those of a list, alone. */
export const metadataOfOne = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
export const metadataOfList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** Read between reviews: 100 reports are parsed in two milliseconds. */
const pageSize = 100;

/** All reports that are ours, page by page, those of the cluster too. */
export async function* ourReports(
  client: Pick<KubeClient, 'get'>,
  { apiVersion, resource, clusterResource }: ReportForm,
  signal: AbortSignal,
  accept?: string,
): AsyncGenerator<RawObject> {
  const selector = encodeURIComponent(`${managedBy.key}=${managedBy.value}`);
  for (const plural of [resource, clusterResource]) {
    let next = '';
    do {
      const query = `limit=${pageSize}&labelSelector=${selector}${next && `&continue=${encodeURIComponent(next)}`}`;
      const page = await client.get(`/apis/${apiVersion}/${plural}?${query}`, inTime(signal), accept);
      yield* objectsAt(page, 'items');
      next = stringAt(objectAt(page, 'metadata'), 'continue') ?? '';
    } while (next !== '');
  }
}
