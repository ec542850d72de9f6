/** Does the API server trust the certificate that it is shown, and how does it come to? */
import { dayOf } from '../kube/day.ts';
import { listed } from '../kube/listed.ts';
import { graveness, ourEntries } from './entries.ts';
import { type CertificateFacts, deploymentOf, type Facts, nameOf, type ServedCertificate, seenIn } from './facts.ts';
import { type Check, type Commands, kubectl, kubectlHere, type Problem, word } from './problem.ts';

/** The name that the API server asks for. */
const serverName = ({ serviceName, namespace }: Facts): string => `${serviceName}.${namespace}.svc`;

/** Puts the authority of the Secret into the entries; empty where the Secret holds no authority, or was not looked at. */
export function caCommands(facts: Facts, entries: readonly string[]): readonly string[] {
  const key = seenIn(facts.certificate)?.authorityKey;
  if (key === undefined || facts.secretName === undefined) return [];
  const jsonpath = `jsonpath={.data.${key.replaceAll('.', '\\.')}}`;
  return [`CA=$(${kubectlHere(facts, 'get', 'secret', facts.secretName, '-o', jsonpath)})`, setBundle(facts, entries, '$CA')];
}

/** `value` is a shell's, for the inside of double quotes. */
function setBundle(facts: Facts, entries: readonly string[], value: string): string {
  const mark = '<ca>';
  const json = JSON.stringify({ webhooks: entries.map((name) => ({ name, clientConfig: { caBundle: mark } })) });
  const quoted = word(json).replaceAll(mark, `'"${value}"'`);
  return `${kubectl(facts, 'patch', 'validatingwebhookconfiguration', facts.configuration, '-p')} ${quoted}`;
}

export function restart(facts: Facts): string {
  const deployment = deploymentOf(facts);
  return kubectlHere(facts, 'rollout', 'restart', `deployment/${deployment === undefined ? facts.serviceName : nameOf(deployment)}`);
}

/** The ways to a `caBundle` that fits, the surest first. */
function trustAgain(facts: Facts, entries: readonly string[]): Pick<Problem, 'repair' | 'commands'> {
  const certificate = seenIn(facts.certificate);
  const [first, second] = caCommands(facts, entries);
  if (certificate?.source === 'cert-manager') {
    const from = `${facts.namespace}/${certificate.certificateName ?? ''}`;
    const annotate = ['annotate', '--overwrite', 'validatingwebhookconfiguration', facts.configuration];
    return {
      repair: "have cert-manager's cainjector put it in",
      commands: [kubectl(facts, ...annotate, `cert-manager.io/inject-ca-from=${from}`)],
    };
  }
  if (first !== undefined && second !== undefined)
    return { repair: `put the authority in Secret ${facts.secretName} into caBundle`, commands: [first, second] };
  if (certificate?.source === 'given')
    return {
      repair: 'put the certificate of your authority into ca.crt, and that into caBundle',
      commands: [setBundle(facts, entries, "$(base64 < ca.crt | tr -d '\\n')")],
    };
  return { repair: 'have the Pods put theirs in when they start', commands: [restart(facts)] };
}

export const bundleIsThere: Check = {
  id: 'ca-bundle',
  holds: 'Each entry has a `caBundle` that can be read and is in date',
  *look(facts) {
    const { bundles, now } = facts;
    const names = ourEntries(facts).map(({ name }) => name);
    const empty = names.filter((name) => bundles.get(name) === 'empty');
    const unreadable = names.filter((name) => bundles.get(name) === 'unreadable');
    const over = names.filter((name) => {
      const bundle = bundles.get(name);
      return Array.isArray(bundle) && bundle.every(({ notAfter }) => notAfter <= now);
    });
    const groups = [
      [empty, 'no caBundle', 'the API server trusts the authorities of its own machine only'],
      [unreadable, 'a caBundle that is no certificate', 'the API server can verify nothing with it'],
      [over, 'a caBundle whose certificates have ended', 'the API server accepts nothing that they signed'],
    ] as const;
    for (const [found, what, shows] of groups) {
      if (found.length === 0) continue;
      yield {
        severity: graveness(facts),
        what: `${listed(found)} ${found.length === 1 ? 'has' : 'have'} ${what}, so calls fail`,
        evidence: [shows],
        ...trustAgain(facts, found),
        stopsCalls: true,
      };
    }
  },
};

export const bundleFits: Check = {
  id: 'ca-bundle-fits',
  holds: 'What is served chains to the `caBundle` of each entry',
  *look(facts) {
    const served = seenIn(facts.certificate);
    const refused = ourEntries(facts)
      .map(({ name }) => name)
      .filter((name) => Array.isArray(facts.bundles.get(name)) && served?.trustedBy.get(name) === false);
    if (served?.certificate === undefined || refused.length === 0) return;
    const first = facts.bundles.get(refused[0] ?? '');
    const held = Array.isArray(first) ? first.map(({ subject }) => subject) : [];
    yield {
      severity: graveness(facts),
      what: `${called(served)} does not chain to the caBundle of ${listed(refused)}, so calls fail (x509: certificate signed by unknown authority)`,
      evidence: [`Secret ${facts.secretName ?? ''}: ${served.certificate.subject}`, `caBundle: ${held.join(', ') || 'none'}`],
      ...trustAgain(facts, refused),
      stopsCalls: true,
    };
  },
};

const called = ({ isAuthority }: ServedCertificate): string => (isAuthority ? 'the certificate authority' : 'the certificate');

const dayMs = 86_400_000;
const soonMs = 14 * dayMs;

/** A new certificate for the Service, by whoever makes them here. */
function newCertificate(facts: Facts): { readonly repair: string; readonly commands: Commands } {
  const { secretName = '' } = facts;
  const certificate = seenIn(facts.certificate);
  if (certificate?.source === 'cert-manager')
    return { repair: 'have cert-manager make a new one', commands: [kubectlHere(facts, 'delete', 'secret', secretName)] };
  if (facts.keepsSecret) {
    const empty = kubectlHere(facts, 'patch', 'secret', secretName, '--type=json', '-p', '[{"op":"remove","path":"/data"}]');
    return { repair: 'have the Pods make a new one when they start', commands: [empty, restart(facts)] };
  }
  const verb = facts.certificate.state === 'absent' ? 'create' : 'replace';
  const make = `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=${serverName(facts)} -addext subjectAltName=DNS:${serverName(facts)} -keyout tls.key -out tls.crt`;
  const manifest = kubectlHere(
    facts,
    'create',
    'secret',
    'tls',
    secretName,
    '--cert=tls.crt',
    '--key=tls.key',
    '--dry-run=client',
    '-o',
    'yaml',
  );
  const names = ourEntries(facts).map(({ name }) => name);
  return {
    repair: 'make a new one that is its own authority; one of your authority does as well',
    commands: [make, `${manifest} | ${kubectlHere(facts, verb, '-f', '-')}`, setBundle(facts, names, "$(base64 < tls.crt | tr -d '\\n')")],
  };
}

export const certificateIsThere: Check = {
  id: 'certificate',
  holds: 'The Secret holds a certificate for the name of the Service, in date, with two weeks to go',
  *look(facts) {
    const { certificate, secretName, now } = facts;
    if (certificate.state === 'unseen' || secretName === undefined) return;
    const fatal = { severity: graveness(facts), stopsCalls: true } as const;
    if (certificate.state === 'absent')
      yield { ...fatal, what: `there is no Secret ${secretName} with the certificate`, evidence: [], ...absentRepair(facts) };
    else if (certificate.value.certificate === undefined)
      yield { ...fatal, what: `Secret ${secretName} holds no certificate`, evidence: [], ...emptyRepair(facts) };
    else yield* unfit(facts, certificate.value, certificate.value.certificate, now);
  },
};

function* unfit(facts: Facts, served: ServedCertificate, certificate: CertificateFacts, now: number): Generator<Problem> {
  const { notBefore, notAfter, names, subject } = certificate;
  const evidence = [`Secret ${facts.secretName ?? ''}: ${subject}`];
  const fatal = { severity: graveness(facts), stopsCalls: true, ...newCertificate(facts) } as const;
  const wanted = serverName(facts);
  if (notAfter <= now)
    yield { ...fatal, what: `${called(served)} ended on ${dayOf(notAfter)}, so calls fail (x509: certificate has expired)`, evidence };
  else if (notBefore > now)
    yield {
      ...fatal,
      what: `${called(served)} begins on ${dayOf(notBefore)} only, so calls fail`,
      evidence: [...evidence, 'is a clock wrong?'],
    };
  else if (!served.isAuthority && !names.includes(wanted))
    yield {
      ...fatal,
      what: `the certificate is not for ${wanted}, so calls fail`,
      evidence: [...evidence, `it is for ${names.join(', ') || 'no DNS name'}`],
    };
  else if (notAfter - now < soonMs)
    yield { severity: 'medium', what: `${called(served)} ends on ${dayOf(notAfter)}`, evidence, ...newCertificate(facts) };
}

/** The process may write its Secret, and not create it: it comes with the installation. */
function absentRepair(facts: Facts): Pick<Problem, 'repair' | 'commands'> {
  if (!facts.keepsSecret) return newCertificate(facts);
  const create = kubectlHere(facts, 'create', 'secret', 'generic', facts.secretName ?? '');
  return { repair: 'create it empty, and have the Pods fill it when they start', commands: [create, restart(facts)] };
}

const emptyRepair = (facts: Facts): Pick<Problem, 'repair' | 'commands'> =>
  facts.keepsSecret
    ? { repair: 'have the Pods fill it when they start; their logs say what hinders them', commands: [restart(facts)] }
    : newCertificate(facts);
