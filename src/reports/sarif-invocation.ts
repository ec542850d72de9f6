/** What SARIF tells of the run itself: what could not be used or judged, so that no results does not read as all is well. */
import { formatRef } from '../kube/resources.ts';
import { faultText, type Report } from './report.ts';
import { fileLocation, ofObject, placeLocation, plainText } from './sarif-location.ts';
import { skipGroups } from './skip-text.ts';
import { objectsText } from './summary.ts';

export interface InvocationContext {
  readonly root: string | undefined;
  readonly indexOf: (ruleId: string) => number;
  /** How many results there was no room for. */
  readonly leftOut: number;
}

export function invocationOf(report: Report, context: InvocationContext) {
  const { errors, faults, observedAt } = report;
  return {
    executionSuccessful: errors.length === 0 && faults.length === 0,
    ...(observedAt === undefined ? {} : { endTimeUtc: new Date(observedAt).toISOString() }),
    toolExecutionNotifications: [...cut(context), ...errorsOf(report, context), ...unjudged(report, context), ...noticesOf(report)],
  };
}

const cut = ({ leftOut }: InvocationContext) =>
  leftOut === 0
    ? []
    : [{ level: 'warning', message: { text: `${leftOut} results are left out, the least grave ones: a reader of this file keeps 5000.` } }];

const errorsOf = ({ errors }: Report, { root }: InvocationContext) =>
  errors.map(({ file, line, column, message, hint }) => ({
    level: 'error',
    message: { text: plainText(`${message}. ${hint}`) },
    locations: [line === undefined ? fileLocation(file, root) : placeLocation({ file, line, column: column ?? 1 }, root)],
  }));

/** GitHub shows no more of them. */
const maxLocations = 100;

const unjudged = (report: Report, { indexOf }: InvocationContext) => [
  ...report.faults.map(({ fault, object }) => ({
    level: 'error',
    associatedRule: { id: fault.ruleId, index: indexOf(fault.ruleId) },
    message: { text: plainText(`${formatRef(object)}: the rule failed: ${faultText(fault)}`) },
    locations: [{ logicalLocations: [ofObject(object)] }],
  })),
  ...skipGroups(report).map(({ ruleId, why, objects }) => ({
    level: 'note',
    associatedRule: { id: ruleId, index: indexOf(ruleId) },
    message: { text: plainText(`Not checked for ${objectsText(objects)}: ${why}`) },
    locations: objects.slice(0, maxLocations).map((object) => ({ logicalLocations: [ofObject(object)] })),
  })),
];

const noticesOf = ({ notices }: Report) => notices.map((notice) => ({ level: 'note', message: { text: plainText(notice) } }));
