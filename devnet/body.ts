/** Reading fields of a JSON body. Each reader gives a value or throws a Complaint, which a dialect turns into a refusal. */
import type { EndpointCard, ModelCard, TextModelCard, UnitModelCard, UnitOperation } from './card.ts';
import type { Refusal } from './error-family.ts';

/** Carries a refusal out of nested readers; never leaves the dialect. */
export class Complaint extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** Describes a JSON object whose fields are not yet known. */
export type Fields = Record<string, unknown>;

/** Tells whether a value is a JSON object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Complains about a field with a 400. Never returns. */
export function complain(param: string, message: string, code = 'invalid_value'): never {
  throw new Complaint({ status: 400, message, code, param });
}

/** Runs a parser and gives its refusal instead of throwing it. */
export function catchComplaint<Value>(parse: () => Value): Value | Refusal {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Complaint) return error.refusal;
    throw error;
  }
}

/** Tells a refusal from a parsed job. */
export function isRefusal(value: object): value is Refusal {
  return 'status' in value && 'code' in value;
}

/** Takes the body as an object, or complains. */
export function readBody(body: unknown): Fields {
  return isFields(body) ? body : complain('body', 'The request body must be a JSON object.');
}

/** The most output tokens that a request may ask for. */
export const TOKENS_MAX = 1_000_000;

/** Reads a number within bounds; absent or null gives `fallback`. */
export function readNumber<Fallback>(
  fields: Fields,
  name: string,
  bounds: { min: number; max: number; whole?: boolean },
  fallback: Fallback,
): number | Fallback {
  const value = fields[name];
  if (value === undefined || value === null) return fallback;
  const valid =
    typeof value === 'number' && value >= bounds.min && value <= bounds.max && (bounds.whole !== true || Number.isInteger(value));
  const kind = bounds.whole === true ? 'an integer' : 'a number';
  return valid ? value : complain(name, `'${name}' must be ${kind} from ${bounds.min} to ${bounds.max}.`);
}

/** Reads a list of stop words: a string, or at most 16 strings. */
export function readStop(value: unknown, name: string): string[] {
  if (value === undefined || value === null) return [];
  const words = Array.isArray(value) ? value : [value];
  if (words.length > 16 || !words.every((word) => typeof word === 'string')) complain(name, `'${name}' must be at most 16 strings.`);
  return words;
}

/** Reads a list with at least one element, or complains. */
export function readList(fields: Fields, name: string): unknown[] {
  const value = fields[name];
  return Array.isArray(value) && value.length > 0 ? value : complain(name, `'${name}' must be a list with at least one element.`);
}

/** Reads one of a few words; absent or null gives `fallback`. */
export function readChoice<Word extends string>(fields: Fields, name: string, allowed: readonly Word[], fallback: Word): Word {
  const value = fields[name] ?? fallback;
  return allowed.find((word) => word === value) ?? complain(name, `'${name}' must be one of ${allowed.join(', ')}.`);
}

/** Reads a text that is not empty and has at most so many characters. */
export function readText(fields: Fields, name: string, charactersMax: number): string {
  const value = fields[name];
  const valid = typeof value === 'string' && value !== '' && value.length <= charactersMax;
  return valid ? value : complain(name, `'${name}' must be a string of 1 to ${charactersMax} characters.`);
}

/** Finds the text model that the body names, or complains with a 404. */
export function readTextModel(fields: Fields, card: EndpointCard): TextModelCard {
  return findModel(fields, card, (model) => model.operation === 'chat');
}

/** Finds the model that the body names for an operation, or complains with a 404. */
export function readUnitModel(fields: Fields, card: EndpointCard, operation: UnitOperation): UnitModelCard {
  return findModel(fields, card, (model): model is UnitModelCard => model.operation === operation);
}

function findModel<Found extends ModelCard>(fields: Fields, card: EndpointCard, fits: (model: ModelCard) => model is Found): Found {
  const name = fields['model'];
  if (typeof name !== 'string') complain('model', "'model' must be a string.");
  const found = card.models.filter(fits).find((model) => model.upstreamModel === name);
  if (found !== undefined) return found;
  throw new Complaint({ status: 404, message: `The model \`${name}\` does not exist.`, code: 'model_not_found', param: 'model' });
}

/** Chooses the output limit and complains when prompt and output exceed the context. */
export function limitOutput(model: TextModelCard, promptTokens: number, asked: { tokens: number | null; param: string }): number {
  const wanted = promptTokens + (asked.tokens ?? 1);
  if (wanted > model.context) {
    complain(
      'messages',
      `This model's maximum context length is ${model.context} tokens. However, you requested ${wanted} tokens ` +
        `(${promptTokens} in the messages, ${asked.tokens ?? 1} in the completion). Please reduce the length of the messages or completion.`,
      'context_length_exceeded',
    );
  }
  return Math.min(asked.tokens ?? model.maxOutput, model.maxOutput, model.context - promptTokens);
}
