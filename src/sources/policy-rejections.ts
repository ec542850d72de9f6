/** Which NetworkPolicies the API server refuses (Kubernetes v1.36.3: ValidateNetworkPolicy in pkg/apis/networking/validation). */
import { blockHoldsBlock, isBlockAsServed } from '../kube/cidr.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { isLabelKey, isLabelValue } from '../kube/label-syntax.ts';
import { isObject, numberAt, objectAt, objectsAt, stringAt, textsAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { cited, dnsName, oneOf, portName, portNumber, protocols, type Rejection, rejection } from './rejection.ts';

export function policyRejections(raw: RawObject): readonly Rejection[] {
  const spec = objectAt(raw, 'spec');
  const name = stringAt(objectAt(raw, 'metadata'), 'name') ?? '';
  const types = textsAt(spec, 'policyTypes');
  const unknown = types.findIndex((type) => type !== 'Ingress' && type !== 'Egress');
  const found: Rejection[] = [];
  if (unknown >= 0)
    found.push(
      rejection(['spec', 'policyTypes', unknown], `there is no policyType ${cited(types[unknown] ?? '')}`, 'Use Ingress or Egress.'),
    );
  if (types.length > 2) found.push(rejection(['spec', 'policyTypes'], 'it has more than two policyTypes', 'Name each once.'));
  const directions = [
    { rules: 'ingress', peers: 'from' },
    { rules: 'egress', peers: 'to' },
  ] as const;
  const inRules = directions.flatMap(({ rules, peers }) =>
    objectsAt(spec, rules).flatMap((rule, index) => [
      ...objectsAt(rule, 'ports').flatMap((port, place) => policyPortRejections(['spec', rules, index, 'ports', place], port)),
      ...objectsAt(rule, peers).flatMap((peer, place) => peerRejections(['spec', rules, index, peers, place], peer)),
    ]),
  );
  const named = name === '' ? [] : dnsName(['metadata', 'name'], name);
  return [...named, ...found, ...selectorRejections(['spec', 'podSelector'], spec['podSelector']), ...inRules];
}

/** ValidateNetworkPolicyPort. What is there but empty is not what is absent. */
function policyPortRejections(at: FieldPath, raw: RawObject): readonly Rejection[] {
  const { port = null } = raw;
  const endPort = numberAt(raw, 'endPort');
  const found = [...policyProtocol([...at, 'protocol'], raw), ...policyPort([...at, 'port'], port)];
  const range = [...at, 'endPort'];
  if (endPort === undefined) return found;
  if (typeof port !== 'number') return [...found, rejection(range, 'endPort needs a port that is a number', 'Give both as numbers.')];
  return endPort < port
    ? [...found, rejection(range, `endPort ${endPort} is below port ${port}`, 'Exchange them.')]
    : [...found, ...portNumber(range, endPort)];
}

function policyProtocol(path: FieldPath, raw: RawObject): readonly Rejection[] {
  const protocol = stringAt(raw, 'protocol');
  if (protocol === undefined || protocols.includes(protocol)) return [];
  return [rejection(path, `there is no protocol ${cited(protocol)}`, `Use ${oneOf(protocols)}.`)];
}

function policyPort(path: FieldPath, port: unknown): readonly Rejection[] {
  if (typeof port === 'number') return portNumber(path, port);
  return typeof port === 'string' ? portName(path, port) : [];
}

/** ValidateNetworkPolicyPeer. */
function peerRejections(at: FieldPath, peer: RawObject): readonly Rejection[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  const selectors = [podSelector, namespaceSelector].filter(isObject).length;
  if (isObject(ipBlock) && selectors > 0) return [rejection(at, 'a peer has an ipBlock beside a selector', 'Make two entries of them.')];
  if (!isObject(ipBlock) && selectors === 0)
    return [rejection(at, 'a peer is empty', 'Name a podSelector, a namespaceSelector or an ipBlock; {} as a selector means all.')];
  return [
    ...(isObject(ipBlock) ? blockRejections([...at, 'ipBlock'], ipBlock) : []),
    ...selectorRejections([...at, 'podSelector'], podSelector),
    ...selectorRejections([...at, 'namespaceSelector'], namespaceSelector),
  ];
}

/**
 * ValidateIPBlock. Bits behind the prefix, leading zeros, and IPv4 as IPv6 are refused since Kubernetes 1.36 alone
 * (StrictIPCIDRValidation), and kept where they stand already.
 */
function blockRejections(at: FieldPath, ipBlock: RawObject): readonly Rejection[] {
  const cidr = stringAt(ipBlock, 'cidr') ?? '';
  if (!isBlockAsServed(cidr)) return [noBlock([...at, 'cidr'], cidr)];
  return textsAt(ipBlock, 'except').flatMap((inner, index) => {
    const path = [...at, 'except', index];
    if (!isBlockAsServed(inner)) return [noBlock(path, inner)];
    if (inner !== cidr && blockHoldsBlock(cidr, inner) !== false && blockHoldsBlock(inner, cidr) !== true) return [];
    return [rejection(path, `${inner} is no smaller part of ${cidr}`, 'Except a smaller block inside it, or remove the exception.')];
  });
}

const noBlock = (path: FieldPath, text: string): Rejection =>
  rejection(path, `${cited(text)} is no address block`, 'Write it like 10.0.0.0/8.');

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** ValidateLabelSelector. */
function selectorRejections(at: FieldPath, selector: unknown): readonly Rejection[] {
  if (!isObject(selector)) return [];
  const pairs = Object.entries(objectAt(selector, 'matchLabels')).flatMap(([key, value]) => [
    ...keyRejections([...at, 'matchLabels', key], key),
    ...valueRejections([...at, 'matchLabels', key], value),
  ]);
  const expressions = objectsAt(selector, 'matchExpressions').flatMap((one, index) =>
    expressionRejections([...at, 'matchExpressions', index], one),
  );
  return [...pairs, ...expressions];
}

function expressionRejections(path: FieldPath, expression: RawObject): readonly Rejection[] {
  const operator = stringAt(expression, 'operator') ?? '';
  const values = textsAt(expression, 'values');
  const found = [
    ...keyRejections([...path, 'key'], stringAt(expression, 'key') ?? ''),
    ...values.flatMap((value, index) => valueRejections([...path, 'values', index], value)),
  ];
  if (!operators.includes(operator))
    return [...found, rejection([...path, 'operator'], `there is no operator ${cited(operator)}`, `Use ${oneOf(operators)}.`)];
  if ((operator === 'In' || operator === 'NotIn') === values.length > 0) return found;
  const message = `${operator} ${values.length > 0 ? 'takes no' : 'needs'} values`;
  return [...found, rejection([...path, 'values'], message, 'Add or remove them.')];
}

const keyRejections = (path: FieldPath, key: string): readonly Rejection[] =>
  isLabelKey(key)
    ? []
    : [
        rejection(
          path,
          `${cited(key)} is no key of a label`,
          'Use at most 63 of a-z, A-Z, 0-9, -, _ and .; a domain and / may stand before it.',
        ),
      ];

const valueRejections = (path: FieldPath, value: unknown): readonly Rejection[] =>
  typeof value !== 'string' || isLabelValue(value)
    ? []
    : [
        rejection(
          path,
          `${cited(value)} is no value of a label`,
          'Use at most 63 of a-z, A-Z, 0-9, -, _ and ., with a letter or digit at both ends.',
        ),
      ];
