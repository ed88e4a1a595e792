/** Reads fields of somebody's `config.json`: sizes are whole, positive and not absurd, and what is missing is named. */
import { CapacityProblem } from './problem.ts';

/** Larger than any dimension, vocabulary or context of a model. */
const SIZE_MAX = 1e9;

/** A `config.json`, or the part of it that describes the language model. */
export interface ConfigFields {
  /** What `model_type` says, empty where nothing does. */
  modelType: string;
  /** Reads a size by the first name that is there; null when none is. */
  size(...names: string[]): number | null;
  /** Reads a size. Throws CapacityProblem naming the field when none is there. */
  need(...names: string[]): number;
  flag(name: string): boolean | null;
  text(name: string): string | null;
  /** Reads a list; one of layers must have an entry for each. */
  list(name: string, length?: number): readonly unknown[] | null;
  part(name: string): ConfigFields | null;
  /** Reads a part that stands in a list. */
  entry(name: string, index: number): ConfigFields | null;
  /** Reads a number above 0 that need not be whole. */
  number(name: string): number | null;
  /** Puts other fields in place of some. */
  with(fields: Json): ConfigFields;
  /** Tells whether a field is a list, which some are in place of a size. */
  isList(name: string): boolean;
  /** What it was read from. */
  json: Json;
}

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** Where models that also speak keep the part that understands. */
const UNDERSTANDING = 'thinker_config';

/** Where models that also see or hear keep the description of their language model. */
const LANGUAGE_PARTS = ['text_config', 'llm_config', 'language_config'];

/** Opens a `config.json`. Throws CapacityProblem when it is not an object. */
export function openConfig(config: unknown): ConfigFields {
  if (!isObject(config)) throw new CapacityProblem('a config.json is expected to be a JSON object');
  const understanding = own(config, UNDERSTANDING);
  const outer = isObject(understanding) ? understanding : config;
  const nested = LANGUAGE_PARTS.map((name) => own(outer, name)).find(isObject);
  // What is true of the whole, such as the quantization, may stand outside.
  return fieldsOf(outer === config && nested === undefined ? config : { ...config, ...outer, ...nested }, '');
}

function fieldsOf(json: Json, path: string, over: Json = {}): ConfigFields {
  const field = (name: string): unknown => own(Object.hasOwn(over, name) ? over : json, name);
  const size = (...names: string[]): number | null => {
    for (const name of names) {
      const value = field(name) ?? null;
      if (value === null) continue;
      if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > SIZE_MAX) {
        throw new CapacityProblem(`config.json: '${path}${name}' must be a whole number from 0 to ${SIZE_MAX}`);
      }
      return value;
    }
    return null;
  };
  const text = (name: string): string | null => {
    const value = field(name);
    return typeof value === 'string' ? value.slice(0, 200) : null;
  };
  return {
    modelType: text('model_type') ?? '',
    size,
    text,
    need(...names) {
      const value = size(...names);
      if (value !== null && value > 0) return value;
      const shown = names.map((name) => `'${path}${name}'`).join(' or ');
      throw new CapacityProblem(value === null ? `config.json has no ${shown}` : `config.json: ${shown} must be above 0`);
    },
    flag(name) {
      const value = field(name);
      return typeof value === 'boolean' ? value : null;
    },
    list(name, length) {
      const value = field(name) ?? null;
      if (value === null) return null;
      if (!Array.isArray(value) || value.length !== (length ?? value.length)) {
        const extent = length === undefined ? '' : ` of ${length} entries, one for each layer`;
        throw new CapacityProblem(`config.json: '${path}${name}' must be a list${extent}`);
      }
      return value;
    },
    part(name) {
      const value = field(name);
      return isObject(value) ? fieldsOf(value, `${path}${name}.`) : null;
    },
    entry(name, index) {
      const list = field(name);
      const value: unknown = Array.isArray(list) ? list[index] : undefined;
      return isObject(value) ? fieldsOf(value, `${path}${name}[${index}].`) : null;
    },
    number(name) {
      const value = field(name) ?? null;
      if (value === null || (typeof value === 'number' && value > 0 && value <= SIZE_MAX)) return value;
      throw new CapacityProblem(`config.json: '${path}${name}' must be a number above 0, up to ${SIZE_MAX}`);
    },
    with: (fields) => fieldsOf(json, path, { ...over, ...fields }),
    isList: (name) => Array.isArray(field(name)),
    json,
  };
}

function own(json: Json, name: string): unknown {
  return Object.hasOwn(json, name) ? json[name] : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
