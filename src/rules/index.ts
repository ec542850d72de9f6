import type { Rule } from '../engine/rule.ts';
import { dnsNodeLocalNotAllowed } from './dns-node-local-not-allowed.ts';
import { dnsPortNotPodPort } from './dns-port-not-pod-port.ts';
import { dnsResolverIsolated } from './dns-resolver-isolated.ts';
import { dnsResolverServiceChanged } from './dns-resolver-service-changed.ts';
import { dnsRuleMissesResolver } from './dns-rule-misses-resolver.ts';
import { dnsUdpOnly } from './dns-udp-only.ts';
import { exemptionInvalid } from './exemption-invalid.ts';
import { ingressAnnotationNotUnderstood } from './ingress-annotation-not-understood.ts';
import { ingressBackendPortMissing } from './ingress-backend-port-missing.ts';
import { ingressBackendServiceMissing } from './ingress-backend-service-missing.ts';
import { ingressBackendUnusable } from './ingress-backend-unusable.ts';
import { ingressCatchAllHostPolicy } from './ingress-catch-all-host-policy.ts';
import { ingressClassMissing } from './ingress-class-missing.ts';
import { ingressClassUnclaimedOrEol } from './ingress-class-unclaimed-or-eol.ts';
import { ingressClassUnset } from './ingress-class-unset.ts';
import { ingressControllerBlockedByPolicy } from './ingress-controller-blocked-by-policy.ts';
import { ingressHostPathConflict } from './ingress-host-path-conflict.ts';
import { ingressPathLiteralTrap } from './ingress-path-literal-trap.ts';
import { ingressPathUnreachable } from './ingress-path-unreachable.ts';
import { ingressRuleWithoutEffect } from './ingress-rule-without-effect.ts';
import { networkPolicyAllowAllShape } from './network-policy-allow-all-shape.ts';
import { networkPolicyCniCapabilityGap } from './network-policy-cni-capability-gap.ts';
import { networkPolicyCutsCriticalSystem } from './network-policy-cuts-critical-system.ts';
import { networkPolicyCutsDeclaredDependency } from './network-policy-cuts-declared-dependency.ts';
import { networkPolicyCutsWebhookOrApiservice } from './network-policy-cuts-webhook-or-apiservice.ts';
import { networkPolicyEgressUsesServicePort } from './network-policy-egress-uses-service-port.ts';
import { networkPolicyHostNetworkSubjectOrPeer } from './network-policy-host-network-subject-or-peer.ts';
import { networkPolicyIpBlockCoversCluster } from './network-policy-ip-block-covers-cluster.ts';
import { networkPolicyIsolatesDns } from './network-policy-isolates-dns.ts';
import { networkPolicyLegacyNamespaceLabel } from './network-policy-legacy-namespace-label.ts';
import { networkPolicyNamedPortUnresolved } from './network-policy-named-port-unresolved.ts';
import { networkPolicyNotEnforced } from './network-policy-not-enforced.ts';
import { networkPolicyPeerAndOrSuspect } from './network-policy-peer-and-or-suspect.ts';
import { networkPolicyPeerMatchesNothing } from './network-policy-peer-matches-nothing.ts';
import { networkPolicyProtocolDefaultedOnUdpPort } from './network-policy-protocol-defaulted-on-udp-port.ts';
import { networkPolicyRedundantPolicy } from './network-policy-redundant-policy.ts';
import { networkPolicyRemovalExposes } from './network-policy-removal-exposes.ts';
import { networkPolicySubjectMatchesNothing } from './network-policy-subject-matches-nothing.ts';
import { networkPolicyTypesContradiction } from './network-policy-types-contradiction.ts';
import { networkPolicyWidened } from './network-policy-widened.ts';
import { serviceAppProtocolTypo } from './service-app-protocol-typo.ts';
import { serviceExternalIps } from './service-external-ips.ts';
import { serviceExternalNameIsIp } from './service-external-name-is-ip.ts';
import { serviceExternalNameLoopbackOrMetadata } from './service-external-name-loopback-or-metadata.ts';
import { serviceHeadlessPortTranslation } from './service-headless-port-translation.ts';
import { serviceInUse } from './service-in-use.ts';
import { serviceLoadBalancerUnserved } from './service-load-balancer-unserved.ts';
import { serviceLocalTrafficPolicyGaps } from './service-local-traffic-policy-gaps.ts';
import { serviceNamedTargetPortPartial } from './service-named-target-port-partial.ts';
import { serviceNamedTargetPortUnresolved } from './service-named-target-port-unresolved.ts';
import { serviceNodePortHostPortCollision } from './service-node-port-host-port-collision.ts';
import { serviceNodePortPolicy } from './service-node-port-policy.ts';
import { serviceNumericTargetPortUndeclared } from './service-numeric-target-port-undeclared.ts';
import { servicePortInUse } from './service-port-in-use.ts';
import { serviceSelectorMatchesNoPods } from './service-selector-matches-no-pods.ts';
import { serviceSelectorSpansWorkloads } from './service-selector-spans-workloads.ts';
import { serviceTargetPortProtocolMismatch } from './service-target-port-protocol-mismatch.ts';
import { serviceTypePolicy } from './service-type-policy.ts';
import { statefulsetServiceName } from './statefulset-service-name.ts';
import { tlsExpiry } from './tls-expiry.ts';
import { tlsHostsVsRules } from './tls-hosts-vs-rules.ts';
import { tlsKeyMismatch } from './tls-key-mismatch.ts';
import { tlsRequired } from './tls-required.ts';
import { tlsSanMismatch } from './tls-san-mismatch.ts';
import { tlsSecretMalformed } from './tls-secret-malformed.ts';
import { tlsSecretMissing } from './tls-secret-missing.ts';

/** Every rule, in the order in which documentation lists them: one line a rule, one file a rule. */
export const rules: readonly Rule[] = [
  serviceSelectorMatchesNoPods,
  serviceNamedTargetPortUnresolved,
  serviceNamedTargetPortPartial,
  serviceNumericTargetPortUndeclared,
  serviceTargetPortProtocolMismatch,
  serviceNodePortPolicy,
  serviceExternalNameIsIp,
  serviceExternalNameLoopbackOrMetadata,
  serviceExternalIps,
  serviceTypePolicy,
  serviceHeadlessPortTranslation,
  serviceSelectorSpansWorkloads,
  serviceAppProtocolTypo,
  statefulsetServiceName,
  serviceNodePortHostPortCollision,
  serviceLocalTrafficPolicyGaps,
  serviceLoadBalancerUnserved,
  serviceInUse,
  servicePortInUse,
  ingressBackendServiceMissing,
  ingressBackendPortMissing,
  ingressBackendUnusable,
  ingressRuleWithoutEffect,
  ingressPathLiteralTrap,
  ingressClassMissing,
  ingressClassUnset,
  ingressClassUnclaimedOrEol,
  ingressHostPathConflict,
  ingressCatchAllHostPolicy,
  ingressPathUnreachable,
  ingressControllerBlockedByPolicy,
  tlsSecretMissing,
  tlsSecretMalformed,
  tlsKeyMismatch,
  tlsExpiry,
  tlsSanMismatch,
  tlsHostsVsRules,
  tlsRequired,
  networkPolicySubjectMatchesNothing,
  networkPolicyPeerMatchesNothing,
  networkPolicyLegacyNamespaceLabel,
  networkPolicyPeerAndOrSuspect,
  networkPolicyTypesContradiction,
  networkPolicyProtocolDefaultedOnUdpPort,
  networkPolicyNamedPortUnresolved,
  networkPolicyEgressUsesServicePort,
  networkPolicyIpBlockCoversCluster,
  networkPolicyAllowAllShape,
  networkPolicyRedundantPolicy,
  networkPolicyCutsCriticalSystem,
  networkPolicyCutsWebhookOrApiservice,
  networkPolicyCutsDeclaredDependency,
  networkPolicyRemovalExposes,
  networkPolicyWidened,
  networkPolicyNotEnforced,
  networkPolicyCniCapabilityGap,
  networkPolicyHostNetworkSubjectOrPeer,
  networkPolicyIsolatesDns,
  dnsResolverIsolated,
  dnsResolverServiceChanged,
  dnsRuleMissesResolver,
  dnsPortNotPodPort,
  dnsNodeLocalNotAllowed,
  dnsUdpOnly,
  exemptionInvalid,
  ingressAnnotationNotUnderstood,
];
