/** A CA and a leaf of our own making, in memory alone: for a `serve` that is given neither certificate files nor a Secret. */
import { type Clock, systemClock } from '../client/clock.ts';
import { rounds } from '../client/rounds.ts';
import { lifetimes, makeAuthority, signLeaf } from './authority.ts';
import type { CertificateSource, ServingCertificate } from './keypair.ts';
import { readCertificate } from './pem.ts';
import {
  type AuthorityState,
  type Bundles,
  needsLeaf,
  nextStep,
  type RotationTimes,
  type Served,
  type Surroundings,
  trustedIn,
  withMade,
} from './renewal.ts';

export interface SelfSigned extends CertificateSource {
  /** What a client has to trust, in PEM: a new authority stands here a day before it signs. */
  ca(): string;
}

export interface SelfSignedOptions {
  /** DNS names and IP addresses, beside those of this machine. */
  readonly names: readonly string[];
  /** What a client has to trust is another now. */
  readonly onAuthority?: (ca: string) => void;
  readonly clock?: Clock;
}

/** The clock on the wall is looked at each minute: a machine may have slept. */
const lookMs = 60_000;
const dayMs = 24 * 60 * 60 * 1000;
/** Nobody else writes here, so there is nothing to wait for but the overlap. */
const times: RotationTimes = { ...lifetimes, overlapMs: dayMs, steadyMs: 0, settleMs: 0 };
/** Whom to tell of an authority is not known here. */
const nobody: Bundles = [];

export async function selfSigned({ names, onAuthority, clock = systemClock }: SelfSignedOptions): Promise<SelfSigned> {
  const all = ['localhost', '127.0.0.1', '::1', ...names];
  const listeners: ((certificate: ServingCertificate) => void)[] = [];
  let made = await renewed({ authorities: { previous: [] } }, all, clock.wallNow());
  const renewal = rounds(clock, async () => {
    const before = made;
    made = await renewed(before, all, clock.wallNow());
    if (caOf(made) !== caOf(before)) onAuthority?.(caOf(made));
    if (made.serving !== before.serving) for (const listener of listeners) listener(made.serving);
    return lookMs;
  });
  return {
    ca: () => caOf(made),
    current: () => made.serving,
    onChange: (listener) => void listeners.push(listener),
    close: () => renewal.close(),
  };
}

interface Made {
  readonly authorities: AuthorityState;
  readonly leaf: Served;
  readonly serving: ServingCertificate;
}

/** All that is to be made now, from what there is. */
async function renewed(before: Made | Pick<Made, 'authorities'>, names: readonly string[], nowMs: number): Promise<Made> {
  const around = { nowMs, unchangedMs: 0, trustedMs: 0, times };
  const authorities = await stepped(before.authorities, around);
  const { current } = authorities;
  if (current === undefined) throw new Error('no authority was made');
  if ('leaf' in before && !needsLeaf(before.leaf, current, nobody, around)) return { ...before, authorities };
  const pair = await signLeaf(current, names, nowMs);
  const certificate = readCertificate(pair.cert);
  return {
    authorities,
    leaf: { ...certificate, issuer: current.id },
    serving: { ...pair, notAfter: certificate.notAfter, caNotAfter: current.notAfter },
  };
}

async function stepped(before: AuthorityState, around: Surroundings): Promise<AuthorityState> {
  let state = before;
  for (let step = nextStep(state, nobody, around); step?.do === 'store'; step = nextStep(state, nobody, around))
    state = await withMade(step.state, () => makeAuthority(around.nowMs));
  return state;
}

/** In an order that stays the same while they change their parts. */
const caOf = ({ authorities }: Made): string =>
  trustedIn(authorities)
    .toSorted((a, b) => a.notBefore - b.notBefore)
    .map(({ pem }) => pem)
    .join('');
