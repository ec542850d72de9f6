/** The one report of the whole cluster: what stands beside no object, or may not. */
import { display } from '../kube/display.ts';
import type { JudgedResource, RawObject } from '../kube/resources.ts';
import { shortDigest } from './digest.ts';
import { type Entry, finished, longest, moreOf, type ReportWriting, resultOf } from './policy-report.ts';

export const clusterReportName = 'portcullis';

/** What is told of an object to nobody but those who may read the whole cluster. */
export interface Elsewhere {
  readonly object: JudgedResource;
  readonly entry: Entry;
}

/** What is told of no object: an exemption of the configuration that somebody should look at. */
export interface Note {
  /** Where it stands: `exemptions.list[3]`. */
  readonly path: string;
  readonly is: string;
  readonly text: string;
}

/** What the report of the whole cluster is made of. */
export interface ClusterContent {
  /** How many objects have no report of their own. */
  readonly leftOut: number;
  /** What their namespaces may not see. */
  readonly elsewhere: readonly Elsewhere[];
  readonly notes: readonly Note[];
}

/** The one report of the whole cluster; undefined if it has nothing to say. */
export function clusterReport({ leftOut, elsewhere, notes }: ClusterContent, writing: ReportWriting): RawObject | undefined {
  if (leftOut === 0 && elsewhere.length === 0 && notes.length === 0) return undefined;
  const own = [...(leftOut === 0 ? [] : [cappedEntry(leftOut)]), ...notes.slice(0, maxElsewhere).map(noteEntry)];
  const told = elsewhere
    .slice(0, maxElsewhere)
    .map(({ object, entry }) => ({ ...resultOf(entry, writing), resources: [referenceOf(object)] }));
  const rest = elsewhere.slice(maxElsewhere).map(({ entry }) => entry);
  const results = [...own.map((entry) => resultOf(entry, writing)), ...told, ...(rest.length === 0 ? [] : [moreOf(rest)])];
  const entries = [...own, ...elsewhere.map(({ entry }) => entry)];
  return finished({ name: clusterReportName }, {}, { kind: writing.form.clusterKind, entries, results }, writing);
}

/** About 300 kB: etcd refuses from 1.5 MB on. */
const maxElsewhere = 400;

const referenceOf = ({ apiVersion, kind, metadata: { namespace, name, uid = '' } }: JudgedResource): RawObject => ({
  apiVersion,
  kind,
  namespace,
  name,
  uid,
});

const cappedEntry = (leftOut: number): Entry => {
  const what = `${leftOut} ${leftOut === 1 ? 'object with something to tell has' : 'objects with something to tell have'} no report: there are as many reports as the limit allows`;
  const fix = 'repair what the reports name, or raise the limit';
  const mode = 'fault';
  return {
    ruleId: 'portcullis',
    messageId: 'reports-capped',
    severity: 'medium',
    mode,
    fingerprint: 'reports-capped',
    message: `${what}. Fix: ${fix}`,
    field: '',
    fix,
    what,
  };
};

const noteEntry = ({ path, is, text }: Note): Entry => ({
  ruleId: 'exemption-invalid',
  messageId: is,
  severity: 'low',
  mode: 'audit',
  fingerprint: shortDigest(`${path} ${is}`),
  message: `${display(text, longest)}.`,
  field: path,
  fix: '',
  what: display(text, longest),
});
