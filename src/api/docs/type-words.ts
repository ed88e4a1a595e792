/** What a schema allows, in few words. */
import { html, type Html } from './html.ts';
import { nameOf, type Schema } from './document.ts';

const VALUES_MAX = 16;

/** Says which type of value it is. Components are links. */
export function typeWords(schema: Schema): Html {
  const choices = choicesOf(schema);
  if (choices.length > 1) return joined(unique(choices.map(oneType)));
  return oneType(choices[0] ?? schema);
}

/** The alternatives of a schema, null left out where there are others. */
export function choicesOf(schema: Schema): Schema[] {
  const choices = (schema.anyOf ?? schema.oneOf)?.flatMap(choicesOf) ?? [schema];
  const said = choices.filter(({ type }) => type !== 'null');
  return said.length > 0 ? said : choices;
}

function oneType(schema: Schema): Html {
  if (schema.$ref) return html`<a href="#${nameOf(schema.$ref)}">${nameOf(schema.$ref)}</a>`;
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (schema.items) return html`list of ${typeWords(schema.items)}`;
  if (Array.isArray(schema.type)) return html`${schema.type.filter((type) => type !== 'null').join(' or ')}`;
  if (schema.format === 'binary') return html`file`;
  return html`${schema.type ?? 'anything'}`;
}

function unique(types: readonly Html[]): Html[] {
  return [...new Map(types.map((type) => [type.text, type])).values()];
}

function joined(types: readonly Html[]): Html {
  return html`${types.map((type, at) => html`${at > 0 && ' or '}${type}`)}`;
}

/** Says what else holds of the value: whether it may be null, its words, its bounds, its default. */
export function limits(schema: Schema): Html {
  const [first = schema] = choicesOf(schema);
  const said = [allowsNull(schema) && html`or null`, words(first), html`${bounds(first)}`, defaultOf(schema)];
  return html`${said.filter((one) => one instanceof Object && one.text !== '').map((one) => html` <span class="limit">${one as Html}</span>`)}`;
}

function allowsNull({ anyOf, oneOf, type }: Schema): boolean {
  return (anyOf ?? oneOf ?? []).some((choice) => choice.type === 'null') || (Array.isArray(type) && type.includes('null'));
}

function words(schema: Schema): Html | false {
  const values = schema.enum ?? schema.items?.enum;
  if (values === undefined) return false;
  const shown = values.slice(0, VALUES_MAX).map((value) => html`<code>${String(value)}</code> `);
  return html`${shown}${values.length > VALUES_MAX && '…'}`;
}

function bounds({ minimum, exclusiveMinimum, maximum, maxLength, maxItems }: Schema): string {
  const least = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum === 0 ? 'above 0' : `above ${exclusiveMinimum}`);
  if (least !== undefined && maximum !== undefined) return `${least} to ${maximum.toLocaleString('en')}`;
  if (typeof least === 'number') return `at least ${least}`;
  if (maximum !== undefined) return `at most ${maximum.toLocaleString('en')}`;
  if (maxLength !== undefined) return `at most ${maxLength.toLocaleString('en')} characters`;
  if (maxItems !== undefined) return `at most ${maxItems.toLocaleString('en')}`;
  return typeof least === 'string' ? least : '';
}

function defaultOf({ default: value }: Schema): Html | false {
  return value !== undefined && html`else <code>${typeof value === 'string' ? value : JSON.stringify(value)}</code>`;
}
