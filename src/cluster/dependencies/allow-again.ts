/** What must be allowed for lost connections to work again: in words, and as a policy where one will do. */
import { isRunTimeLabel, labelsOf, nameLabel } from '../../kube/labels.ts';
import { listed } from '../../kube/listed.ts';
import type { Labels, ObjectRef, RawObject, Workload } from '../../kube/resources.ts';
import { freeName } from '../allow-dns.ts';
import type { Elsewhere } from '../elsewhere.ts';
import type { Direction, PortOfPod } from '../traffic/flow.ts';
import type { ClusterView } from '../view.ts';
import { keyOf, titleOf } from './dependency.ts';
import type { Lost } from './lost.ts';

/** One end of a lost connection, at which it is refused. */
interface Opening extends PortOfPod {
  readonly direction: Direction;
  readonly subject: Workload;
  readonly peer: Workload;
}

/** Each once, as far as the reader can open them: at the Pods of his namespace. */
const openingsFor = (lost: readonly Lost[], own: string): readonly Opening[] =>
  lost.flatMap(({ ways }) =>
    ways.flatMap(({ dependency: { from, to }, refusedAt }) =>
      refusedAt
        .map((direction): Opening => {
          const [subject, peer] = direction === 'Ingress' ? [to.workload, from] : [from, to.workload];
          return { direction, subject, peer, protocol: to.protocol, port: to.port };
        })
        .filter(({ subject }) => subject.metadata.namespace === own),
    ),
  );

/** `ingress to Deployment web on 8080/TCP and egress from Deployment web on 5432/TCP`. */
export function openingsAsText(lost: readonly Lost[], own: string): string {
  const texts = openingsFor(lost, own).map(
    ({ direction, subject, protocol, port }) =>
      `${direction === 'Ingress' ? 'ingress to' : 'egress from'} ${titleOf(subject, own)} on ${port}/${protocol}`,
  );
  const [first = '', second, ...others] = [...new Set(texts)];
  if (second === undefined) return first;
  return others.length === 0 ? `${first} and ${second}` : `${first}, ${second} and ${others.length} more`;
}

/** Who has lost more than that wants a policy of another sort, and nobody reads one so long. */
const mostOpened = 8;

/** A policy that opens just this, and for whom. */
export interface OpeningPolicy {
  readonly manifest: RawObject;
  /** `from Deployment ingress-nginx/controller`. */
  readonly peers: string;
}

/** Of another name than the object that is judged. Undefined where it would take several policies, or where the reader may not know who is at the other end. */
export function policyToAllow(
  lost: readonly Lost[],
  { namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>,
  known: ClusterView,
  elsewhere: Elsewhere | undefined,
): OpeningPolicy | undefined {
  if (lost.length > mostOpened) return undefined;
  const openings = openingsFor(lost, namespace);
  const [first] = openings;
  if (
    first === undefined ||
    openings.some(({ direction, subject }) => direction !== first.direction || keyOf(subject) !== keyOf(first.subject))
  )
    return undefined;
  const peers = new Set(openings.map(({ peer }) => peer));
  if (![...peers].every((peer) => mayName(peer, namespace, elsewhere))) return undefined;
  const podSelector = selectorFor(first.subject);
  const rules = openings.map((opening) => ruleFor(opening, namespace));
  const [isIn, unique] = [first.direction === 'Ingress', [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()]];
  const manifest = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: freeName(known, { metadata: { namespace, name } }, `allow-${first.subject.metadata.name}`), namespace },
    spec: { podSelector, policyTypes: [first.direction], [isIn ? 'ingress' : 'egress']: unique },
  };
  const titles = new Set([...peers].map((peer) => titleOf(peer, namespace)));
  return { manifest, peers: `${isIn ? 'from' : 'to'} ${listed([...titles], 1)}` };
}

function mayName(peer: Workload, own: string, elsewhere: Elsewhere | undefined): boolean {
  if (peer.metadata.namespace === own) return true;
  return elsewhere?.those(peer.kind === 'Pod' ? 'Pod' : 'Template', (one) => one === peer).length === 1;
}

function ruleFor({ direction, peer, protocol, port }: Opening, own: string): RawObject {
  const { namespace } = peer.metadata;
  const namespaceSelector = namespace === own ? {} : { namespaceSelector: { matchLabels: { [nameLabel]: namespace } } };
  return {
    [direction === 'Ingress' ? 'from' : 'to']: [{ ...namespaceSelector, podSelector: selectorFor(peer) }],
    ports: [{ port, ...(protocol !== 'TCP' && { protocol }) }],
  };
}

/** Labels of releases and versions change with the next one. */
const passing = new Set(['app.kubernetes.io/version', 'helm.sh/chart', 'chart', 'heritage', 'app.kubernetes.io/managed-by']);

function selectorFor({ pod }: Workload): { readonly matchLabels: Labels } {
  const lasting = labelsOf(pod.labels, (key) => !isRunTimeLabel(key) && !passing.has(key));
  return { matchLabels: { ...lasting } };
}
