/** One operation on the page. */
import { exampleBody, examplePath, exampleQuery, toCurl } from './curl.ts';
import { nameOf, ownParameters, resolve, type OpenapiDocument, type Operation, type Place } from './document.ts';
import { fieldList, fieldRow } from './fields.ts';
import { html, paragraphs, sentence, type Html } from './html.ts';
import { typeWords } from './type-words.ts';

const KEY_WORDS: Readonly<Record<string, string>> = { key: 'inference key', managementKey: 'management key' };

/** Writes an operation: what it takes and gives on one side, how to call it on the other. */
export function operationSection(place: Place, document: OpenapiDocument): Html {
  const { method, path, operation } = place;
  return html`<article id="${operation.operationId}" class="operation">
    <h3>${operation.summary} <a class="anchor" href="#${operation.operationId}" aria-label="Link to ${operation.summary}">#</a></h3>
    <p class="route">
      <span class="method" data-method="${method}">${method.toUpperCase()}</span> <code>${path}</code>
      <span class="badge" data-kind="key">${keyWords(operation)}</span>
    </p>
    <div class="sides">
      <div>
        ${operation.description && paragraphs(operation.description)} ${parameterPart(operation)} ${bodyPart(operation, document)}
        ${answerPart(operation)} ${errorPart(operation, document)}
      </div>
      <div class="side">
        <pre tabindex="0"><code>${toCurl(place)}</code></pre>
        ${tryPart(place)}
      </div>
    </div>
  </article>`;
}

function keyWords({ security }: Operation): string {
  if (security.length === 0) return 'no key';
  const [name = 'key'] = Object.keys(security[0] ?? {});
  return security.some((way) => Object.keys(way).length === 0) ? 'key optional' : (KEY_WORDS[name] ?? name);
}

function parameterPart(operation: Operation): Html | false {
  const parameters = ownParameters(operation);
  if (parameters.length === 0) return false;
  const rows = parameters.map(({ name, required, description, schema }) =>
    fieldRow(name, { ...schema, ...(description && { description }) }, required, 'required'),
  );
  return html`<h4>Parameters</h4>
    <ul class="fields">
      ${rows}
    </ul>`;
}

function bodyPart({ requestBody }: Operation, document: OpenapiDocument): Html | false {
  if (!requestBody) return false;
  return html`${Object.entries(requestBody.content).map(
    ([type, { schema }]) =>
      html`<h4>Body <span class="note">${type}</span></h4>
        ${fieldList(resolve(schema, document), 'required')}`,
  )}`;
}

function answerPart({ responses }: Operation): Html {
  const [status = '200', good] = Object.entries(responses)[0] ?? [];
  if (!good || !('content' in good)) return html``;
  return html`<h4>Answer <span class="note">${status}</span></h4>
    <dl class="pairs">
      ${Object.entries(good.content).map(
        ([type, { schema }]) =>
          html`<div>
            <dt><code>${type}</code></dt>
            <dd>${type === 'text/event-stream' && 'events of '}${typeWords(schema)}</dd>
          </div>`,
      )}
    </dl>`;
}

function errorPart({ responses }: Operation, { components }: OpenapiDocument): Html | false {
  const failures = Object.entries(responses).flatMap(([status, response]) =>
    '$ref' in response ? [{ status, codes: components.responses[nameOf(response.$ref)]?.description ?? '' }] : [],
  );
  if (failures.length === 0) return false;
  return html`<details class="answer">
    <summary>Errors <span class="note">${failures.map(({ status }) => status).join(' ')}</span></summary>
    <dl class="pairs">
      ${failures.map(
        ({ status, codes }) =>
          html`<div>
            <dt>${status}</dt>
            <dd>${sentence(codes)}</dd>
          </div>`,
      )}
    </dl>
  </details>`;
}

/** The form is shown where scripts run. */
function tryPart(place: Place): Html {
  const { method, operation } = place;
  const body = exampleBody(operation);
  const id = `try-${operation.operationId}`;
  return html`<details class="try" hidden>
    <summary>Try it</summary>
    <form data-method="${method.toUpperCase()}">
      <label for="${id}-path">Path</label>
      <input id="${id}-path" name="path" value="${examplePath(place)}${exampleQuery(operation)}" spellcheck="false" autocomplete="off" />
      ${
        body !== undefined &&
        html`<label for="${id}-body">Body</label>
          <textarea id="${id}-body" name="body" rows="8" spellcheck="false">${JSON.stringify(body, null, 2)}</textarea>`
      }
      <div class="actions"><button type="submit" class="primary">Send</button></div>
      <output class="outcome" aria-live="polite"></output>
    </form>
  </details>`;
}
