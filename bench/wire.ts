/** What load generator and upstream agree on: the request, the answer, and the mark by which an event's delay is read. */

/** The model that the benchmark's manifest offers. */
export const BENCH_MODEL = 'bench/model';

/** What every token of a streamed answer starts with; microseconds of the machine's monotonic clock follow. */
export const TOKEN_MARK = '"content":"t';

/** Reads the monotonic clock that all processes of this machine share, in microseconds. */
export function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** Builds the chat request that every slice sends: about 500 bytes. */
export function chatRequestBody(streaming: boolean): string {
  return JSON.stringify({
    model: BENCH_MODEL,
    messages: [
      { role: 'system', content: 'You are a helpful assistant. Answer in plain words, be brief, and say so when you do not know.' },
      {
        role: 'user',
        content: 'A headrace brings water from many springs to one wheel. What happens to the wheel when one spring runs dry?',
      },
    ],
    max_tokens: 512,
    temperature: 0.7,
    ...(streaming ? { stream: true } : {}),
  });
}

const CREATED_AT_S = 1_767_225_600;

/** Builds the fixed chat completion: about 600 bytes. */
export function chatAnswerBody(): string {
  const content =
    'The wheel keeps turning. The other springs still feed the race, so the water level falls a little and the wheel slows down a little. ' +
    'Only when the last spring runs dry does it stop; a second race, kept half open, is what good millers used to build for such days.';
  return JSON.stringify({
    id: 'chatcmpl-bench-0000000000000000',
    object: 'chat.completion',
    created: CREATED_AT_S,
    model: 'bench-upstream',
    choices: [{ index: 0, message: { role: 'assistant', content }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 58, completion_tokens: 62, total_tokens: 120 },
  });
}

/** Builds one streamed event. `delta` is the choice's delta; null makes the trailing usage event. */
export function chatEvent(delta: Record<string, string> | null, finishReason: string | null, completionTokens: number): string {
  const event = {
    id: 'chatcmpl-bench-0000000000000000',
    object: 'chat.completion.chunk',
    created: CREATED_AT_S,
    model: 'bench-upstream',
    choices: delta === null ? [] : [{ index: 0, delta, finish_reason: finishReason }],
    ...(delta === null ? { usage: { prompt_tokens: 58, completion_tokens: completionTokens, total_tokens: 58 + completionTokens } } : {}),
  };
  return `data: ${JSON.stringify(event)}\n\n`;
}
