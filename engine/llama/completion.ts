/** One completion from the wish to its last event: room, prompt, tokens, text. */
import { randomUUID } from 'node:crypto';
import { toBody, toFirstEvent, toLastEvents, toTextEvent, type Answer, type Envelope, type TokenLogprob } from './answer.ts';
import type { Engine, Generated } from './engine.ts';
import type { Token } from './library.ts';
import type { Metrics } from './metrics.ts';
import { invalid, unavailable, type Refusal } from './refusal.ts';
import type { Wish } from './request.ts';
import type { Slots } from './slots.ts';
import { createSpeech } from './speech.ts';

/** What completions share. */
export interface Desk {
  engine: Engine;
  slots: Slots;
  metrics: Metrics;
  /** What the model is called. */
  alias: string;
  /** Tokens of one slot. */
  context: number;
}

/** Where an answer goes. `send` resolves to false when nobody listens any more. */
export interface Listener {
  signal: AbortSignal;
  send(event: object): Promise<boolean>;
}

interface Piece {
  text: string;
  logprobs: TokenLogprob[] | null;
}

/** Answers as a stream of events. A refusal comes before the first event; `null` when the stream is over. */
export async function stream(desk: Desk, wish: Wish, listener: Listener): Promise<Refusal | null> {
  const { kind } = wish;
  const envelope = createEnvelope(desk);
  let begun = false;
  const begin = async (): Promise<boolean> => {
    const first = begun ? null : toFirstEvent(kind, envelope);
    begun = true;
    return first === null || listener.send(first);
  };
  const result = await complete(desk, wish, listener.signal, async ({ text, logprobs }) => {
    return (await begin()) && listener.send(toTextEvent(kind, envelope, text, logprobs));
  });
  if (result === null) return null;
  if ('status' in result) return result;
  await begin();
  for (const event of toLastEvents(kind, envelope, result, wish.includeUsage)) await listener.send(event);
  return null;
}

/** Answers with one body; `null` when the client has left. */
export async function answerWhole(desk: Desk, wish: Wish, signal: AbortSignal): Promise<{ body: object } | Refusal | null> {
  const pieces: Piece[] = [];
  const result = await complete(desk, wish, signal, async (piece) => {
    pieces.push(piece);
    return true;
  });
  if (result === null || 'status' in result) return result;
  const text = pieces.map((piece) => piece.text).join('');
  const logprobs = wish.topLogprobs === null ? null : pieces.flatMap((piece) => piece.logprobs ?? []);
  return { body: toBody(wish.kind, createEnvelope(desk), { ...result, text, logprobs }) };
}

function createEnvelope({ alias }: Desk): Envelope {
  return { id: randomUUID(), model: alias, createdAtS: Math.floor(Date.now() / 1000) };
}

/** Generates in a slot and gives the slot back, however it ends. `null` when the client has left. */
async function complete(
  desk: Desk,
  wish: Wish,
  signal: AbortSignal,
  onPiece: (piece: Piece) => Promise<boolean>,
): Promise<Answer | Refusal | null> {
  const prompt = promptOf(desk, wish);
  if ('status' in prompt) return prompt;
  const slot = await desk.slots.take(signal);
  if (slot === null) return signal.aborted ? null : unavailable('every slot is busy');
  try {
    return await generate(desk, wish, { slot, prompt: prompt.tokens, signal, onPiece });
  } finally {
    desk.slots.release(slot);
  }
}

function promptOf({ engine, context }: Desk, { prompt }: Wish): { tokens: Token[] } | Refusal {
  let text: string | null;
  try {
    text = 'text' in prompt ? engine.facts.begin + prompt.text : engine.renderChat(prompt.messages);
  } catch {
    return invalid("the model's chat template does not take these messages");
  }
  if (text === null) return invalid('this model has no chat template: use /v1/completions');
  const tokens = engine.tokenize('continuation' in prompt ? text + prompt.continuation : text);
  if (tokens.length === 0) return invalid('the prompt is empty');
  if (tokens.length < context) return { tokens };
  return {
    status: 400,
    type: 'exceed_context_size_error',
    message: `the request (${tokens.length} tokens) exceeds the available context size (${context} tokens)`,
    more: { n_prompt_tokens: tokens.length, n_ctx: context },
  };
}

interface Run {
  slot: number;
  prompt: Token[];
  signal: AbortSignal;
  onPiece: (piece: Piece) => Promise<boolean>;
}

async function generate(desk: Desk, wish: Wish, { slot, prompt, signal, onPiece }: Run): Promise<Answer | null> {
  const { engine, context, metrics } = desk;
  const tokensMax = Math.min(wish.maxTokens ?? Infinity, context - prompt.length);
  const speech = createSpeech(engine.detokenize, wish.stopWords);
  const usage = { promptTokens: prompt.length, completionTokens: 0 };
  const startedAtMs = performance.now();
  let firstAtMs = startedAtMs;
  let unsent: TokenLogprob[] = [];
  let finishReason: Answer['finishReason'] | null = null;
  let isHeard = true;
  const tell = async (text: string): Promise<void> => {
    isHeard = await onPiece({ text, logprobs: wish.topLogprobs === null ? null : unsent });
    unsent = [];
  };
  try {
    for await (const step of engine.generate(slot, prompt, wish.sampling, wish.topLogprobs)) {
      if (usage.completionTokens === 0) firstAtMs = performance.now();
      usage.completionTokens += 1;
      unsent.push(toLogprob(engine, step));
      const { text, stopped } = speech.say(step.token);
      if (text !== '') await tell(text);
      if (stopped) finishReason = 'stop';
      else if (usage.completionTokens >= tokensMax) finishReason = 'length';
      if (finishReason !== null || !isHeard || signal.aborted) break;
    }
    if (!isHeard || signal.aborted) return null;
    const rest = speech.rest();
    if (rest !== '') await tell(rest);
    return { finishReason: finishReason ?? 'stop', usage, timings: timingsOf(startedAtMs, firstAtMs) };
  } finally {
    metrics.count(usage, timingsOf(startedAtMs, firstAtMs));
  }
}

function timingsOf(startedAtMs: number, firstAtMs: number): Answer['timings'] {
  return { promptMs: firstAtMs - startedAtMs, predictedMs: performance.now() - firstAtMs };
}

function toLogprob(engine: Engine, { token, logprob, top }: Generated): TokenLogprob {
  const textOf = (candidate: Token): string => engine.detokenize([candidate], []);
  return { text: textOf(token), logprob, top: top.map((other) => ({ text: textOf(other.token), logprob: other.logprob })) };
}
