import type { ChatChoice } from '#schema/chat';

/** Writes a choice in the words of raw completions: what is said or refused becomes text, and reasoning stands beside it as OpenRouter has it. */
export function toTextChoice({ index, finish_reason, native_finish_reason, logprobs, delta, message, ...rest }: ChatChoice): object {
  const said = delta ?? message;
  return {
    text: said?.content || said?.refusal || '',
    index,
    logprobs: logprobs ?? null,
    finish_reason: finish_reason ?? null,
    native_finish_reason: native_finish_reason ?? finish_reason ?? null,
    ...rest,
    ...(said?.reasoning && { reasoning: said.reasoning }),
    ...(said?.reasoning_details && { reasoning_details: said.reasoning_details }),
  };
}
