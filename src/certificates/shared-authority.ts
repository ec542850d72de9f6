/**
 * Serving certificates of an authority of our own, which all replicas share by a Secret. The leader alone writes, the Secret
 * and the bundles; each replica signs its own leaf, and keeps it and its key in memory.
 */
import { type Clock, systemClock } from '../client/clock.ts';
import type { Leadership } from '../client/leader-election.ts';
import { Complaint, type Rounds, rounds } from '../client/rounds.ts';
import { OperatorError } from '../errors.ts';
import { type Authority, lifetimes, makeAuthority, signLeaf } from './authority.ts';
import { type CaBundles, callMs, forbidden, type LiveConfiguration } from './ca-bundle.ts';
import type { CertificateSource, ServingCertificate } from './keypair.ts';
import { type Certificate, isValid, readCertificate } from './pem.ts';
import {
  type AuthorityState,
  type Bundles,
  type Change,
  isTrusted,
  needsLeaf,
  nextStep,
  type RotationTimes,
  type Served,
  type Step,
  type Surroundings,
  trustedIn,
  withMade,
} from './renewal.ts';
import { isConflict, type SecretStore, type StoredState } from './secret-store.ts';
import { type ReadingPace, readingPace, Trust, waitMs } from './trust.ts';

const hourMs = 60 * 60 * 1000;

export const rotationTimes: RotationTimes = { ...lifetimes, overlapMs: 24 * hourMs, steadyMs: 120_000, settleMs: 30_000 };

export interface SharedAuthorityOptions {
  readonly store: SecretStore;
  readonly bundles: CaBundles;
  /** Of the leaf. */
  readonly names: readonly string[];
  readonly leadership: Pick<Leadership, 'leads' | 'term'>;
  /** The Secret was written. */
  readonly onStored: (change: Change) => void;
  /** The bundles were written, with so many authorities each. */
  readonly onPublished: (authorities: number) => void;
  /** Why it does not go on: once, until the reason is another. */
  readonly onProblem: (problem: Error) => void;
  readonly times?: RotationTimes;
  readonly pace?: ReadingPace;
  readonly clock?: Clock;
}

/** One after the other without a wait: from an empty Secret to bundles that are in place it takes three. */
const mostStepsAtOnce = 6;

/** Reads nothing and writes nothing before `start`; until then, and until it has a leaf, it serves what nobody trusts. */
export async function sharedAuthority(options: SharedAuthorityOptions): Promise<SharedAuthority> {
  const nowMs = (options.clock ?? systemClock).wallNow();
  const pair = await signLeaf(await makeAuthority(nowMs), options.names, nowMs);
  return new SharedAuthority(options, { ...pair, notAfter: readCertificate(pair.cert).notAfter });
}

export class SharedAuthority implements CertificateSource {
  private readonly options: SharedAuthorityOptions;
  private readonly times: RotationTimes;
  private readonly clock: Clock;
  private readonly trust: Trust;
  private readonly complaint: Complaint;
  private readonly listeners: ((certificate: ServingCertificate) => void)[] = [];
  private running: Rounds | undefined;
  private serving: ServingCertificate;
  private leaf: Served | undefined;
  /** As it was last read: it signs on while no API server answers. */
  private authority: Authority | undefined;
  /** What was seen in Secret and bundles, and since when. */
  private seen = { what: '', since: 0 };
  /** The authority that every entry was seen to trust, and since when. */
  private trusted = { id: '', since: 0 };
  /** What was in the Secret while there was an authority in it: leaves of these may be in use. */
  private known: readonly Certificate[] = [];
  private stepsAtOnce = 0;
  private problem = 'its authority has not been read yet';

  constructor(options: SharedAuthorityOptions, untrusted: ServingCertificate) {
    const { times = rotationTimes, clock = systemClock, bundles, onProblem } = options;
    this.options = options;
    this.times = times;
    this.clock = clock;
    this.serving = untrusted;
    // Nothing that was trusted at the last reading is withdrawn before the overlap is over.
    this.trust = new Trust(bundles.name, clock, times.overlapMs / 2);
    this.complaint = new Complaint((problem) => onProblem(problem));
  }

  start(): void {
    const { pace = readingPace } = this.options;
    this.running = rounds(this.clock, async (signal) =>
      (await this.round(signal)) ? 0 : waitMs(pace, this.lacks().length === 0, this.clock),
    );
  }

  current(): ServingCertificate {
    return this.serving;
  }

  onChange(listener: (certificate: ServingCertificate) => void): void {
    this.listeners.push(listener);
  }

  lacks(): readonly string[] {
    return this.leaf === undefined ? [`there is no certificate yet: ${this.problem}`] : this.trust.lacks(this.serving.cert);
  }

  async close(): Promise<void> {
    await this.running?.close();
  }

  /** Reads all, and does one thing that is to be done. Whether there may be more to do at once. Never throws. */
  async round(stop: AbortSignal): Promise<boolean> {
    try {
      const isDone = await this.attempt(stop);
      this.stepsAtOnce = isDone ? this.stepsAtOnce + 1 : 0;
      return isDone && this.stepsAtOnce < mostStepsAtOnce;
    } catch (error) {
      await this.survive();
      if (!stop.aborted && !isConflict(error)) this.complain(error as Error);
      return false;
    }
  }

  private async attempt(stop: AbortSignal): Promise<boolean> {
    const { store, bundles } = this.options;
    // In this order: what is then published with this version of the configuration is at least as new as what stands in it.
    const live = await bundles.read(within(stop));
    this.trust.saw(live);
    const stored = await store.read(within(stop)).catch((error: unknown) => {
      // Without the Secret nobody can withdraw anything.
      if (error instanceof OperatorError) this.trust.isUpToDate();
      throw error;
    });
    this.trust.isUpToDate();
    this.notice(
      stored.state,
      live.entries.map(({ trusted }) => trusted),
    );
    await this.serveWell(live.entries.map(({ trusted }) => trusted));
    const isDone = await this.lead(stored, live, stop);
    this.explain(live);
    return isDone;
  }

  /** Without an answer of the API server, with what we know. */
  private async survive(): Promise<void> {
    try {
      await this.serveWell(undefined);
    } catch (error) {
      this.complain(error as Error);
    }
  }

  private notice(state: AuthorityState, bundles: Bundles): void {
    const { current, nextSince, previousSince } = state;
    const since = this.clock.now();
    const ids = [trustedIn(state), ...bundles].map((certificates) => certificates.map(({ id }) => id));
    const what = JSON.stringify([ids, nextSince, previousSince]);
    if (what !== this.seen.what) this.seen = { what, since };
    if (current === undefined) return;
    this.authority = current;
    this.known = trustedIn(state);
    const id = isTrusted(current, bundles) ? current.id : '';
    if (id !== this.trusted.id) this.trusted = { id, since };
    // Who comes late need not wait: the leader has seen it for long.
    const { overlapMs, settleMs } = this.times;
    if (previousSince !== undefined && this.clock.wallNow() - previousSince >= overlapMs / 4)
      this.trusted = { id, since: since - settleMs };
  }

  private async serveWell(bundles: Bundles | undefined): Promise<void> {
    const { authority } = this;
    if (authority === undefined) return;
    const trustedMs = this.trusted.id === authority.id ? this.clock.now() - this.trusted.since : 0;
    const around = { ...this.around(), trustedMs };
    if (!needsLeaf(this.leaf, authority, bundles, around)) return;
    const pair = await signLeaf(authority, this.options.names, around.nowMs, this.times);
    const certificate = readCertificate(pair.cert);
    this.leaf = { ...certificate, issuer: authority.id };
    this.serving = { ...pair, notAfter: certificate.notAfter, caNotAfter: authority.notAfter };
    for (const listener of this.listeners) listener(this.serving);
  }

  private async lead(stored: StoredState, live: LiveConfiguration, stop: AbortSignal): Promise<boolean> {
    const { leadership } = this.options;
    if (!leadership.leads()) return false;
    const around = this.around();
    const { current } = stored.state;
    // Who may not see the bundles may not write them either: whoever cares for them has to know the authority for long.
    if (live.state === 'forbidden' && current !== undefined && isValid(current, around.nowMs)) return false;
    const bundles = live.entries.map(({ trusted }) => trusted);
    const state = current === undefined ? { ...stored.state, previous: [...stored.state.previous, ...this.known] } : stored.state;
    const step = nextStep(state, bundles, around);
    if (step === undefined) return false;
    await this.perform(step, stored, live, AbortSignal.any([within(stop), leadership.term()]));
    return true;
  }

  private async perform(step: Step, stored: StoredState, live: LiveConfiguration, signal: AbortSignal): Promise<void> {
    const { store, bundles, onStored, onPublished } = this.options;
    if (step.do === 'store') {
      // From these bundles is known what goes on being trusted, which nothing else may tell any more.
      if (step.change === 'created' && live.state === 'present') await bundles.confirm(live, signal);
      await store.write(stored, await withMade(step.state, () => makeAuthority(this.clock.wallNow(), this.times)), signal);
      onStored(step.change);
      return;
    }
    await bundles.publish(live, step.trusted, signal);
    onPublished(step.trusted.length);
  }

  private around(): Surroundings {
    return { nowMs: this.clock.wallNow(), unchangedMs: this.clock.now() - this.seen.since, times: this.times };
  }

  private explain({ state }: LiveConfiguration): void {
    if (state === 'forbidden') this.complaint.is(forbidden(this.options.bundles.name));
    else this.complaint.isOver();
    const isKnown = this.authority !== undefined;
    this.problem = isKnown ? 'its authority is not in the caBundle of every entry' : 'the leader has not made its authority yet';
  }

  private complain(error: Error): void {
    this.problem = error.message;
    this.complaint.is(error);
  }
}

const within = (stop: AbortSignal): AbortSignal => AbortSignal.any([stop, AbortSignal.timeout(callMs)]);
