/** Each form of three reports, as files to be read: `npm run golden` writes them. */
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { reports } from '../../src/reports/index.ts';
import { clusterReport, comparedReport, fullReport, options } from './sample.ts';

const samples = { files: fullReport, cluster: clusterReport, baseline: comparedReport };
const endings = {
  text: 'txt',
  json: 'json',
  markdown: 'md',
  sarif: 'sarif',
  junit: 'xml',
  github: 'github.txt',
  gitlab: 'gitlab.json',
} as const;
const formats = Object.keys(endings) as readonly (keyof typeof endings)[];

const cases = Object.entries(samples).flatMap(([name, report]) =>
  formats.map((format) => ({ file: `${name}.${endings[format]}`, format, report })),
);

it.each(cases)('$file', async ({ file, format, report }) => {
  await expect(reports[format](report, options)).toMatchFileSnapshot(`golden/${file}`);
});

it('holds no others', () => expect(readdirSync(`${import.meta.dirname}/golden`).sort()).toEqual(cases.map(({ file }) => file).sort()));
