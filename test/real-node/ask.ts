/** Asks the engine directly, as llama.cpp's own clients do. */
import type { RunningEngine } from '#engine/llama/spawn';

export interface SaidToken {
  token: string;
  logprob: number;
  bytes: number[] | null;
  top_logprobs: { token: string; logprob: number }[];
}

/** A whole chat answer, as far as tests read it. */
export interface SaidChat {
  model: string;
  choices: [{ message: { content: string }; finish_reason: string; logprobs: { content: SaidToken[] } | null }];
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

/** POSTs a body to a path below /v1. */
export function post({ url }: Pick<RunningEngine, 'url'>, path: string, body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal !== undefined && { signal }),
  });
}

/** Asks one question and takes the likeliest tokens, unless the wishes say otherwise. */
export async function ask(engine: Pick<RunningEngine, 'url'>, wishes: object = {}): Promise<SaidChat> {
  const response = await post(engine, 'chat/completions', chatBody(wishes));
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as SaidChat;
}

/** Builds a chat request for 40 greedy tokens. */
export function chatBody(wishes: object = {}): object {
  return { messages: [{ role: 'user', content: 'What is a headrace?' }], max_tokens: 40, temperature: 0, ...wishes };
}

export function textOf(said: SaidChat): string {
  return said.choices[0].message.content;
}

/** Reads one sample of `GET /metrics`. */
export async function readMetric({ url }: Pick<RunningEngine, 'url'>, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const sample = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
  if (sample === undefined) throw new Error(`no metric ${name}`);
  return Number(sample);
}

/** Waits until something holds, for at most half a minute; what comes next says whether it does. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1500 && !(await holds()); tries += 1) await new Promise((resolve) => setTimeout(resolve, 20));
}
