/** The page as people have it: a file, opened in a browser. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { check } from '../../src/commands/check.ts';
import { draw } from '../../src/commands/draw.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { Resource } from '../../src/kube/resources.ts';
import { htmlReport } from '../../src/reports/html.ts';
import { snapshotOf } from '../admission/reviews.ts';
import { fakeTerminal } from '../commands/terminal.ts';
import { emptyReport } from '../reports/sample.ts';
import { describeInChromium, launchChromium } from '../support/chromium.ts';
import { hostileTexts } from '../support/hostile-text.ts';
import { writeBroken, writeLarge } from './sample.ts';

const scratch = mkdtempSync(join(tmpdir(), 'portcullis-page-'));
let browser: Browser;
/** What went wrong on any page, and every address that was asked for. */
const complaints: string[] = [];
const asked: string[] = [];

async function pageOf(manifests: string, file: string): Promise<string> {
  const terminal = fakeTerminal();
  await check([manifests], { output: 'html', failOn: 'high', assumeComplete: true }, terminal);
  writeFileSync(join(scratch, file), terminal.written.out);
  return join(scratch, file);
}

async function open(file: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(pathToFileURL(file).href);
  return page;
}

/** Also what no button opens: the drawings and the table. */
const openAll = (page: Page): Promise<void> =>
  page.evaluate(() => {
    for (const one of document.querySelectorAll('details')) one.open = true;
  });

const shownOf = (page: Page): Promise<number> => page.locator('.finding:visible').count();
const overflowOf = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** What axe finds of the graver kinds. Its script comes through the debugger: the page's own policy would refuse it. */
async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    interface Violation {
      readonly id: string;
      readonly impact: string;
      readonly nodes: readonly { readonly html: string }[];
    }
    const { violations } = await (globalThis as unknown as { axe: { run(): Promise<{ violations: readonly Violation[] }> } }).axe.run();
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    return grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  });
}

describeInChromium('the page in a browser', () => {
  let broken: string;
  let large: string;

  beforeAll(async () => {
    browser = await launchChromium();
    broken = await pageOf(writeBroken(join(scratch, 'broken')), 'broken.html');
    large = await pageOf(writeLarge(join(scratch, 'large'), 300), 'large.html');
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  it('asks for nothing but itself, and says nothing on the console', async () => {
    complaints.length = asked.length = 0;
    const page = await open(broken);
    await page.getByRole('button', { name: 'Open all' }).click();
    await page.waitForTimeout(200);
    expect(asked).toEqual([pathToFileURL(broken).href]);
    expect(complaints).toEqual([]);
  });

  it('finds, filters and groups, and says how many are left', async () => {
    const page = await open(broken);
    const all = await page.locator('.finding').count();
    expect(all).toBeGreaterThan(30);
    expect(await shownOf(page)).toBe(all);
    const hits = page.getByRole('status');
    expect(await hits.textContent()).toBe(`All ${all} findings are shown`);

    await page.getByLabel('Namespace', { exact: true }).selectOption('search');
    const inSearch = await page.locator('.finding[data-namespace=search]').count();
    expect(await shownOf(page)).toBe(inSearch);
    expect(await hits.textContent()).toBe(`${inSearch} of ${all} findings are shown`);

    await page.getByLabel('Search in everything').fill('selector-typo frontned');
    expect(await shownOf(page)).toBe(1);
    await page.getByLabel('Search in everything').fill('nothing has this');
    expect(await page.getByText('No finding fits.').isVisible()).toBe(true);

    await page.getByRole('button', { name: 'Reset' }).click();
    expect(await shownOf(page)).toBe(all);
    await page.getByLabel('Group by').selectOption('rule');
    const rules = await page
      .locator('.finding')
      .evaluateAll((those) =>
        [...new Set(those.map((one) => (one as HTMLElement).dataset['rule'] ?? ''))].sort((a, b) => (a < b ? -1 : 1)),
      );
    expect(await page.locator('.group h3').evaluateAll((titles) => titles.map((title) => title.firstChild?.textContent))).toEqual(rules);
    await page.getByRole('link', { name: 'tls-secret-missing' }).first().click();
    expect(await shownOf(page)).toBe(4);
    expect(await page.locator('.group:visible h3').textContent()).toBe('tls-secret-missing 4');
  });

  it('is worked with the keyboard alone', async () => {
    const page = await open(broken);
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('To the findings');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('by-search');
    expect(await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle)).toBe('solid');
    await page.keyboard.type('frontned');
    expect(await shownOf(page)).toBe(4);
    for (let presses = 0; presses < 20; presses += 1) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(() => document.activeElement?.tagName === 'SUMMARY')) break;
    }
    await page.keyboard.press('Enter');
    expect(await page.locator('.finding details[open]').count()).toBe(1);
    expect(await page.locator('.finding details[open] .body').isVisible()).toBe(true);
  });

  it('copies a fix', async () => {
    const page = await open(broken, { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByRole('button', { name: 'Open all' }).click();
    await page.locator('.copy').first().click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toBe(await page.locator('.finding pre').first().textContent());
  });

  it.each([320, 375])('fits a phone of %i pixels, closed and open', async (width) => {
    const page = await open(broken, { viewport: { width, height: 700 } });
    expect(await overflowOf(page)).toBe(0);
    await openAll(page);
    expect(await overflowOf(page)).toBe(0);
  });

  it.each(['light', 'dark'] as const)('has no barrier that axe can see, in %s', async (colorScheme) => {
    const page = await open(broken, { colorScheme });
    await openAll(page);
    expect(await violationsOf(page)).toEqual([]);
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(background).toBe(colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 24, 29)');
  });

  it('prints everything, without what is only for screens', async () => {
    const page = await open(broken, { javaScriptEnabled: false });
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('#controls').isVisible()).toBe(false);
    const bodies = page.locator('.finding .body, #picture svg, #picture tbody');
    expect(await bodies.evaluateAll((all) => all.filter((one) => !one.checkVisibility()).length)).toBe(0);
    const pdf = await page.pdf();
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdf.length).toBeGreaterThan(50_000);
  });

  it('is all there without its script', async () => {
    const page = await open(broken, { javaScriptEnabled: false });
    expect(await page.locator('#controls').isVisible()).toBe(false);
    expect(await shownOf(page)).toBeGreaterThan(30);
    await page.locator('.finding summary').first().click();
    expect(await page.locator('.finding .body').first().isVisible()).toBe(true);
  });

  it('draws each namespace of a large cluster, wires that are broken marked by more than colour', async () => {
    const page = await open(large);
    expect(await page.locator('.picture svg').count()).toBe(12);
    expect(await page.locator('.picture').first().locator('.node').count()).toBe(50);
    expect(
      await page
        .locator('.picture')
        .first()
        .evaluate(({ scrollTop }) => scrollTop),
    ).toBeGreaterThan(100);
    expect(statSync(large).size).toBeLessThan(2_000_000);
    const marked = await open(broken);
    const wire = marked.locator('.picture:visible .edge.broken').first();
    expect(await wire.locator('path').getAttribute('stroke-dasharray')).not.toBeNull();
    expect(await wire.locator('text').first().textContent()).toMatch(/^✕ /);
    const rows = await marked.locator('#picture tbody tr').count();
    const told = await marked.locator('#picture p').first().textContent();
    expect(told).toMatch(new RegExp(`^${rows} connections, \\d+ broken`));
  });

  it('shows as text what people wrote into names, in the drawing too', async () => {
    complaints.length = asked.length = 0;
    const texts = hostileTexts.filter((text, index) => text.length < 300 && (index % 97 === 0 || /[<>&"\\]/.test(text))).slice(0, 140);
    const service = (name: string): Resource =>
      normalize({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace: 'a', name },
        spec: { type: 'ExternalName', externalName: `to ${name}` },
      }) as Resource;
    const snapshot = snapshotOf().with([...new Set(texts)].map(service));
    const file = join(scratch, 'hostile.html');
    writeFileSync(file, htmlReport(emptyReport, { picture: await draw(snapshot, emptyReport, { format: 'html' }) }));
    const page = await open(file);
    const elements = await page
      .locator('.picture svg *')
      .evaluateAll((all) => [...new Set(all.map(({ tagName }) => tagName.toLowerCase()))].sort());
    expect(elements).toEqual(['ellipse', 'g', 'path', 'polygon', 'text', 'title']);
    const attributes = await page
      .locator('.picture svg *')
      .evaluateAll((all) => all.flatMap((one) => one.getAttributeNames()).filter((name) => /^on|href|style/.test(name)));
    expect(attributes).toEqual([]);
    expect(await page.locator('.picture .node.service').count()).toBeGreaterThan(60);
    expect(complaints).toEqual([]);
    expect(asked).toHaveLength(1);
  });
});
