import type { Capability } from '#schema/catalog';
import type { ChatRequest } from '#schema/chat';
import { completionRequest, type CompletionRequest } from '#schema/completions';
import { readContract } from '#schema/read-contract';
import type { ClientChat, Skin } from '#schema/skin';
import { createChunkScribe } from '../chunk-scribe.ts';
import { toErrorBody } from '../error-body.ts';
import { toAnswerBody } from './answer-body.ts';
import { promptsOf, sizeOf } from './prompt-size.ts';
import { toTextChoice } from './text-choice.ts';

/**
 * Speaks OpenAI's raw completions. Endpoints that take raw prompts get the body as it is; others get a lone plain text as a user's message,
 * and nothing that a chat cannot say.
 */
export const completions: Skin = {
  api: 'completions',
  read(body): ClientChat {
    const asked = readContract(completionRequest, body);
    const { reasoning, reasoning_effort: _effort, include_reasoning: included, ...raw } = asked;
    return {
      request: toChatRequest(asked),
      native: { dialect: 'openai-completions', body: raw },
      needs: needsOf(asked),
      wants: ['completion'],
      size: sizeOf(asked),
      hidesReasoning: reasoning?.exclude === true || included === false,
      writeAnswer: toAnswerBody,
      createScribe: (labels) =>
        createChunkScribe({ object: 'text_completion', choicesOf: (choices) => JSON.stringify(choices.map(toTextChoice)) }, labels),
    };
  },
  writeError: (error) => toErrorBody(error, 'prompt'),
};

/** The same request as a conversation. It also tells errors that quote the prompt what to leave out, so every text of it is there. */
function toChatRequest(asked: CompletionRequest): ChatRequest {
  const { prompt, suffix, echo: _echo, best_of: _best, logprobs: _logprobs, ...rest } = asked;
  const texts = [...promptsOf(prompt), ...(suffix ? [suffix] : [])].filter((text) => typeof text === 'string');
  return { ...rest, messages: texts.map((content) => ({ role: 'user', content })) };
}

function needsOf(asked: CompletionRequest): Capability[] {
  if (typeof asked.logprobs === 'number') return ['completion', 'logprobs'];
  return isSayableInChat(asked) ? [] : ['completion'];
}

function isSayableInChat({ prompt, suffix, echo, best_of: bestOf }: CompletionRequest): boolean {
  const [only, ...others] = promptsOf(prompt);
  const isLoneText = typeof only === 'string' && others.length === 0;
  return isLoneText && !suffix && echo !== true && (bestOf ?? 1) === 1;
}
