/** A raw HTTP client that reports what stood on the wire, broken or not, and a devnet that runs a thousand times faster. */
import { request, type IncomingHttpHeaders } from 'node:http';
import { onTestFinished } from 'vitest';
import { startDevnet, type Devnet } from '#devnet/devnet';

export interface WireAnswer {
  /** Null when no headers arrived. */
  status: number | null;
  headers: IncomingHttpHeaders;
  text: string;
  /** False when the connection broke before the answer was whole. */
  whole: boolean;
}

export interface WireRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal;
  onText?: (text: string) => void;
}

/** The fields of either dialect's events that tests look at. */
export interface WireEvent {
  id: string;
  type: string;
  devnet: { simulated: boolean; endpoint: string };
  choices: {
    index: number;
    delta: { role?: string; content?: string; reasoning?: string; reasoning_content?: string; tool_calls?: WireToolCall[] };
    finish_reason: string | null;
    usage?: WireUsage;
    logprobs?: { content: { token: string; top_logprobs: unknown[] }[] };
  }[];
  usage: WireUsage;
  error: { type: string; message: string };
  message: { usage: { input_tokens: number } };
  delta: { type: string; text?: string; thinking?: string; partial_json?: string; stop_reason?: string };
  content_block: { type: string; name?: string };
}

interface WireToolCall {
  index: number;
  id?: string;
  function: { name?: string; arguments: string };
}

interface WireUsage {
  prompt_tokens: number;
  completion_tokens: number;
  output_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
}

/** Starts a devnet on a free port and stops it when the test ends. */
export async function startFleet(speed = 1000): Promise<Devnet> {
  const devnet = await startDevnet({ port: 0, seed: 7, speed });
  onTestFinished(() => devnet.stop());
  return devnet;
}

/** Sends one request on a connection of its own and waits for its end, whichever it is. */
export function send(url: string, { method, headers = {}, body, signal, onText }: WireRequest = {}): Promise<WireAnswer> {
  const payload = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  return new Promise((resolve) => {
    const answer: WireAnswer = { status: null, headers: {}, text: '', whole: false };
    const outgoing = request(url, {
      method: method ?? (payload === undefined ? 'GET' : 'POST'),
      headers,
      agent: false,
      ...(signal && { signal }),
    });
    outgoing.on('error', () => resolve(answer));
    outgoing.on('response', (response) => {
      answer.status = response.statusCode ?? null;
      answer.headers = response.headers;
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        answer.text += text;
        onText?.(answer.text);
      });
      response.on('error', () => resolve(answer));
      response.on('close', () => resolve({ ...answer, whole: response.complete }));
    });
    outgoing.end(payload);
  });
}

/** Posts a chat request to an OpenAI endpoint; `fields` join or replace a one-line conversation. */
export function chat(devnet: Devnet, id: string, fields: Record<string, unknown> = {}, rest: WireRequest = {}): Promise<WireAnswer> {
  const model = UPSTREAM_MODELS[id] ?? 'Qwen/Qwen3-8B';
  const body = { model, messages: [{ role: 'user', content: 'Tell me about mountain rivers' }], ...fields };
  return send(`${devnet.url}/${id}/v1/chat/completions`, { headers: { authorization: `Bearer ${KEYS[id] ?? 'none'}` }, body, ...rest });
}

/** Posts a message request to the Anthropic endpoint. */
export function message(devnet: Devnet, fields: Record<string, unknown> = {}): Promise<WireAnswer> {
  const body = { model: 'lantern-1', max_tokens: 1000, messages: [{ role: 'user', content: 'Tell me about mountain rivers' }], ...fields };
  const headers = { 'x-api-key': 'devnet-beacon-key', 'anthropic-version': '2023-06-01' };
  return send(`${devnet.url}/api-beacon/v1/messages`, { headers, body });
}

/** Switches an endpoint. */
export function control(devnet: Devnet, id: string, body: unknown): Promise<WireAnswer> {
  return send(`${devnet.url}/control/${id}`, { method: 'PUT', body });
}

/** Reads an endpoint's state from the control surface. */
export async function stateOf(devnet: Devnet, id: string): Promise<{ running: number; waiting: number; counters: Record<string, number> }> {
  return JSON.parse((await send(`${devnet.url}/control/${id}`)).text);
}

/** Asks for an endpoint's state until it satisfies the condition. */
export async function until(devnet: Devnet, id: string, holds: (state: Awaited<ReturnType<typeof stateOf>>) => boolean): Promise<void> {
  while (!holds(await stateOf(devnet, id)));
}

/** Reads the JSON of every data line of a stream but `[DONE]`. */
export function eventsOf(text: string): WireEvent[] {
  const lines = text.split('\n').filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]');
  return lines.map((line) => JSON.parse(line.slice(6)));
}

/** Joins the content deltas of one choice of an OpenAI stream. */
export function contentOf(text: string, index = 0): string {
  const choices = eventsOf(text).flatMap((event) => event.choices);
  return choices
    .filter((choice) => choice.index === index)
    .map((choice) => choice.delta.content ?? '')
    .join('');
}

export const KEYS: Record<string, string> = { 'api-orchard': 'devnet-orchard-key', 'api-quarry': 'devnet-quarry-key' };

const UPSTREAM_MODELS: Record<string, string> = {
  'rig-4090-a': 'Qwen/Qwen3-8B-FP8',
  'rack-h100-a': 'Qwen/Qwen3-32B-FP8',
  'api-orchard': 'qwen3-8b',
  'api-quarry': 'quarry-qwen3-8b',
};
