/**
 * Replicas that share an authority, on objects in memory, where a test decides who goes on when: each call to the API
 * waits until it is let through, fails before or after it has had its effect, or is forgotten by a process that has died
 * and takes effect later.
 */

import { serviceNames } from '../../src/certificates/authority.ts';
import { caBundles } from '../../src/certificates/ca-bundle.ts';
import { certificatesIn, chainsTo, readCertificate } from '../../src/certificates/pem.ts';
import type { RotationTimes } from '../../src/certificates/renewal.ts';
import { secretStore } from '../../src/certificates/secret-store.ts';
import { type SharedAuthority, sharedAuthority } from '../../src/certificates/shared-authority.ts';
import type { Clock } from '../../src/client/clock.ts';
import { type KubeClient, KubeError } from '../../src/client/kube-client.ts';
import { objectAt, objectsAt, stringAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { FakeObjects, type Way } from './fake-objects.ts';

export const secretPath = '/api/v1/namespaces/portcullis/secrets/portcullis-ca';
export const configurationPath = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/portcullis';
const entryNames = ['validate.portcullis.dev', 'system.portcullis.dev', 'delete.portcullis.dev'] as const;

/** As the chart makes them. */
export const emptySecret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'portcullis-ca', namespace: 'portcullis' } };
export const bareConfiguration = {
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'portcullis' },
  webhooks: entryNames.map((name) => ({ name, clientConfig: { service: { name: 'portcullis', namespace: 'portcullis' } } })),
};

interface Waiting {
  readonly replica: Replica;
  readonly process: Process;
  readonly method: string;
  readonly since: number;
  readonly perform: () => RawObject;
  readonly stale: () => RawObject;
  readonly settle: (answer: () => RawObject) => void;
}

/** One start of a replica. */
interface Process {
  readonly authority: SharedAuthority;
  isComputing: boolean;
  isInRound: boolean;
  /** The version of the configuration that it knows. */
  readVersion: number;
  firstLeafAt: number;
}

export interface Replica {
  readonly index: number;
  readonly rate: number;
  readonly skewMs: number;
  process: Process;
  dueAt: number;
  cutUntil: number;
}

export class AuthorityWorld {
  readonly objects = new FakeObjects();
  readonly replicas: Replica[] = [];
  readonly leaders = new Set<number>();
  readonly waiting: Waiting[] = [];
  /** Calls of processes that are gone, or that have given up: they may take effect yet. */
  readonly ghosts: Waiting[] = [];
  readonly stored: string[] = [];
  now: number;
  private readonly times: RotationTimes;
  private readonly paceMs: number;
  /** The version at which somebody else last changed the bundles, and until when that was not healed. */
  private editedVersion = 0;
  private spoiledUntil = 0;
  private views: { until: number; readonly entries: readonly string[]; readonly text: string }[] = [];

  constructor(times: RotationTimes, paceMs: number, startMs: number) {
    this.times = times;
    this.paceMs = paceMs;
    this.now = startMs;
    this.objects.set(secretPath, emptySecret);
    this.objects.set(configurationPath, bareConfiguration);
  }

  async add(rate: number, skewMs: number): Promise<void> {
    const replica = { index: this.replicas.length, rate, skewMs, dueAt: this.now, cutUntil: 0 } as Replica;
    this.replicas.push(replica);
    replica.process = await this.begin(replica);
  }

  /** Ends its process wherever it is, and starts another one. */
  async restart(replica: Replica): Promise<void> {
    for (const call of this.waiting.splice(0)) (call.replica === replica ? this.ghosts : this.waiting).push(call);
    replica.process = await this.begin(replica);
    replica.dueAt = this.now;
  }

  /** The bundles are changed by somebody else. */
  edit(change: (configuration: RawObject) => RawObject | undefined): void {
    const next = change(this.objects.get(configurationPath) ?? bareConfiguration);
    if (next === undefined) this.objects.delete(configurationPath);
    else this.objects.set(configurationPath, next);
    this.editedVersion = this.objects.version;
    this.spoiledUntil = Number.POSITIVE_INFINITY;
  }

  /** Begins the rounds that are due. */
  beginRounds(): void {
    for (const replica of this.replicas) {
      const { process } = replica;
      if (process.isInRound || replica.dueAt > this.now) continue;
      process.isInRound = true;
      process.isComputing = true;
      const isDone = process.authority.round(new AbortController().signal);
      void isDone.then((again) => {
        process.isComputing = false;
        process.isInRound = false;
        replica.dueAt = again ? this.now : this.now + (process.authority.lacks().length === 0 ? this.paceMs : 1_000);
      });
    }
  }

  /** Resolves when everybody waits for a call, or for its next round. */
  async settled(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.replicas.some(({ process }) => process.isComputing));
  }

  /** Lets one call go on: to its effect and back, to its effect alone, to neither, or into the past. */
  answer(call: Waiting, how: 'well' | 'unheard' | 'refused' | 'stale'): void {
    this.waiting.splice(this.waiting.indexOf(call), 1);
    const refusal = (): never => {
      throw new KubeError(503, 'ServiceUnavailable', how);
    };
    if (how === 'unheard') attempt(call.perform);
    if (how === 'unheard' || how === 'refused') call.settle(refusal);
    else call.settle(how === 'stale' && call.method === 'GET' ? call.stale : call.perform);
  }

  /** As a client that has waited for five seconds: it gives up, and the call may take effect all the same. */
  giveUp(): void {
    for (const call of this.waiting.filter(({ since }) => this.now - since > 5_000)) {
      this.answer(call, 'refused');
      this.ghosts.push(call);
    }
  }

  haunt(): void {
    const [ghost] = this.ghosts.splice(0, 1);
    if (ghost !== undefined && ghost.method !== 'GET') attempt(ghost.perform);
  }

  /** What others have done is healed: the next that they do may come. */
  isWhole(): boolean {
    const hasAuthority = Object.hasOwn(objectAt(this.objects.get(secretPath) ?? {}, 'data'), 'ca.crt');
    return hasAuthority && this.entries().length > 0 && Number.isFinite(this.spoiledUntil);
  }

  isReady({ process }: Replica): boolean {
    return process.authority.lacks().length === 0;
  }

  /** The promise of all this: who is ready is trusted by every entry, also by an API server that is a while behind. */
  violations(lagMs: number): readonly string[] {
    const entries = this.entries();
    this.see(entries, lagMs);
    if (this.replicas.every((replica) => this.isTrusted(replica, entries)) && this.spoiledUntil === Number.POSITIVE_INFINITY)
      this.spoiledUntil = this.now;
    return this.replicas.flatMap((replica) => {
      const { process, index } = replica;
      if (!this.isReady(replica) || process.readVersion < this.editedVersion) return [];
      const found = this.isTrusted(replica, entries) ? [] : [`replica ${index} is ready and not trusted`];
      if (this.now - this.spoiledUntil <= lagMs || this.now - process.firstLeafAt <= lagMs) return found;
      const views = this.views.filter(({ until }) => this.now - until <= lagMs);
      return views.every((view) => this.isTrusted(replica, view.entries))
        ? found
        : [...found, `replica ${index} is not trusted by an API server that lags`];
    });
  }

  /** Keeps what stood in the configuration at any time since `lagMs` ago. */
  private see(entries: readonly string[], lagMs: number): void {
    const last = this.views.at(-1);
    if (last?.text === entries.join()) return;
    if (last !== undefined) last.until = this.now;
    this.views.push({ until: Number.POSITIVE_INFINITY, entries, text: entries.join() });
    this.views = this.views.filter(({ until }) => this.now - until <= lagMs);
  }

  /** What all entries trust and the Secret holds, for messages. */
  describe(): string {
    const data = objectAt(this.objects.get(secretPath) ?? {}, 'data');
    const bundles = this.entries().map((pem) => certificatesIn(pem).length);
    return `Secret: ${Object.keys(data).join(' ')}; bundles: ${bundles.join(' ')}; ${this.stored.slice(-12).join(' ')}`;
  }

  entries(): readonly string[] {
    return objectsAt(this.objects.get(configurationPath) ?? {}, 'webhooks').map((entry) =>
      Buffer.from(stringAt(objectAt(entry, 'clientConfig'), 'caBundle') ?? '', 'base64').toString('utf8'),
    );
  }

  private isTrusted({ process }: Replica, entries: readonly string[]): boolean {
    const { cert } = process.authority.current();
    const { notBefore, notAfter } = readOnce(cert);
    return notBefore <= this.now && this.now < notAfter && [...new Set(entries)].every((pem) => chainsOnce(cert, pem));
  }

  private async begin(replica: Replica): Promise<Process> {
    const started = this.now;
    const clock: Clock = {
      now: () => (this.now - started) * replica.rate,
      wallNow: () => started + (this.now - started) * replica.rate + replica.skewMs,
      random: () => 0.5,
      after: () => {
        throw new Error('nothing here waits by itself');
      },
    };
    const { objects } = this;
    const process: Process = { isComputing: false, isInRound: false, readVersion: 0, firstLeafAt: Number.POSITIVE_INFINITY } as Process;
    const client = objects.client(this.way(replica, process)) as KubeClient;
    const authority = await sharedAuthority({
      store: secretStore(client, 'portcullis', 'portcullis-ca'),
      bundles: caBundles(client, 'portcullis'),
      names: serviceNames('portcullis', 'portcullis'),
      leadership: { leads: () => this.leaders.has(replica.index), term: () => new AbortController().signal },
      onStored: (change) => this.stored.push(`${replica.index}:${change}`),
      onPublished: (count) => this.stored.push(`${replica.index}:published ${count}`),
      onProblem: () => {},
      times: this.times,
      clock,
    });
    authority.onChange(() => {
      if (process.firstLeafAt === Number.POSITIVE_INFINITY) process.firstLeafAt = this.now;
    });
    return Object.assign(process, { authority });
  }

  private way(replica: Replica, process: Process): Way {
    return ({ method, path }, perform, stale) => {
      if (method !== 'GET' && !this.leaders.has(replica.index)) throw new Error(`replica ${replica.index} writes and does not lead`);
      const { promise, resolve, reject } = Promise.withResolvers<RawObject>();
      process.isComputing = false;
      const settle = (answer: () => RawObject): void => {
        // A process that is gone hears nothing.
        if (replica.process !== process) return;
        process.isComputing = true;
        try {
          const answered = this.now < replica.cutUntil ? unreachable() : answer();
          if (path === configurationPath) process.readVersion = Number(stringAt(objectAt(answered, 'metadata'), 'resourceVersion'));
          resolve(answered);
        } catch (error) {
          reject(error as Error);
        }
      };
      this.waiting.push({ replica, process, method, since: this.now, perform, stale, settle });
      return promise;
    };
  }
}

const readOnce = remembering((pem = '') => readCertificate(pem));
/** In the middle of its life: an authority outlives what it signs. */
const chainsOnce = remembering((cert = '', pem = '') => {
  const { notBefore, notAfter } = readOnce(cert);
  return chainsTo(cert, certificatesIn(pem), (notBefore + notAfter) / 2);
});

function remembering<T>(ask: (...texts: string[]) => T): (...texts: string[]) => T {
  const known = new Map<string, T>();
  return (...texts) => {
    const key = texts.join('|');
    if (!known.has(key)) known.set(key, ask(...texts));
    return known.get(key) as T;
  };
}

const unreachable = (): never => {
  throw new Error('the network is cut');
};

function attempt(perform: () => unknown): void {
  try {
    perform();
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
  }
}
