/** Whether API servers can verify what we serve, by what the webhook configuration was seen to say. */
import { type Clock, systemClock } from '../client/clock.ts';
import { Complaint, rounds } from '../client/rounds.ts';
import { type CaBundles, callMs, type Entry, forbidden, type LiveConfiguration } from './ca-bundle.ts';
import { type Certificate, chainsTo, readCertificate } from './pem.ts';

/** How often the live objects are read, in milliseconds: until we are ready, and then. */
export const readingPace: ReadingPace = { untilReadyMs: 1_000, readyMs: 10_000 };

export interface ReadingPace {
  readonly untilReadyMs: number;
  readonly readyMs: number;
}

/** Until the next reading: not all replicas at once. */
export const waitMs = ({ untilReadyMs, readyMs }: ReadingPace, isReady: boolean, clock: Clock): number =>
  (isReady ? readyMs : untilReadyMs) * (0.8 + 0.2 * clock.random());

interface Verdict {
  readonly chain: string;
  readonly live: LiveConfiguration;
  readonly minute: number;
}

/** The webhook configuration as it was last read. A reading that fails changes nothing. */
export class Trust {
  private live: LiveConfiguration | undefined;
  private upToDateAt = 0;
  /** The latest answer, and what it was about: signatures are not verified anew for each probe. */
  private verdict: (Verdict & { readonly lacks: readonly string[] }) | undefined;
  private readonly name: string;
  private readonly clock: Clock;
  private readonly goodForMs: number;

  /** `goodForMs`: who has not been up to date for so long cannot know whether the API servers still trust us. */
  constructor(name: string, clock: Clock, goodForMs = Number.POSITIVE_INFINITY) {
    this.name = name;
    this.clock = clock;
    this.goodForMs = goodForMs;
  }

  saw(live: LiveConfiguration): void {
    this.live = live;
  }

  /** Now, all is known that says for how long it is good. */
  isUpToDate(): void {
    this.upToDateAt = this.clock.now();
  }

  /** What stands between this chain and its verification by the API servers, in words; nothing, if nobody calls us. */
  lacks(chain: string): readonly string[] {
    if (this.live === undefined) return [`the webhook configuration ${this.name} has not been read yet`];
    if (this.clock.now() - this.upToDateAt > this.goodForMs)
      return ['what the API servers trust could not be read for too long: the certificate may be out of use'];
    const minute = Math.floor(this.clock.wallNow() / 60_000);
    const { verdict } = this;
    if (verdict?.chain === chain && verdict.live === this.live && verdict.minute === minute) return verdict.lacks;
    const lacks = untrusted(chain, this.live, this.clock.wallNow());
    this.verdict = { chain, live: this.live, minute, lacks };
    return lacks;
  }
}

function untrusted(chain: string, { entries }: LiveConfiguration, nowMs: number): readonly string[] {
  const leaf = readCertificate(chain);
  const bundles = new Set(entries.map(({ trusted }) => trusted));
  const good = new Set([...bundles].filter((trusted) => chainsTo(chain, trusted, nowMs)));
  return entries.flatMap((entry) => problemsWith(leaf, entry, good.has(entry.trusted)));
}

function problemsWith({ x509 }: Certificate, { name, trusted, called }: Entry, chains: boolean): readonly string[] {
  const entry = `entry ${name} of the webhook configuration`;
  // Without a bundle the API server takes the authorities of its machine, which no Service's certificate is of.
  if (trusted.length === 0) return [`${entry} has no caBundle`];
  if (called !== undefined && x509.checkHost(called, { subject: 'never' }) === undefined)
    return [`the certificate is not for ${called}, by which ${entry} calls`];
  return chains ? [] : [`the certificate does not chain to the caBundle of ${entry}`];
}

export interface TrustWatch {
  lacks(chain: string): readonly string[];
  close(): Promise<void>;
}

export interface TrustWatchOptions {
  readonly bundles: CaBundles;
  /** The chain that is served. */
  readonly served: () => string;
  /** Why it cannot be read: once, until the reason is another. */
  readonly onProblem: (problem: Error) => void;
  readonly clock?: Clock;
  readonly pace?: ReadingPace;
}

/** Reads the configuration again and again, and never writes: for certificates that others take care of. */
export function watchTrust({ bundles, served, onProblem, clock = systemClock, pace = readingPace }: TrustWatchOptions): TrustWatch {
  const trust = new Trust(bundles.name, clock);
  const complaint = new Complaint(onProblem);
  const reading = rounds(clock, async (signal) => {
    try {
      const live = await bundles.read(AbortSignal.any([signal, AbortSignal.timeout(callMs)]));
      trust.saw(live);
      if (live.state === 'forbidden') complaint.is(forbidden(bundles.name));
      else complaint.isOver();
    } catch (error) {
      if (!signal.aborted) complaint.is(error as Error);
    }
    return waitMs(pace, trust.lacks(served()).length === 0, clock);
  });
  return { lacks: (chain) => trust.lacks(chain), close: () => reading.close() };
}
