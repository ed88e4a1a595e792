/** Fields of an object, each with its type and meaning; objects inside unfold. */
import { html, sentence, type Html } from './html.ts';
import type { Schema } from './document.ts';
import { choicesOf, limits, typeWords } from './type-words.ts';

const DEPTH_MAX = 5;

/** What is remarkable of a field: that a request must have it, or that an answer may lack it. */
export type Mark = 'required' | 'not always';

/** Writes the fields of an object schema, required ones first. */
export function fieldList({ properties = {}, required = [] }: Schema, mark: Mark, depth = 0): Html {
  const isRequired = (name: string) => required.includes(name);
  const fields = Object.entries(properties).toSorted(([one], [other]) => Number(isRequired(other)) - Number(isRequired(one)));
  const rows = fields.map(([name, schema]) => fieldRow(name, schema, isRequired(name) === (mark === 'required'), mark, depth));
  return html`<ul class="fields">
    ${rows}
  </ul>`;
}

/** Writes one field, with its mark where it is remarkable. */
export function fieldRow(name: string, schema: Schema, isMarked: boolean, mark: Mark, depth = 0): Html {
  return html`<li>
    <code class="name">${name}</code> <span class="type">${typeWords(schema)}${limits(schema)}</span>${
      isMarked && html` <span class="badge" data-kind="${mark}">${mark}</span>`
    }
    ${schema.description && html`<p>${sentence(schema.description)}</p>`} ${unfolding(schema, mark, depth)}
  </li>`;
}

/** Writes what is inside a field, folded; nothing where it holds no objects of its own. */
function unfolding(schema: Schema, mark: Mark, depth: number): Html | false {
  const objects = objectsIn(schema);
  if (objects.length === 0 || depth >= DEPTH_MAX) return false;
  return html`${objects.map(
    (object) =>
      html`<details>
        <summary>${titleOf(object)}</summary>
        ${fieldList(object, mark, depth + 1)}
      </details>`,
  )}`;
}

function objectsIn(schema: Schema): Schema[] {
  return choicesOf(schema).flatMap((choice) => {
    if (choice.items) return objectsIn(choice.items);
    return choice.properties && Object.keys(choice.properties).length > 0 ? [choice] : [];
  });
}

/** Names an alternative after the field that tells it from the others. */
function titleOf({ properties = {} }: Schema): Html {
  for (const teller of ['role', 'type']) {
    const { const: value, enum: values } = properties[teller] ?? {};
    if (value !== undefined) return html`with ${teller} <code>${String(value)}</code>`;
    if (values !== undefined && teller === 'role') return html`with ${teller} ${values.map((one) => html`<code>${String(one)}</code> `)}`;
  }
  const names = Object.keys(properties);
  return html`${names.length} ${names.length === 1 ? 'field' : 'fields'}: ${names.slice(0, 4).join(', ')}${names.length > 4 && ' …'}`;
}
