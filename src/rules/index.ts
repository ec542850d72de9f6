import type { Rule } from '../engine/rule.ts';
import { dnsResolverIsolated } from './dns-resolver-isolated.ts';
import { exemptionInvalid } from './exemption-invalid.ts';
import { networkPolicyIsolatesDns } from './network-policy-isolates-dns.ts';
import { serviceNamedTargetPortPartial } from './service-named-target-port-partial.ts';
import { serviceNamedTargetPortUnresolved } from './service-named-target-port-unresolved.ts';
import { serviceNodePortPolicy } from './service-node-port-policy.ts';
import { serviceNumericTargetPortUndeclared } from './service-numeric-target-port-undeclared.ts';
import { serviceSelectorMatchesNoPods } from './service-selector-matches-no-pods.ts';
import { serviceTargetPortProtocolMismatch } from './service-target-port-protocol-mismatch.ts';
import { tlsSecretMissing } from './tls-secret-missing.ts';

/** Every rule, in the order in which documentation lists them: one line a rule, one file a rule. */
export const rules: readonly Rule[] = [
  serviceSelectorMatchesNoPods,
  serviceNamedTargetPortUnresolved,
  serviceNamedTargetPortPartial,
  serviceNumericTargetPortUndeclared,
  serviceTargetPortProtocolMismatch,
  serviceNodePortPolicy,
  tlsSecretMissing,
  networkPolicyIsolatesDns,
  dnsResolverIsolated,
  exemptionInvalid,
];
