/** The answer panel: text as it arrives, and errors that can be read. */
import { badge, element, show, termList } from './element.js';
import { formatWord } from './format.js';

/** Opens an empty answer in a node and returns how to write to it. Everything that is written stays text. */
export function openAnswer(node) {
  const reasoning = element('p', { class: 'reasoning', hidden: true });
  const content = element('p', { class: 'content' });
  show(node, reasoning, content);
  return {
    /** Takes one chunk of a stream or a whole answer. */
    write(chunk) {
      const choice = chunk.choices?.[0];
      const delta = choice?.delta ?? choice?.message;
      if (delta?.reasoning) {
        reasoning.removeAttribute('hidden');
        reasoning.append(document.createTextNode(delta.reasoning));
      }
      const text = delta?.content || delta?.refusal;
      if (text) content.append(document.createTextNode(text));
    },
  };
}

/** Describes an error: what happened, where in the request, and which filters excluded how many endpoints. */
export function errorCard(failure) {
  const { body, headers } = failure;
  const retryAfter = headers?.get('retry-after');
  const metadata = body?.metadata ?? {};
  const title = body ? formatWord(metadata.headrace_code ?? metadata.error_type ?? body.type) : 'no answer';
  const excluded = (metadata.excluded_by ?? []).map(({ filter, subject, endpoints }) =>
    element('li', {}, badge(filter, 'filter'), ` ${formatWord(subject)}: ${endpoints} ${endpoints === 1 ? 'endpoint' : 'endpoints'}`),
  );
  return element(
    'div',
    { class: 'error' },
    element('h3', {}, failure.status ? `${failure.status} · ${title}` : title),
    element('p', {}, failure.message),
    termList([
      ['field', body?.param ? element('code', {}, body.param) : null],
      ['retry after', retryAfter ? `${retryAfter} s` : null],
    ]),
    excluded.length > 0 && element('ul', { class: 'excluded', 'aria-label': 'Excluded by' }, ...excluded),
  );
}
