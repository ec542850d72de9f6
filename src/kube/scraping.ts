/**
 * Annotations by which Pods and Services ask to be scraped. Prometheus itself knows nothing of them: the scrape configuration of
 * the community's Helm chart reads them (charts/prometheus/values.yaml of prometheus-community/helm-charts, read on 2026-11-21:
 * jobs kubernetes-pods and kubernetes-service-endpoints), and most that were written by hand after it.
 */
import type { RawObject } from './resources.ts';

const scrape = 'prometheus.io/scrape';
const port = 'prometheus.io/port';

export const scrapeAnnotations: readonly string[] = [scrape, port];

/** Undefined where nothing asks for it, or not on which port. */
export function scrapePortOf(annotations: RawObject): number | undefined {
  const isAsked = Object.hasOwn(annotations, scrape) && annotations[scrape] === 'true' && Object.hasOwn(annotations, port);
  const number = isAsked ? Number(annotations[port]) : 0;
  return Number.isInteger(number) && number > 0 && number < 65_536 ? number : undefined;
}
