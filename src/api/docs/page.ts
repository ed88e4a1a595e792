/** The page on `/docs`, whole without scripts; `docs.js` adds a search and a way to try things. */
import { listPlaces, nameOf, type OpenapiDocument, type Place, type Schema } from './document.ts';
import { fieldList } from './fields.ts';
import { html, paragraphs, sentence, type Html } from './html.ts';
import { operationSection } from './operation.ts';
import { choicesOf } from './type-words.ts';

/** Renders the document. `ORIGIN_MARK` stands where the origin belongs. Pure. */
export function renderDocs(document: OpenapiDocument): string {
  const places = listPlaces(document);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="description" content="Every operation of Headrace’s API with its fields, answers and errors." />
        <title>Headrace API</title>
        <link rel="stylesheet" href="/console.css" />
        <link rel="stylesheet" href="/docs.css" />
        <script type="module" src="/docs.js"></script>
      </head>
      <body class="docs">
        <a class="skip" href="#content">Skip to the content</a>
        ${header()}
        <div class="layout">
          ${navigation(document, places)}
          <main id="content">
            ${introduction(document)} ${document.tags.map((tag) => tagSection(tag, places, document))} ${objectSection(document)}
          </main>
        </div>
      </body>
    </html>`.text;
}

function header(): Html {
  return html`<header class="top">
    <a class="brand" href="/">
      <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M2 6c5 0 5 6 10 6h10M2 12h20M2 18c5 0 5-6 10-6" /></svg>
      <div>
        <h1>Headrace API</h1>
        <p>One API, three kinds of supply</p>
      </div>
    </a>
    <a class="more" href="/">Console</a>
    <a class="more" href="/teams">Teams</a>
    <div class="key" hidden>
      <label for="key">API key</label>
      <input id="key" type="password" placeholder="sk-hr-…" autocomplete="off" spellcheck="false" />
    </div>
  </header>`;
}

function navigation({ tags }: OpenapiDocument, places: readonly Place[]): Html {
  const group = (tag: string) =>
    places
      .filter(({ operation }) => operation.tags[0] === tag)
      .map(
        ({ method, path, operation }) =>
          html`<li>
            <a href="#${operation.operationId}" title="${path}"
              ><span class="method" data-method="${method}">${method.toUpperCase()}</span><span>${operation.summary}</span></a
            >
          </li>`,
      );
  return html`<nav aria-label="Operations">
    <div class="search" hidden>
      <label for="search">Find</label>
      <input id="search" type="search" placeholder="keys, stream, /models…" autocomplete="off" />
    </div>
    <ul>
      <li><a href="#start">Start here</a></li>
    </ul>
    ${tags.map(
      ({ name }) =>
        html`<h2>${name}</h2>
          <ul>
            ${group(name)}
          </ul>`,
    )}
    <h2>Objects</h2>
    <ul>
      <li><a href="#objects">Objects by name</a></li>
    </ul>
  </nav>`;
}

function introduction({ info, components }: OpenapiDocument): Html {
  return html`<section id="start" class="panel">
    <h2>Start here</h2>
    ${paragraphs(info.description)}
    <p>This page as data: <a href="/openapi.json">openapi.json</a>. To ask and watch the route: <a href="/">the console</a>.</p>
    ${notes(
      'Keys',
      Object.values(components.securitySchemes).map(({ name = 'Authorization', description }) => [name, description]),
    )}
    ${notes('Headers of requests', toNotes(components.parameters))} ${notes('Headers of answers', toNotes(components.headers))}
  </section>`;
}

type Note = readonly [name: string, description: string];

function toNotes(components: Record<string, { description: string }>): Note[] {
  return Object.entries(components).map(([name, { description }]) => [name, description]);
}

function notes(title: string, rows: readonly Note[]): Html {
  return html`<h4>${title}</h4>
    <dl class="pairs">
      ${rows.map(
        ([name, description]) =>
          html`<div>
            <dt><code>${name}</code></dt>
            <dd>${sentence(description)}</dd>
          </div>`,
      )}
    </dl>`;
}

function tagSection(
  { name, description }: { name: string; description: string },
  places: readonly Place[],
  document: OpenapiDocument,
): Html {
  const own = places.filter(({ operation }) => operation.tags[0] === name);
  return html`<section class="tag">
    <h2>${name}</h2>
    <p class="note">${description}</p>
    ${own.map((place) => operationSection(place, document))}
  </section>`;
}

/** Components by name, which fields and answers link to. A browser unfolds what holds the target of a link. */
function objectSection(document: OpenapiDocument): Html {
  return html`<section id="objects" class="tag">
    <h2>Objects</h2>
    ${Object.entries(document.components.schemas)
      .filter(isLinked(document))
      .map(
        ([name, { description, ...schema }]) =>
          html`<details class="object">
            <summary><h3>${name}</h3></summary>
            <div id="${name}">${description && html`<p>${sentence(description)}</p>`} ${objectFields(schema)}</div>
          </details>`,
      )}
  </section>`;
}

/** Where nothing must be there, nothing is remarkable. */
function objectFields(schema: Schema): Html {
  return html`${choicesOf(schema).map((choice) => fieldList(choice, choice.required ? 'not always' : 'required'))}`;
}

/** Bodies of requests stand with their operations. */
function isLinked(document: OpenapiDocument): (entry: [name: string, schema: Schema]) => boolean {
  const bodies = listPlaces(document).flatMap(({ operation }) => Object.values(operation.requestBody?.content ?? {}));
  const shown = new Set(bodies.map(({ schema }) => nameOf(schema.$ref ?? '')));
  return ([name]) => !shown.has(name);
}
