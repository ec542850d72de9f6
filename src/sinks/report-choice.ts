import { type ReportForm, reportForms } from '../reports/policy-report.ts';

/** Which report APIs to write to: the newest that is served, one, both, or none. */
export const reportChoices = ['auto', 'openreports', 'policyreport', 'both', 'off'] as const;
export type ReportChoice = (typeof reportChoices)[number];

const { openreports, policyreport } = reportForms;

/** In the order of preference. */
export const choosableForms: Readonly<Record<ReportChoice, readonly ReportForm[]>> = {
  auto: [openreports, policyreport],
  both: [openreports, policyreport],
  openreports: [openreports],
  policyreport: [policyreport],
  off: [],
};
