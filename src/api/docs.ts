/** `GET /docs`: the description of the API to read, rendered once per isolate. */
import type { Hono } from 'hono';
import { respondFile } from './console.ts';
import { ORIGIN_MARK } from './docs/curl.ts';
import type { OpenapiDocument } from './docs/document.ts';
import { html } from './docs/html.ts';
import { renderDocs } from './docs/page.ts';
import { OPENAPI_TEXT } from './openapi.ts';

/** Adds the page to an app. Like the console it carries no CORS headers. */
export function mountDocs(app: Hono): void {
  let page: string | undefined;
  app.get('/docs', (c) => {
    page ??= renderDocs(JSON.parse(OPENAPI_TEXT) as OpenapiDocument);
    // The caller chose the host: it may be none, hold quotes, or `$'`, which a replacement text would act on.
    const origin = html`${originOf(c.req.url)}`.text;
    return respondFile(c, { contentType: 'text/html; charset=utf-8', text: page.replaceAll(ORIGIN_MARK, () => origin) });
  });
}

function originOf(url: string): string {
  return url.slice(0, url.indexOf('/', url.indexOf('//') + 2));
}
