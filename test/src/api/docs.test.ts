import { describe, expect, it } from 'vitest';
import { html, sentence } from '#src/api/docs/html';
import { ORIGIN_MARK } from '#src/api/docs/curl';
import { listPlaces, type OpenapiDocument } from '#src/api/docs/document';
import { renderDocs } from '#src/api/docs/page';
import { OPENAPI_TEXT } from '#src/api/openapi';
import { fakeApp } from './fake-hall.ts';

const document = JSON.parse(OPENAPI_TEXT) as OpenapiDocument;
const page = renderDocs(document);

describe('the page on /docs', () => {
  it('shows every operation with its path, in the navigation and as a section', () => {
    const places = listPlaces(document);
    expect(places.length).toBeGreaterThan(25);
    for (const { path, operation } of places) {
      expect(page).toContain(`<article id="${operation.operationId}"`);
      expect(page).toContain(`href="#${operation.operationId}"`);
      expect(page).toContain(`<code>${path}</code>`);
    }
  });

  it('leads every link to something', () => {
    const targets = new Set([...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id));
    const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    expect(links.filter((id) => !targets.has(id))).toEqual([]);
    expect(targets.size).toBe([...page.matchAll(/\sid="/g)].length);
  });

  it('labels every field that can be filled in', () => {
    const ids = [...page.matchAll(/<(?:input|textarea)\s[^>]*\bid="([^"]+)"/g)].map(([, id]) => id);
    for (const id of ids) expect(page).toContain(`<label for="${id}"`);
  });

  it('I13: has no inline script, style or handler, which its policy would block', async () => {
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/i);
    const { headers } = await fakeApp().get('/docs');
    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('gives commands for the origin that it is read at', async () => {
    const text = await (await fakeApp().get('/docs')).text();
    expect(text).toContain('curl &quot;https://router.example/v1/chat/completions&quot;');
    expect(text).not.toContain(ORIGIN_MARK);
  });

  it('I13: makes text of a host that is none', async () => {
    const text = await (await fakeApp().get(`$'&lt;"/docs`)).text();
    expect(text).toContain('curl &quot;https://router.example$&#39;&amp;lt;&quot;/v1/chat/completions&quot;');
    expect(text.length).toBeLessThan(page.length * 1.1);
  });
});

describe('markup', () => {
  it('I13: makes text of whatever is put in', () => {
    expect(html`<p>${'<script>alert("1")</script> & \'2\''}</p>`.text).toBe(
      '<p>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;2&#39;</p>',
    );
    expect(sentence('a `<b>` c').text).toBe('a <code>&lt;b&gt;</code> c');
    expect(html`${[html`<i>${0}</i>`, false, null]}`.text).toBe('<i>0</i>');
  });
});
