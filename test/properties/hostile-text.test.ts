/** What people write into objects and configurations is answered and logged as text, and as nothing else (reliability.md F28). */
import { describe, expect, it } from 'vitest';
import { handle } from '../../src/admission/handler.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { createLog, logDecision } from '../../src/server/log.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { plentyOfTime, portsOf, requestFor, reviewOf, snapshotOf } from '../admission/reviews.ts';
import { runs } from '../support/figures.ts';
import { objectsWith, worldOf } from '../support/hostile-objects.ts';
import { hostileTexts, printable } from '../support/hostile-text.ts';

it('there are enough of them', () => expect(hostileTexts.length).toBeGreaterThan(5_000));

/** To make one takes long: of each batch of texts there is one, with them as reasons and as names of objects. */
const configurationFor = (texts: readonly string[]) =>
  parseConfiguration(
    {
      apiVersion: 'portcullis.dev/v1',
      profile: 'strict',
      exemptions: {
        byAnnotation: 'always',
        list: texts
          .filter((text) => text.trim() !== '')
          .flatMap((text) => [
            { rules: ['*'], names: [text], reason: text, until: '2000-01-01' },
            { rules: ['service-node-port-policy'], names: [text], reason: text },
          ]),
      },
      rules: {
        'service-node-port-policy': { options: { ranges: [{ namespaces: ['*'], ports: ['30100-30199'] }] } },
        'service-external-ips': { options: { allowed: [{ namespaces: ['*'], cidrs: ['10.0.0.0/8'] }], clusterRanges: ['10.96.0.0/12'] } },
        'service-type-policy': { options: { allowed: [{ namespaces: ['*'], types: ['ClusterIP'] }] } },
      },
    },
    rules,
  );

const now = Date.UTC(2026, 10, 21);

/** What becomes of the writes of all objects with these texts; ten operations of one kind need no more than each tenth text. */
async function* reviewsOf(operation: 'CREATE' | 'UPDATE' | 'DELETE') {
  const texts = hostileTexts.filter((_, index) => operation === 'CREATE' || index % runs(10, 1) === 0);
  const batch = 50;
  for (let at = 0; at < texts.length; at += batch) {
    const configuration = configurationFor(texts.slice(at, at + batch));
    for (const text of texts.slice(at, at + batch)) {
      const ports = portsOf(snapshotOf(...worldOf(text)), configuration, {
        now: () => now,
        readByName: async (refs) => new Map(refs.map(({ kind, namespace, name }) => [`${kind} ${namespace}/${name}`, 'absent'])),
      });
      for (const object of objectsWith(text)) yield handle(reviewWith(object, operation, text), plentyOfTime, ports);
    }
  }
}

function reviewWith(object: RawObject, operation: string, text: string): RawObject {
  const group = object['kind'] === 'Service' ? '' : 'networking.k8s.io';
  const before = { ...object, metadata: { ...(object['metadata'] as object), labels: {} } };
  return reviewOf(
    requestFor(operation === 'DELETE' ? null : object, {
      operation,
      namespace: text,
      kind: { group, version: 'v1', kind: object['kind'] },
      userInfo: { username: text, groups: [text], uid: text, extra: { [text]: [text] } },
      oldObject: operation === 'CREATE' ? null : before,
    }),
  );
}

/** Every string in a value, keys too. */
function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, content]) => [key, ...stringsIn(content)]);
}

describe('a review', () => {
  const told = { warnings: 0, denials: 0, exempt: 0, notices: 0, lines: 0 };

  it.each(['CREATE', 'UPDATE', 'DELETE'] as const)(
    'of a %s is answered and logged in printable text',
    { timeout: 240_000 },
    async (operation) => {
      const wrong: string[] = [];
      const lines: string[] = [];
      const log = createLog({ write: (line: string) => void lines.push(line) });
      const metrics = createMetrics({ version: '1', snapshot: () => undefined, certificateEnds: () => new Map() });
      for await (const handled of reviewsOf(operation)) {
        if (handled.outcome !== 'judged') continue;
        const { uid: _, ...response } = handled.answer.response;
        const { warnings = [], status, auditAnnotations = {} } = response;
        wrong.push(
          ...stringsIn(response).filter((one) => !printable.test(one)),
          ...warnings.filter((one) => one.length > 240 && Array.from(one).length > 240),
          ...[status?.message ?? ''].filter((one) => Buffer.byteLength(one) > 4096),
          ...Object.values(auditAnnotations).filter((one) => !/^[ -~]*$/.test(one)),
        );
        logDecision(log, handled.asked, handled.decision, 1);
        metrics.handled(handled, 1);
        told.warnings += warnings.length;
        told.denials += handled.decision.denials.length;
        told.exempt += handled.decision.exempted.length;
        told.notices +=
          warnings.filter((one) => one.includes('has no effect')).length + (status?.message.includes('has no effect') ? 1 : 0);
      }
      wrong.push(...lines.filter((line) => !printable.test(line.slice(0, -1)) || !line.endsWith('\n')));
      expect(wrong).toEqual([]);
      for (const line of lines) JSON.parse(line);
      told.lines += lines.length;
      const { text: scraped } = await metrics.scrape();
      expect(scraped.split('\n').filter((line) => !/^[ -~]*$/.test(line))).toEqual([]);
      // No text has made a series of its own.
      expect(scraped.split('\n').length).toBeLessThan(400);
    },
  );

  it('had something to say', () => {
    for (const count of Object.values(told)) expect(count).toBeGreaterThan(5_000);
  });
});
