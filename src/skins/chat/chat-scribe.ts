import type { ChatChoice } from '#schema/chat';
import type { AnswerLabels, Scribe } from '#schema/skin';
import { createChunkScribe, type ChunkWords } from '../chunk-scribe.ts';

const WORDS: ChunkWords = { object: 'chat.completion.chunk', choicesOf };

/** Creates the writer of one chat stream. */
export function createChatScribe(labels: Pick<AnswerLabels, 'id' | 'createdAtS'>): Scribe {
  return createChunkScribe(WORDS, labels);
}

function choicesOf(choices: readonly ChatChoice[]): string {
  // OpenRouter's SDK rejects chunks whose choices lack the key.
  for (const choice of choices) choice.finish_reason ??= null;
  return JSON.stringify(choices);
}
