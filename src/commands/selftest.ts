/**
 * `portcullis selftest`: does the webhook judge? A review that a rule must object to goes the way of the API server: to the
 * Service that the live configuration names, verified by the authority that stands there. Needs no right but to read that.
 */
import type { KubeClient } from '../client/kube-client.ts';
import { OperatorError } from '../errors.ts';
import { addressOf } from '../kube/address.ts';
import { booleanAt, numberAt, objectAt, objectsAt, stringAt, stringsAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { bundlesOf } from './certificate-facts.ts';
import { clusterClient } from './cluster-client.ts';
import { type KnownBad, knownBad } from './known-bad.ts';
import { readConfiguration } from './read-configuration.ts';
import type { Terminal } from './terminal.ts';
import { CallFailed, callWebhook, isUnknownName, NotAnApiServer, type WebhookAddress } from './webhook-call.ts';

export interface SelftestOptions {
  readonly webhookConfiguration: string;
  readonly config?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  /** `host:port` to connect to in place of the Service. */
  readonly address?: string;
}

const hostAndPort = /^\[?([^\]]+?)\]?:(\d{1,5})$/;

/** Prints a line for each entry and returns the exit code: 0 all is well, 1 it is not. Rejects with an OperatorError where it cannot be tried. */
export async function selftest(options: SelftestOptions, terminal: Terminal): Promise<0 | 1> {
  if (options.address !== undefined && !hostAndPort.test(options.address))
    throw new OperatorError('PC0001', `--address ${options.address} is no host and port`, 'Write it as localhost:8443, or [::1]:8443.');
  const configuration = await readConfiguration(options.config);
  const registration = await registrationOf(options);
  const bad = knownBad(configuration, terminal.now());
  if (bad === undefined) terminal.out('the rules that a made-up object could break are off: only the way and the certificate are tried\n');
  const entries = objectsAt(registration, 'webhooks');
  if (entries.length === 0)
    terminal.out(`ValidatingWebhookConfiguration ${options.webhookConfiguration} has no entry: nothing is judged\n`);
  const tried = new Map<string, Promise<Outcome>>();
  let failed = entries.length === 0;
  for (const entry of entries) {
    try {
      terminal.out(`ok    ${stringAt(entry, 'name') ?? ''}: ${await tryEntry(entry, registration, { options, bad, terminal, tried })}\n`);
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      failed = true;
      terminal.out(`FAIL  ${stringAt(entry, 'name') ?? ''}: ${error.message}\n`);
    }
  }
  return failed ? 1 : 0;
}

async function registrationOf(options: SelftestOptions): Promise<RawObject> {
  const { webhookConfiguration: name } = options;
  const client: KubeClient = await clusterClient(options);
  const path = addressOf('admissionregistration.k8s.io/v1', 'validatingwebhookconfigurations', '', name);
  try {
    return await client.get(path, AbortSignal.timeout(10_000));
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    const hint = 'Check --webhook-configuration, and that this user or ServiceAccount may get it.';
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new OperatorError('PC0008', `ValidatingWebhookConfiguration ${name} cannot be read: ${why}`, hint, { cause });
  } finally {
    await client.close();
  }
}

interface Attempt {
  readonly options: SelftestOptions;
  readonly bad: KnownBad | undefined;
  readonly terminal: Terminal;
  /** Entries mostly share one way, which is gone once. */
  readonly tried: Map<string, Promise<Outcome>>;
}

interface Outcome {
  readonly says: string;
  readonly judges: boolean;
}

/** The one entry whose kinds and operations the review is among: the others were asked nothing of their own. */
const ofTheReview = 'validate.portcullis.dev';

/** What is well. Throws CallFailed with what is not. */
async function tryEntry(entry: RawObject, registration: RawObject, { options, bad, terminal, tried }: Attempt): Promise<string> {
  const bundle = bundlesOf(registration).get(stringAt(entry, 'name') ?? '') ?? 'empty';
  if (bundle === 'empty') throw new CallFailed('it has no caBundle, so the API server cannot verify the certificate');
  if (bundle === 'unreadable') throw new CallFailed('its caBundle is no certificate');
  if (bundle.every(({ notAfter }) => notAfter <= terminal.now())) throw new CallFailed('the certificates in its caBundle have ended');
  const address = addressFor(entry, options);
  const key = JSON.stringify(address);
  const attempt = tried.get(key) ?? judged(address, bad);
  tried.set(key, attempt);
  const { says, judges } = await attempt;
  return judges && stringAt(entry, 'name') !== ofTheReview ? 'reaches what judges' : says;
}

function addressFor(entry: RawObject, { address }: SelftestOptions): WebhookAddress {
  const clientConfig = objectAt(entry, 'clientConfig');
  const service = objectAt(clientConfig, 'service');
  const name = stringAt(service, 'name');
  if (name === undefined) throw new CallFailed('it names no Service but a URL, whose way cannot be tried from here');
  const serverName = `${name}.${stringAt(service, 'namespace') ?? ''}.svc`;
  const [, host = serverName, port] = hostAndPort.exec(address ?? '') ?? [];
  return {
    serverName,
    host,
    port: Number(port ?? numberAt(service, 'port') ?? 443),
    path: stringAt(service, 'path') ?? '/',
    ca: Buffer.from(stringAt(clientConfig, 'caBundle') ?? '', 'base64').toString('utf8'),
    timeoutMs: (numberAt(entry, 'timeoutSeconds') ?? 10) * 1000,
  };
}

const onlyApiServers = 'answers over TLS that verifies; only API servers may ask, so that it judges cannot be tried from here';

async function judged(address: WebhookAddress, bad: KnownBad | undefined): Promise<Outcome> {
  try {
    return bad === undefined ? { says: await reachable(address), judges: false } : { says: await judgment(address, bad), judges: true };
  } catch (error) {
    if (error instanceof NotAnApiServer) return { says: onlyApiServers, judges: false };
    throw error;
  }
}

async function judgment(address: WebhookAddress, bad: KnownBad): Promise<string> {
  const answer = await reached(address, bad.review);
  const response = objectAt(answer, 'response');
  if (stringAt(response, 'uid') !== bad.uid) throw new CallFailed('it answers, but not to our question: another uid, or none');
  if (!mentions(response, bad.ruleId))
    throw new CallFailed(`it answers, but does not judge: nothing is said of ${bad.ruleId}${unevaluated(response)}`);
  return `judges (${bad.ruleId} ${booleanAt(response, 'allowed') ? 'found' : 'denied'})`;
}

/** An empty review is answered with 400 by what judges: enough where no rule can object. */
async function reachable(address: WebhookAddress): Promise<string> {
  const nothing = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: undefined };
  try {
    await reached(address, nothing);
  } catch (error) {
    if (!(error instanceof CallFailed) || !error.message.startsWith('it answers HTTP 400')) throw error;
  }
  return 'answers';
}

/** By DNS, else by what the kubelet writes into the environment of Pods of the same namespace. */
async function reached(address: WebhookAddress, review: RawObject): Promise<RawObject> {
  try {
    return await callWebhook(address, review);
  } catch (error) {
    const host = process.env[`${(address.serverName.split('.')[0] ?? '').toUpperCase().replaceAll('-', '_')}_SERVICE_HOST`];
    if (!isUnknownName(error) || host === undefined || address.host !== address.serverName) throw error;
    return callWebhook({ ...address, host }, review);
  }
}

function mentions(response: RawObject, ruleId: string): boolean {
  const texts = [
    ...stringsAt(response, 'warnings'),
    stringAt(objectAt(response, 'status'), 'message') ?? '',
    stringAt(objectAt(response, 'auditAnnotations'), 'rules') ?? '',
  ];
  return texts.some((text) => text.includes(ruleId));
}

const unevaluated = (response: RawObject): string => {
  const why = stringAt(objectAt(response, 'auditAnnotations'), 'not-evaluated');
  return why === undefined ? '' : `; not evaluated: ${why}`;
};
