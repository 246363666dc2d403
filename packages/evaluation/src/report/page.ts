import { html, type Html } from './html.js';
import { style } from './style.js';

/** What a page says. */
export interface PageParts {
  readonly title: string;
  /** One line below the title. */
  readonly lead: string;
  readonly sections: readonly Html[];
}

/** One HTML page that needs nothing else: no script, no font, no picture from elsewhere. */
export function htmlPage({ title, lead, sections }: PageParts): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${title}</title>
        <style>
          ${{ html: style }}
        </style>
      </head>
      <body>
        <main>
          <header>
            <h1>${title}</h1>
            <p class="lead">${lead}</p>
          </header>
          ${sections}
        </main>
      </body>
    </html> `;
  return page.html;
}
