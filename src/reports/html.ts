/** One page that opens from disk: everything is in it, nothing is asked of a network, and nothing runs but one script known by its hash. */
import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { display } from '../kube/display.ts';
import { integrity } from './digest.ts';
import { findingsSection } from './html-findings.ts';
import { pictureSection } from './html-picture.ts';
import { script } from './html-script.ts';
import { otherSections, type Section, summaryPart } from './html-sections.ts';
import { style } from './html-style.ts';
import type { Report, ReportOptions } from './report.ts';
import { counted, heading } from './summary.ts';

const policy = [
  `default-src 'none'`,
  `style-src '${integrity(style)}'`,
  `script-src '${integrity(script)}'`,
  'img-src data:',
  `base-uri 'none'`,
  `form-action 'none'`,
].join('; ');

/** The page as text. What people wrote into their objects is text in it, and nothing else. */
export function htmlReport(report: Report, options: ReportOptions = {}): string {
  const title = report.cluster === undefined ? counted(report.files, 'file') : display(report.cluster);
  return `<!doctype html>\n${renderToString(page(report, options, title))}\n`;
}

function page(report: Report, options: ReportOptions, title: string): VNode {
  const sections: readonly Section[] = [
    ...(options.picture === undefined ? [] : [pictureSection(options.picture)]),
    ...otherSections(report, options),
  ];
  return html`<html lang="en">
    <head>
      <meta charset="utf-8"/>
      <meta http-equiv="Content-Security-Policy" content=${policy}/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="referrer" content="no-referrer"/>
      <meta name="generator" content="Portcullis"/>
      <title>${title}: network findings</title>
      <style dangerouslySetInnerHTML=${{ __html: style }}></style>
    </head>
    <body>
      <a class="skip" href="#findings">To the findings</a>
      <header>
        <p class="eyebrow">Portcullis · network findings</p>
        <h1>${title}</h1>
        <p class="soft">${heading(report)}</p>
        ${contents(sections)}
      </header>
      <main>
        <section aria-label="Summary">${summaryPart(report)}</section>
        ${findingsSection(report, options)}
        ${sections.map(({ id, title: name, content }) => html`<section id=${id} aria-labelledby=${`${id}-title`}><h2 id=${`${id}-title`}>${name}</h2>${content}</section>`)}
      </main>
      <footer class="soft">${counted(report.objects, 'object')} judged. Made by Portcullis${options.version === undefined ? '' : ` ${display(options.version)}`}; this page asks nothing of any network.</footer>
      <script dangerouslySetInnerHTML=${{ __html: script }}></script>
    </body>
  </html>` as VNode;
}

const contents = (sections: readonly Section[]) =>
  html`<nav aria-label="On this page"><ul>${[{ id: 'findings', title: 'Findings' }, ...sections].map(({ id, title }) => html`<li><a href=${`#${id}`}>${title}</a></li>`)}</ul></nav>`;
