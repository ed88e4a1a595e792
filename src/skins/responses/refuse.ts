/** What a router without state cannot do, refused by name and with what to do instead. */
import { GatewayError } from '#schema/error';
import { isJsonObject } from '../json-object.ts';

const SEND_ALL = 'nothing is stored here: send the whole conversation in `input`';

const REFUSED_FIELDS: Readonly<Record<string, string>> = {
  store: `${SEND_ALL}, and leave \`store\` out or false`,
  previous_response_id: SEND_ALL,
  conversation: SEND_ALL,
  background: 'answers are given while the request is open: leave it out, and use `stream` for long ones',
  prompt: 'no templates are stored here: send their text as `instructions` and `input`',
  context_management: 'input is never compacted here: shorten the conversation before you send it',
};

const ITEM_TYPES: ReadonlySet<unknown> = new Set(['message', 'function_call', 'function_call_output', 'reasoning']);
const TOOL_CHOICE_TYPES: ReadonlySet<unknown> = new Set(['function', 'allowed_tools']);
const USE_FUNCTIONS = 'no tools run here: declare a `function` tool, run it yourself and answer its call with a function_call_output item';

/** Throws GatewayError `invalid_request` for stateful fields, hosted tools and items that only a store or a hosted tool could make. */
export function refuseUnsupported(body: unknown): void {
  if (!isJsonObject(body)) return;
  for (const [field, instead] of Object.entries(REFUSED_FIELDS)) {
    // `false` and null are how clients say no.
    if (Object.hasOwn(body, field) && body[field] !== null && body[field] !== false) throw refusal(field, `'${field}'`, instead);
  }
  for (const [index, item] of listOf(body['input'])) refuseItem(item, `input.${index}`);
  for (const [index, tool] of listOf(body['tools'])) refuseTool(tool, `tools.${index}`);
  refuseToolChoice(body['tool_choice']);
}

function refuseItem(item: unknown, param: string): void {
  const type = typeOf(item);
  if (type === undefined || ITEM_TYPES.has(type)) {
    const field = type === 'function_call_output' ? 'output' : 'content';
    for (const [index, part] of partsOf(item, field)) refuseFileId(part, `${param}.${field}.${index}`);
    return;
  }
  const instead = type === 'item_reference' ? SEND_ALL : 'say what it holds in a message, or leave it out';
  throw refusal(param, `input of type '${nameOf(type)}'`, instead);
}

function refuseFileId(part: unknown, param: string): void {
  if (!isJsonObject(part) || typeof part['file_id'] !== 'string') return;
  const instead = 'no files are stored here: send the file itself as `image_url`, `file_data` or `file_url`';
  throw refusal(`${param}.file_id`, "'file_id'", instead);
}

function refuseTool(tool: unknown, param: string): void {
  const type = typeOf(tool);
  if (type !== undefined && type !== 'function') throw refusal(param, `the tool '${nameOf(type)}'`, USE_FUNCTIONS);
}

function refuseToolChoice(choice: unknown): void {
  const type = typeOf(choice);
  if (type !== undefined && !TOOL_CHOICE_TYPES.has(type)) throw refusal('tool_choice', `the tool '${nameOf(type)}'`, USE_FUNCTIONS);
}

function refusal(param: string, what: string, instead: string): GatewayError {
  return new GatewayError('invalid_request', `Not supported: ${what}; ${instead}.`, { param });
}

function typeOf(value: unknown): string | undefined {
  return isJsonObject(value) && typeof value['type'] === 'string' ? value['type'] : undefined;
}

function listOf(value: unknown): Iterable<[number, unknown]> {
  return Array.isArray(value) ? value.entries() : [];
}

function partsOf(item: unknown, field: string): Iterable<[number, unknown]> {
  return isJsonObject(item) ? listOf(item[field]) : [];
}

/** Types of the APIs are names; whatever else a caller wrote is not repeated. */
function nameOf(type: string): string {
  return /^[\w:.-]{1,60}$/.test(type) ? type : '…';
}
