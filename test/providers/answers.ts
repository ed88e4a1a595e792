/** Reads recorded answers and plays them through a dialect, as dispatch would: bytes, events, common events. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createParser } from 'eventsource-parser';
import type { Dialect, DialectTarget } from '#providers/provider';
import type { AttemptFailure } from '#schema/attempt';
import type { ChatChoice } from '#schema/chat';
import type { Usage } from '#schema/receipt';
import type { StreamEvent } from '#schema/reply';

/** Reads a file of test/fixtures as bytes. */
export function readFixture(path: string): Uint8Array {
  return readFileSync(join(import.meta.dirname, '../fixtures', path));
}

/** Reads a JSON file of test/fixtures. */
export function readJsonFixture(path: string): unknown {
  return JSON.parse(new TextDecoder().decode(readFixture(path)));
}

/** Makes a target with no quirks; `overrides` says what the test is about. */
export function targetWith(overrides: Partial<DialectTarget> = {}): DialectTarget {
  return {
    url: 'https://upstream.example/v1',
    upstreamModel: 'upstream-model',
    quirks: {},
    auth: 'bearer',
    headers: {},
    key: 'test-key-0123456789',
    maxOutput: null,
    ...overrides,
  };
}

/** A small seeded generator (mulberry32) of numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Splits bytes at random places, in the middle of code points too. */
export function rechunk(bytes: Uint8Array, random: () => number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = start + 1 + Math.floor(random() * 9);
    chunks.push(bytes.subarray(start, end));
    start = end;
  }
  return chunks;
}

/** Decodes the chunks of one stream into common events, stopping at the first failure. */
export function playStream(dialect: Dialect, target: DialectTarget, chunks: readonly Uint8Array[]): StreamEvent[] {
  const events: StreamEvent[] = [];
  const decoder = dialect.createStreamDecoder(target);
  const failed = (): boolean => events.at(-1)?.kind === 'failure';
  const parser = createParser({ onEvent: ({ data, event }) => void (failed() || events.push(decoder.decode(data, event))) });
  const text = new TextDecoder();
  for (const chunk of chunks) parser.feed(text.decode(chunk, { stream: true }));
  return events;
}

/** What a client would have put together from one choice of an answer. */
export interface Collected {
  content: string;
  reasoning: string;
  details: unknown[];
  toolCalls: { id: string; name: string; arguments: string }[];
  finishReason: string | null;
  usage: Usage | null;
  upstreamId: string | null;
  done: boolean;
  failure: AttemptFailure | null;
}

/** Puts the choice with index 0 together. */
export function collect(events: readonly StreamEvent[]): Collected {
  const collected: Collected = {
    content: '',
    reasoning: '',
    details: [],
    toolCalls: [],
    finishReason: null,
    usage: null,
    upstreamId: null,
    done: false,
    failure: null,
  };
  for (const event of events) {
    if (event.kind === 'done') collected.done = true;
    if (event.kind === 'failure') collected.failure = event.failure;
    if (event.kind !== 'chunk') continue;
    collected.usage = event.usage ?? collected.usage;
    collected.upstreamId ??= event.upstreamId;
    for (const choice of event.choices) if (choice.index === 0) addChoice(collected, choice);
  }
  return collected;
}

function addChoice(collected: Collected, choice: ChatChoice): void {
  const text = choice.delta ?? choice.message ?? {};
  collected.content += text.content ?? '';
  collected.reasoning += text.reasoning ?? '';
  collected.details.push(...(text.reasoning_details ?? []));
  collected.finishReason = choice.finish_reason ?? collected.finishReason;
  for (const [position, call] of (text.tool_calls ?? []).entries()) {
    const known = (collected.toolCalls[call.index ?? position] ??= { id: '', name: '', arguments: '' });
    known.id += call.id ?? '';
    known.name += call.function?.name ?? '';
    known.arguments += call.function?.arguments ?? '';
  }
}
