/** Which report APIs the cluster serves, what of ours they hold, and where. */
import { type KubeClient, TooLargeError } from '../client/kube-client.ts';
import { addressOf } from '../kube/address.ts';
import { objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { clusterReportName } from '../reports/cluster-report.ts';
import { managedBy, type ReportForm } from '../reports/policy-report.ts';
import { choosableForms, type ReportChoice } from './report-choice.ts';
import { ownerOf } from './stored-report.ts';
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
export const clusterKey = reportKey('', clusterReportName);

export const keyOf = (report: RawObject): string => {
  const metadata = objectAt(report, 'metadata');
  return reportKey(stringAt(metadata, 'namespace') ?? '', stringAt(metadata, 'name') ?? '');
};

export function reportAddress({ apiVersion, resource, clusterResource }: ReportForm, key: string): string {
  const [namespace = '', name = ''] = key.split('/');
  return addressOf(apiVersion, namespace === '' ? clusterResource : resource, namespace, name);
}

/** Name the metadata of an object, and those of a list, alone. */
export const metadataOfOne = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const metadataOfList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** Read between reviews: 100 reports are parsed in two milliseconds. */
const pageSize = 100;
/** A hundred reports of ours are smaller, unless most are of the largest. */
const mostBytesOfPage = 4 * 1024 * 1024;
/** Where somebody has filled metadata: of each object etcd takes 1.5 MB. */
const smallPageSize = 2;
/** 51 results, each as long as they become, are smaller. */
const mostBytesOfReport = 1024 * 1024;

type Reader = Pick<KubeClient, 'get'>;

/** The metadata of all reports that are ours, page by page, those of the cluster too. */
export async function* ourMetadata(client: Reader, form: ReportForm, signal: AbortSignal): AsyncGenerator<RawObject> {
  for (const plural of [form.resource, form.clusterResource]) {
    let next: string | undefined = '';
    while (next !== undefined) {
      const page: RawObject = await metadataPage(client, pathOf(form, plural, next), signal);
      yield* objectsAt(page, 'items');
      next = nextOf(page);
    }
  }
}

/**
 * As `ourMetadata`, with all that stands in each. Whoever may write reports can label large ones as ours: where a page has too
 * many bytes, its reports are read one by one, and of one that is too large, or of no object, comes the metadata alone.
 */
export async function* ourReports(client: Reader, form: ReportForm, signal: AbortSignal): AsyncGenerator<RawObject> {
  for (const plural of [form.resource, form.clusterResource]) {
    let next: string | undefined = '';
    while (next !== undefined) {
      const path = pathOf(form, plural, next);
      const whole: RawObject | undefined = await unlessTooLarge(client.get(path(pageSize), inTime(signal), undefined, mostBytesOfPage));
      const page = whole ?? (await metadataPage(client, path, signal));
      for (const item of objectsAt(page, 'items')) yield whole === undefined ? await wholeOf(client, form, item, signal) : item;
      next = nextOf(page);
    }
  }
}

const pathOf =
  ({ apiVersion }: ReportForm, plural: string, next: string) =>
  (limit: number): string => {
    const selector = encodeURIComponent(`${managedBy.key}=${managedBy.value}`);
    return `/apis/${apiVersion}/${plural}?limit=${limit}&labelSelector=${selector}${next && `&continue=${encodeURIComponent(next)}`}`;
  };

const nextOf = (page: RawObject): string | undefined => stringAt(objectAt(page, 'metadata'), 'continue') || undefined;

async function metadataPage(client: Reader, path: (limit: number) => string, signal: AbortSignal): Promise<RawObject> {
  const page = await unlessTooLarge(client.get(path(pageSize), inTime(signal), metadataOfList, mostBytesOfPage));
  return page ?? client.get(path(smallPageSize), inTime(signal), metadataOfList);
}

async function wholeOf(client: Reader, form: ReportForm, item: RawObject, signal: AbortSignal): Promise<RawObject> {
  const key = keyOf(item);
  if (key !== clusterKey && ownerOf(item) === undefined) return item;
  const read = client.get(reportAddress(form, key), inTime(signal), undefined, mostBytesOfReport);
  const whole = await unlessTooLarge(read).catch((error: unknown) => {
    if (isStatus(error, 404)) return undefined;
    throw error;
  });
  return whole ?? item;
}

async function unlessTooLarge(read: Promise<RawObject>): Promise<RawObject | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof TooLargeError) return undefined;
    throw error;
  }
}
