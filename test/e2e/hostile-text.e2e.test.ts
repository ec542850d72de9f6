/** Every warning that we send arrives, whatever people wrote: the API server drops what does not print without a word. */
import { expect, it } from 'vitest';
import { describeOnCluster } from '../support/cluster.ts';
import { runs } from '../support/figures.ts';
import { hostileTexts, printable } from '../support/hostile-text.ts';
import { deployment, service } from '../support/shop.ts';
import { addressOf, configurationOf, useStage } from '../support/stage.ts';

const key = 'exempt.portcullis.dev/service-selector-matches-no-pods';

/** The API server takes annotations up to 256 KiB, and no halves of surrogate pairs: JSON in UTF-8 has none. */
const texts = hostileTexts.filter((text, index) => index % runs(20, 1) === 0 && text.isWellFormed());

/** Impersonated, so that the answers come over HTTP/1.1: over HTTP/2 undici makes one of many headers of a name. */
const writer = { name: 'writer', groups: ['system:masters'] };

/** Headers are read byte by byte; the API server writes UTF-8. */
const decoded = (header: string): string => Buffer.from(header, 'latin1').toString();

describeOnCluster('hostile text', () => {
  const stage = useStage({ purpose: 'hostile', configuration: configurationOf({ exemptions: { byAnnotation: 'always' } }) });

  it('stands in warnings that all arrive, and in an audit annotation', { timeout: 600_000 }, async () => {
    const namespace = await stage.namespace('guided');
    await stage.given(namespace, [deployment]);
    const path = `${addressOf('Service', namespace)}?dryRun=All`;
    const wrong: unknown[] = [];
    for (const text of texts) {
      const broken = (value: string) => service({ selector: { app: 'wbe' }, metadata: { annotations: { [key]: value } } });
      const refused = await stage.cluster.request('POST', path, broken(`moving until ${text} x`), writer);
      const told = refused.warnings.filter((warning) => warning.startsWith(`metadata.annotations[${key}]: `));
      const isTold =
        refused.status === 201 &&
        // A line, or two where the repair has one of its own; the other is about the selector.
        (told.length === 1 || told.length === 2) &&
        refused.warnings.length === told.length + 1 &&
        refused.warnings.every((one) => printable.test(decoded(one)));
      const excused = await stage.cluster.request('POST', path, broken(`a ${text}`.replaceAll('until', '')), writer);
      if (!isTold || excused.status !== 201 || excused.warnings.length > 0) wrong.push([text, refused.warnings, excused.warnings]);
    }
    expect(wrong).toEqual([]);
    const reasons = stage.cluster
      .audit(namespace)
      .map(({ annotations }) => annotations?.['validate.portcullis.dev/rules'] ?? '')
      .filter((one) => one.startsWith('exempt:'));
    expect(reasons).toHaveLength(texts.length);
    for (const reason of reasons) expect(reason).toMatch(/^[ -~]+$/);
  });
});
