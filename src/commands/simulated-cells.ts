/** What a scan, as if all were denied, says of each rule in each namespace. */
import { canDeny, type Evidence, type Target } from '../config/raise.ts';
import type { Skip } from '../engine/evaluate.ts';
import type { Finding } from '../engine/finding.ts';
import type { Rule } from '../engine/rule.ts';
import type { Surveyed } from '../engine/survey.ts';
import { type Kind, type ObjectRef, refOf } from '../kube/resources.ts';
import type { SimulatedCell } from '../reports/simulation.ts';
import { skipText } from '../reports/skip-text.ts';
import type { Sighting } from './first-seen.ts';
import type { EarlierAudit } from './read-audits.ts';

interface Tally {
  readonly ruleId: string;
  readonly namespace: string;
  judged: number;
  exempt: number;
  readonly denied: Set<string>;
  readonly deniedNow: Set<string>;
  /** By what is said of it. */
  readonly unjudged: Map<string, Skip | undefined>;
  /** Epoch milliseconds, like those below. */
  readonly audits: Set<number>;
  readonly seen: Set<number>;
}

export interface Cells {
  /** Those with something to tell, in the order of the rules, then by namespace. */
  readonly told: readonly SimulatedCell[];
  readonly evidence: (ruleId: string, namespace: string) => Evidence;
  /** Objects that were judged to the end, or would be denied whatever the rest says. */
  readonly judged: number;
}

export interface CellsInput {
  readonly target: Target;
  readonly rules: readonly Rule[];
  /** Judged as if all were denied that the profile denies. */
  readonly surveyed: readonly Surveyed[];
  /** Oldest first, and only of the namespaces that are asked for. */
  readonly audits: readonly EarlierAudit[];
  /** From the reports that stand in the cluster. */
  readonly sightings: readonly Sighting[];
  /** What the present configuration denies. */
  readonly deniedNow: readonly Finding[];
  /** Whether all objects of a kind in a namespace are known. */
  readonly isListed: (kind: Kind, namespace: string) => boolean;
}

export function cellsOf({ target, rules, surveyed, audits, sightings, deniedNow, isListed }: CellsInput): Cells {
  const concerned = new Map(rules.filter((rule) => canDeny(rule, target)).map((rule) => [rule.meta.id, rule]));
  const tallies = new Map<string, Tally>();
  const at = (ruleId: string, namespace: string): Tally => {
    const key = keyOf(ruleId, namespace);
    const tally = tallies.get(key) ?? {
      ruleId,
      namespace,
      judged: 0,
      exempt: 0,
      denied: new Set(),
      deniedNow: new Set(),
      unjudged: new Map(),
      audits: new Set(),
      seen: new Set(),
    };
    tallies.set(key, tally);
    return tally;
  };
  const denies = (ruleId: string, messageId: string): boolean => {
    const messages = concerned.get(ruleId)?.messages ?? {};
    return Object.hasOwn(messages, messageId) && messages[messageId]?.modes[target] === 'deny';
  };
  for (const one of surveyed)
    count(one, (ruleId) => (concerned.has(ruleId) ? at(ruleId, one.object.metadata.namespace) : undefined), denies);
  const unlisted = (ruleId: string, namespace: string) =>
    (concerned.get(ruleId)?.meta.kinds ?? []).filter((kind) => !isListed(kind, namespace));
  for (const tally of tallies.values())
    for (const missing of unlisted(tally.ruleId, tally.namespace))
      note(tally, { ruleId: tally.ruleId, reason: 'forbidden', missing, namespace: tally.namespace });
  for (const { ruleId, subject } of deniedNow) tallies.get(keyOf(ruleId, subject.namespace))?.deniedNow.add(nameOf(subject));
  for (const { observedAt, findings } of audits)
    for (const { ruleId, messageId, namespace } of findings) if (denies(ruleId, messageId)) at(ruleId, namespace).audits.add(observedAt);
  for (const { ruleId, messageId, namespace, firstSeen } of sightings)
    if (denies(ruleId, messageId)) tallies.get(keyOf(ruleId, namespace))?.seen.add(firstSeen);
  return {
    told: told([...concerned.keys()], [...tallies.values()]),
    evidence: (ruleId, namespace) => {
      const found = evidenceOf(tallies.get(keyOf(ruleId, namespace)));
      // Where none was seen, there may be some all the same.
      return found === 'nothing' && unlisted(ruleId, namespace).length > 0 ? 'unjudged' : found;
    },
    judged: surveyed.filter((one) => !isOpen(one, (id) => concerned.has(id)) || one.findings.some(({ mode }) => mode === 'deny')).length,
  };
}

/** Whether a rule that counts did not come to its end. */
const isOpen = ({ skipped, faults }: Surveyed, counts: (ruleId: string) => boolean): boolean =>
  [...skipped, ...faults].some(({ ruleId }) => counts(ruleId));

const keyOf = (ruleId: string, namespace: string): string => `${ruleId}/${namespace}`;
const nameOf = ({ kind, name }: ObjectRef): string => `${kind} ${name}`;

function count(one: Surveyed, at: (ruleId: string) => Tally | undefined, denies: (ruleId: string, messageId: string) => boolean): void {
  const name = nameOf(refOf(one.object));
  for (const ruleId of one.ran) {
    const tally = at(ruleId);
    if (tally !== undefined) tally.judged += 1;
  }
  for (const { finding, mode } of one.findings) if (mode === 'deny') at(finding.ruleId)?.denied.add(name);
  for (const { finding } of [...one.findings, ...one.exempted])
    for (const missing of finding.lacks ?? [])
      note(at(finding.ruleId), { ruleId: finding.ruleId, reason: 'forbidden', missing, namespace: finding.subject.namespace });
  const exempt = new Set(
    one.exempted.filter(({ finding }) => denies(finding.ruleId, finding.messageId)).map(({ finding }) => finding.ruleId),
  );
  for (const ruleId of exempt) {
    const tally = at(ruleId);
    if (tally !== undefined) tally.exempt += 1;
  }
  for (const skip of one.skipped) note(at(skip.ruleId), skip);
  for (const { ruleId } of one.faults) at(ruleId)?.unjudged.set('the rule failed', undefined);
}

/** Each reason once; of objects that are too new, until the last of them is not. */
function note(tally: Tally | undefined, { untilMs, ...skip }: Skip): void {
  const key = skipText(skip, 'cluster');
  const known = tally?.unjudged.get(key)?.untilMs ?? 0;
  tally?.unjudged.set(key, untilMs === undefined ? skip : { ...skip, untilMs: Math.max(known, untilMs) });
}

function evidenceOf(tally: Tally | undefined): Evidence {
  if (tally === undefined) return 'nothing';
  if (tally.denied.size > 0 || tally.audits.size > 0) return 'denied';
  return tally.unjudged.size > 0 ? 'unjudged' : 'clean';
}

function told(ruleIds: readonly string[], tallies: readonly Tally[]): readonly SimulatedCell[] {
  const speaking = tallies.filter(({ denied, exempt, unjudged, audits }) => denied.size + exempt + unjudged.size + audits.size > 0);
  const sorted = speaking.toSorted((a, b) => ruleIds.indexOf(a.ruleId) - ruleIds.indexOf(b.ruleId) || (a.namespace < b.namespace ? -1 : 1));
  return sorted.map(({ ruleId, namespace, denied, deniedNow, exempt, unjudged, audits, seen }) => {
    const since = denied.size + audits.size === 0 ? undefined : [...audits, ...seen].toSorted((a, b) => a - b)[0];
    return {
      ruleId,
      namespace,
      denied: [...denied],
      deniedAlready: [...denied].filter((name) => deniedNow.has(name)).length,
      exempt,
      unjudged: Array.from(unjudged, ([text, skip]) => (skip === undefined ? text : skipText(skip, 'cluster'))),
      audits: [...audits].map((moment) => new Date(moment).toISOString().slice(0, 16).replace('T', ' ')),
      ...(since !== undefined && { since }),
    };
  });
}
