/** What a client has got of one streamed answer, as far as going on with it elsewhere needs to know. */
import type { ChatChoice, ChatDelta } from '#schema/chat';
import type { ReplyChunk } from '#schema/reply';
import { createTokenCount } from './tokens.ts';

/** A longer answer, of some 64,000 tokens, is not resumed: the text of every open stream is kept in memory. */
const TEXT_CHARS_MAX = 256 * 1024;
/** Fields of a delta that say nothing which would have to be gone on with. */
const SILENT_FIELDS: ReadonlySet<string> = new Set(['role', 'name']);
const ENDS_IN_SPACE = /\s$/;
const HAS_INK = /\S/;

export interface Delivered {
  /** Notes what an upstream says, before it is fitted to what was said before. Each chunk is heard once, and then taken as far as it goes out. */
  hear(chunk: ReplyChunk): void;
  /** Notes a chunk on its way out. Half a character is held back until its other half comes, so that no answer breaks inside of one. */
  take(chunk: ReplyChunk): void;
  /** The upstream broke: what was held back is dropped, and another one will go on behind `beginning`. */
  breakOff(): void;
  /** All text so far. */
  text(): string;
  /** The text without white space at its end: chat templates trim, and models go on badly after a space. */
  beginning(): string;
  /** Completion tokens of reasoning and beginning. White space at the end is made once more by whoever goes on, so it is not spent. */
  tokens(): number;
  hasReasoned(): boolean;
  /** The answer has said how it finished. */
  isFinished(): boolean;
  /** What was delivered is text of choice 0 that can be gone on with, and the answer is not finished. */
  isResumable(): boolean;
}

/** Starts with an answer of which nothing has been delivered; its `stops` are the caller's stop sequences. */
export function createDelivered(stops: readonly string[]): Delivered {
  const count = createTokenCount(Math.max(0, ...stops.map(({ length }) => length - 1)));
  let text = '';
  let held = '';
  let isPlain = true;
  let isFinished = false;
  let hasReasoned = false;
  let endsInSpace = false;

  const beginning = (): string => text.trimEnd();

  // Thoughts in the middle of an answer cannot be told from those about its rest.
  const isPlainChoice = ({ index, delta = {}, logprobs }: ChatChoice): boolean =>
    index === 0 && logprobs == null && isPlainDelta(delta) && !(delta.reasoning && text !== '');

  const say = (choice: ChatChoice, content: string): void => {
    const whole = held + content;
    held = isFinished || !endsInHalf(whole) ? '' : whole.slice(-1);
    const said = held === '' ? whole : whole.slice(0, -1);
    if (said !== content) choice.delta = { ...choice.delta, content: said };
    text += said;
    if (said !== '') endsInSpace = ENDS_IN_SPACE.test(said);
    // White space and half a character are part of the beginning once something follows them.
    if (HAS_INK.test(said)) count.settleBefore();
    if (text.length > TEXT_CHARS_MAX) release();
  };
  const release = (): void => {
    isPlain = false;
    text = '';
  };

  const takeChoice = (choice: ChatChoice): void => {
    const { content, reasoning } = choice.delta ?? {};
    if (reasoning) hasReasoned = true;
    if (choice.finish_reason != null) isFinished = true;
    if (content || held !== '') say(choice, content ?? '');
  };

  return {
    hear(chunk) {
      if (isPlain) count.hear(chunk);
    },
    take(chunk) {
      if (isPlain && (chunk.native !== undefined || !chunk.choices.every(isPlainChoice))) release();
      if (!isPlain) {
        const [first] = chunk.choices;
        if (held !== '' && first !== undefined) first.delta = { ...first.delta, content: held + (first.delta?.content ?? '') };
        if (first !== undefined) held = '';
        isFinished ||= chunk.choices.some(({ finish_reason: reason }) => reason != null);
        return;
      }
      for (const choice of chunk.choices) takeChoice(choice);
      count.report(chunk, text.length);
      // A chunk that has lost its choices says something that is still held back.
      if (!endsInSpace && held === '' && chunk.choices.length > 0) count.settle();
    },
    breakOff() {
      held = '';
      count.restart(beginning());
    },
    text: () => text,
    beginning,
    tokens: () => count.upTo(beginning()),
    hasReasoned: () => hasReasoned,
    isFinished: () => isFinished,
    isResumable: () => isPlain && !isFinished && (beginning() !== '' || !hasReasoned),
  };
}

/** Tells whether a text ends in the first half of a surrogate pair. */
function endsInHalf(text: string): boolean {
  return (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800;
}

/** Tells whether a delta holds text, and reasoning that nobody has signed, and nothing else. */
function isPlainDelta(delta: ChatDelta): boolean {
  for (const field in delta) {
    const value = delta[field];
    if (value === null || value === undefined || value === '' || SILENT_FIELDS.has(field)) continue;
    if (typeof value === 'string' ? field === 'content' || field === 'reasoning' : isPlainList(field, value)) continue;
    return false;
  }
  return true;
}

function isPlainList(field: string, value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  return value.length === 0 || (field === 'reasoning_details' && value.every(isPlainDetail));
}

function isPlainDetail(detail: unknown): boolean {
  const { signature, data } = (detail ?? {}) as { signature?: unknown; data?: unknown };
  return !signature && !data;
}
