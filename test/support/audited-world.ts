/** A cluster in memory with an audit over it, for tests that move time by hand. */
import { type Auditor, startAuditor } from '../../src/audit/auditor.ts';
import type { AuditSink, Verdict } from '../../src/audit/verdict.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import type { Coverage, Found } from '../../src/cluster/view.ts';
import { type Configuration, parseConfiguration } from '../../src/config/settings.ts';
import { normalize } from '../../src/kube/normalize.ts';
import { type Collection, formatRef, type ObjectRef, type RawObject, type Resource } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { FakeClock } from './fake-clock.ts';
import { complete } from './objects.ts';

export const configurationOf = (file: RawObject = {}): Configuration =>
  parseConfiguration({ apiVersion: 'portcullis.dev/v1', ...file }, rules);

/** What is told, in words: `Service shop/web: service-selector-matches-no-pods warn`. */
const lineOf = ({ object, findings, exempted, faults }: Verdict): string => {
  const said = [
    ...findings.map(({ finding, mode }) => `${finding.ruleId} ${mode}`),
    ...exempted.map(({ finding, reason }) => `${finding.ruleId} exempt: ${reason}`),
    ...faults.map(({ ruleId }) => `${ruleId} failed`),
  ];
  return `${formatRef({ ...object, ...object.metadata })}: ${said.join(', ') || 'clean'}`;
};

const wordsOf = ({ findings, pending, exempted, faults }: Verdict): string =>
  JSON.stringify([
    pending.map(({ finding }) => finding.fingerprint),
    findings.map(({ finding: { fingerprint, what, why, fix }, mode }) => [fingerprint, mode, what, why, fix.text]),
    exempted.map(({ finding, reason }) => [finding.fingerprint, reason]),
    faults.map(({ ruleId }) => ruleId),
  ]);

export class AuditedWorld {
  readonly clock = new FakeClock(Date.UTC(2026, 10, 21));
  /** What the sink was told, in order; a first word that nothing is wrong with an object left out. */
  readonly told: string[] = [];
  readonly passes: number[] = [];
  /** What the last pass said of the configuration's exemptions. */
  entries: readonly string[] = [];
  /** What was said of each pass over everything. */
  readonly full: string[] = [];
  readonly errors: string[] = [];
  readonly verdicts = new Map<string, Verdict>();
  configuration = configurationOf();
  leads = true;
  synced = true;
  staleMs = 0;
  coverage: (collection: Collection) => Coverage = () => 'complete';
  /** By `Secret namespace/name`; what is not in it is absent. */
  readonly secrets = new Map<string, Found>();
  reads = 0;
  snapshot = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' });
  private term = new AbortController();
  private auditor: Auditor | undefined;
  private uids = 0;

  start(): this {
    const sink: AuditSink = {
      begin: () => this.verdicts.clear(),
      tell: (verdict) => this.hear(verdict),
      passed: (uids, entries = []) => {
        this.passes.push(uids.size);
        this.entries = entries.map(({ path, is }) => `${path} ${is}`);
      },
      close: async () => {},
    };
    this.auditor = startAuditor({
      source: { current: () => this.current(), hasSynced: () => this.synced, readByName: (refs) => this.read(refs) },
      configuration: () => this.configuration,
      leadership: { leads: () => this.leads, term: () => this.term.signal },
      sink,
      intervalMs: 600_000,
      onPass: ({ isFirst, changes, objects }) => this.full.push(`${isFirst ? 'first, ' : ''}${objects} objects, ${changes} changes`),
      onError: (error) => this.errors.push(error.message),
      clock: this.clock,
    });
    return this;
  }

  get open(): readonly (readonly [string, string, number, string])[] {
    return [...(this.auditor?.openFindings() ?? [])];
  }

  close(): Promise<void> {
    return this.auditor?.close() ?? Promise.resolve();
  }

  /** Applied by somebody now: objects that rules judge get a uid and a time as the API server gives them. */
  apply(...objects: readonly RawObject[]): void {
    this.snapshot = this.snapshot.with(objects.flatMap((one) => this.stored(one) ?? []));
  }

  remove(...objects: readonly RawObject[]): void {
    this.snapshot = this.snapshot.without(objects.flatMap((one) => this.stored(one) ?? []));
  }

  /** Another replica leads from now on, which knows nothing: it is this one, anew. */
  changeLeader(): void {
    this.term.abort();
    this.term = new AbortController();
  }

  private hear(verdict: Verdict): void {
    const uid = verdict.object.metadata.uid ?? '';
    const line = lineOf(verdict);
    const before = this.verdicts.get(uid);
    if (before !== undefined && wordsOf(before) === wordsOf(verdict)) this.errors.push(`told twice: ${line}`);
    const isNews = before === undefined ? !line.endsWith(': clean') : line !== lineOf(before);
    this.verdicts.set(uid, verdict);
    if (isNews) this.told.push(line);
  }

  /** As it is known now. */
  current(): ClusterSnapshot {
    return this.snapshot.knowing({
      observedAt: this.clock.wallNow(),
      coverage: (collection) => (collection === 'Secret' ? 'forbidden' : this.coverage(collection)),
      staleMs: () => this.staleMs,
    });
  }

  private async read(refs: readonly ObjectRef[]): Promise<ReadonlyMap<string, Found>> {
    this.reads += refs.length;
    return new Map(refs.map((ref) => [formatRef(ref), this.secrets.get(formatRef(ref)) ?? 'absent']));
  }

  /** Undefined for what rules do not see: a Pod that has ended. */
  private stored(partial: RawObject): Resource | undefined {
    const raw = complete(partial) as RawObject & { readonly metadata: RawObject & { readonly namespace: string; readonly name: string } };
    const { namespace, name } = raw.metadata;
    const before = ['Service', 'Ingress', 'NetworkPolicy'].find((kind) => kind === raw['kind']) as 'Service' | undefined;
    const uid = (before && this.snapshot.get(before, namespace, name)?.metadata.uid) ?? `uid-${++this.uids}`;
    const time = new Date(this.clock.wallNow()).toISOString();
    return normalize({ ...raw, metadata: { uid, creationTimestamp: time, ...raw.metadata } });
  }
}
