/** Whole answers, in the two dialects: what one must have to count as a model's. */
import { z } from 'zod';
import { askJson, type Answer } from './ask.ts';
import type { ProbeRun, Words } from './target.ts';

/** What a model has answered. */
export interface ModelAnswer {
  /** The model that the answer names; null where it names none. */
  model: string | null;
  text: string;
  /** Includes what it has only thought. */
  hasContent: boolean;
  finishReason: string | null;
  toolCalls: readonly { name: string; arguments: string }[];
  /** Of the tokens of its answer; null where there are none. */
  logprobs: readonly number[] | null;
  usage: { promptTokens: number; completionTokens: number } | null;
}

/** Why a good status brought no answer of a model. */
export type NotAnAnswer = 'an error inside a 200' | 'no answer of a model' | 'an empty answer';

const count = z.int().nonnegative();

const completion = z.looseObject({
  model: z.string().nullish().catch(null),
  choices: z
    .array(
      z.looseObject({
        finish_reason: z.string().nullish().catch(null),
        message: z.looseObject({
          content: z.string().nullish(),
          reasoning_content: z.string().nullish().catch(null),
          reasoning: z.string().nullish().catch(null),
          tool_calls: z
            .array(z.looseObject({ function: z.looseObject({ name: z.string(), arguments: z.string().catch('') }) }))
            .nullish()
            .catch(null),
        }),
        logprobs: z
          .looseObject({ content: z.array(z.looseObject({ logprob: z.number() })).nullish() })
          .nullish()
          .catch(null),
      }),
    )
    .min(1),
  usage: z.looseObject({ prompt_tokens: count, completion_tokens: count }).nullish().catch(null),
});

const message = z.looseObject({
  type: z.literal('message'),
  model: z.string().nullish().catch(null),
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional(), thinking: z.string().optional() })),
  stop_reason: z.string().nullish().catch(null),
  usage: z.looseObject({ input_tokens: count, output_tokens: count }).nullish().catch(null),
});

/** Sends one chat request and reads its answer, or what a good status brought instead of one. `continues`: the beginning of the answer, where only its rest is asked for. */
export async function askChat(
  run: ProbeRun,
  request: Words,
  timeoutMs: number,
  continues?: string,
): Promise<Answer<ModelAnswer | NotAnAnswer>> {
  const said = run.say({ model: run.target.upstreamModel, ...request }, run.target, continues);
  const answer = await askJson(run, { ...said, timeoutMs });
  if (!answer.ok) return answer;
  const isMessages = run.target.dialect === 'anthropic-messages';
  return { ...answer, value: isMessages ? readMessage(answer.value) : readCompletion(answer.value) };
}

function readCompletion(value: unknown): ModelAnswer | NotAnAnswer {
  const read = completion.safeParse(value);
  if (!read.success) return hasError(value) ? 'an error inside a 200' : 'no answer of a model';
  const { model, choices, usage } = read.data;
  const [choice] = choices;
  if (choice === undefined) return 'no answer of a model';
  const { content, reasoning_content, reasoning, tool_calls } = choice.message;
  const toolCalls = (tool_calls ?? []).map(({ function: called }) => called);
  const hasContent = [content, reasoning_content, reasoning].some((text) => text != null && text !== '');
  if (!hasContent && toolCalls.length === 0) return 'an empty answer';
  return {
    model: model ?? null,
    text: content ?? '',
    hasContent,
    finishReason: choice.finish_reason ?? null,
    toolCalls,
    logprobs: choice.logprobs?.content?.map(({ logprob }) => logprob) ?? null,
    usage: usage == null ? null : { promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens },
  };
}

function readMessage(value: unknown): ModelAnswer | NotAnAnswer {
  const read = message.safeParse(value);
  if (!read.success) return hasError(value) ? 'an error inside a 200' : 'no answer of a model';
  const { model, content, stop_reason, usage } = read.data;
  const text = content.map((part) => part.text ?? '').join('');
  const hasContent = text !== '' || content.some(({ thinking }) => thinking !== undefined && thinking !== '');
  if (!hasContent) return 'an empty answer';
  return {
    model: model ?? null,
    text,
    hasContent,
    finishReason: stop_reason ?? null,
    toolCalls: [],
    logprobs: null,
    usage: usage == null ? null : { promptTokens: usage.input_tokens, completionTokens: usage.output_tokens },
  };
}

function hasError(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'error' in value;
}
