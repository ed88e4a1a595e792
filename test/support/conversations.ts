/** The conversational APIs beside chat as their clients meet them: how each is asked, and where it says its words, its cost and its errors. */
import { createParser } from 'eventsource-parser';
import { MODEL, type House } from './house.ts';

export type Json = Record<string, unknown>;

/** One event of a stream; `data` is null for `[DONE]`. */
export interface SaidEvent {
  event: string | undefined;
  data: Json | null;
}

/** An answer read to its end, whichever API and form it came in. */
export interface Said {
  id: string;
  text: string;
  promptTokens: number;
  completionTokens: number;
  /** USD. */
  cost: number;
  /** The body of a whole answer, or the last event that holds the usage. */
  body: Json;
  /** Empty for a whole answer. */
  events: SaidEvent[];
}

/** What a client makes of an error, before or after the first byte. */
export interface SaidError {
  /** Status written inside: the integer code or the API's own word for it. */
  code: unknown;
  message: string;
  param: string | null;
  errorType: unknown;
}

interface Surface {
  path: string;
  /** The smallest request. */
  hello: Json;
  /** Where a body of this API holds a text of the user. */
  saying(text: string): Json;
  /** The text of a whole answer. */
  textOf(body: Json): string;
  /** The text that one event adds. */
  deltaOf(event: Json): string;
  /** The object that has the usage: a whole answer, or an event of a stream. */
  holderOf(event: Json): Json | undefined;
  countsOf(usage: Json): [promptTokens: number, completionTokens: number];
  /** The error of an event or of a body; null where there is none. */
  errorOf(event: Json): SaidError | null;
}

const USER_SAYS = (content: unknown) => ({ messages: [{ role: 'user', content }] });

const SURFACES = {
  responses: {
    path: '/responses',
    hello: { input: 'Say hello.' },
    saying: (text) => ({ input: text }),
    textOf: (body) =>
      (body['output'] as { type: string; content?: { text?: string }[] }[])
        .filter(({ type }) => type === 'message')
        .flatMap(({ content = [] }) => content)
        .map(({ text = '' }) => text)
        .join(''),
    deltaOf: ({ type, delta }) => (type === 'response.output_text.delta' ? String(delta) : ''),
    holderOf: (event) => (event['object'] === 'response' ? event : ((event['response'] ?? undefined) as Json | undefined)),
    countsOf: (usage) => [Number(usage['input_tokens']), Number(usage['output_tokens'])],
    errorOf(event) {
      const response = event['response'] as Json | undefined;
      const error = response?.['error'] as Json | null | undefined;
      if (!error) return openAiError(event);
      return { code: error['code'], message: String(error['message']), param: null, errorType: response?.['error_type'] };
    },
  },
  messages: {
    path: '/messages',
    hello: { max_tokens: 100, ...USER_SAYS('Say hello.') },
    saying: USER_SAYS,
    textOf: (body) => (body['content'] as { text?: string }[]).map(({ text = '' }) => text).join(''),
    deltaOf: ({ delta }) => (delta as { text?: string } | undefined)?.text ?? '',
    holderOf: (event) => (event['type'] === 'message' || event['type'] === 'message_delta' ? event : undefined),
    countsOf: (usage) => [
      Number(usage['input_tokens']) + Number(usage['cache_read_input_tokens']) + Number(usage['cache_creation_input_tokens']),
      Number(usage['output_tokens']),
    ],
    errorOf(event) {
      if (event['type'] !== 'error') return null;
      const error = event['error'] as Json;
      const param = (error['param'] ?? null) as string | null;
      return { code: error['type'], message: String(error['message']), param, errorType: error['error_type'] };
    },
  },
  completions: {
    path: '/completions',
    hello: { prompt: 'Say hello.' },
    saying: (text) => ({ prompt: text }),
    textOf: firstText,
    deltaOf: firstText,
    holderOf: (event) => event,
    countsOf: (usage) => [Number(usage['prompt_tokens']), Number(usage['completion_tokens'])],
    errorOf: openAiError,
  },
} as const satisfies Record<string, Surface>;

export type Api = keyof typeof SURFACES;
export const APIS = Object.keys(SURFACES) as Api[];

/** Every API, whole and streamed. */
export const FORMS: readonly [api: Api, stream: boolean][] = APIS.flatMap((api) =>
  [false, true].map((stream): [Api, boolean] => [api, stream]),
);

/** How an API is asked and read. */
export function surfaceOf(api: Api): Surface {
  return SURFACES[api];
}

/** POSTs a request; model, key and something to say are filled in when absent. A raw `init.body` wins. */
export function ask(house: House, api: Api, body: object = {}, init: RequestInit = {}): Promise<Response> {
  const { path, hello } = surfaceOf(api);
  return fetch(`${house.url}/v1${path}`, {
    method: 'POST',
    ...init,
    headers: { authorization: `Bearer ${house.key}`, 'content-type': 'application/json', ...(init.headers as Record<string, string>) },
    body: init.body ?? JSON.stringify({ model: MODEL, ...hello, ...body }),
  });
}

/** Reads an answer to its end. */
export async function readSaid(api: Api, response: Response): Promise<Said> {
  const { textOf, deltaOf, holderOf, countsOf } = surfaceOf(api);
  const text = await response.text();
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const events = isStream ? eventsOf(text) : [];
  const said = isStream ? events.flatMap(({ data }) => (data === null ? [] : [data])) : [JSON.parse(text) as Json];
  const body = said.map(holderOf).findLast((holder) => holder?.['usage']) ?? {};
  const usage = (body['usage'] ?? {}) as Json;
  const [promptTokens, completionTokens] = countsOf(usage);
  return {
    id: response.headers.get('x-generation-id') ?? '',
    text: isStream ? said.map(deltaOf).join('') : textOf(body),
    promptTokens,
    completionTokens,
    cost: Number(usage['cost']),
    body,
    events,
  };
}

/** Reads the error with which an answer begins or ends; null where all went well. */
export async function readSaidError(api: Api, response: Response): Promise<SaidError | null> {
  const text = await response.text();
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const last = isStream ? eventsOf(text).at(-1)?.data : (JSON.parse(text) as Json);
  return last ? surfaceOf(api).errorOf(last) : null;
}

/** Reads the part of a receipt that is ours, at once, from `/generation`. */
export async function receiptOf(house: House, id: string): Promise<Json> {
  const response = await house.get(`/v1/generation?id=${id}`);
  return ((await response.json()) as { data: { headrace: Json } }).data.headrace;
}

/** Parses the events of a whole stream; comments are left out. */
export function eventsOf(text: string): SaidEvent[] {
  const events: SaidEvent[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => void events.push({ event, data: data === '[DONE]' ? null : (JSON.parse(data) as Json) }),
  });
  parser.feed(text);
  return events;
}

function firstText(event: Json): string {
  return (event['choices'] as { text?: string }[] | undefined)?.map(({ text = '' }) => text).join('') ?? '';
}

function openAiError(event: Json): SaidError | null {
  const error = event['error'] as Json | null | undefined;
  if (!error) return null;
  const { error_type: errorType } = (error['metadata'] ?? {}) as Json;
  return { code: error['code'], message: String(error['message']), param: error['param'] as string | null, errorType };
}
