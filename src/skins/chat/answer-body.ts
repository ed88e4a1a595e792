/** The JSON answer of a chat request, strict enough for OpenAI's and OpenRouter's clients. */
import type { ChatChoice } from '#schema/chat';
import type { DecodedReply } from '#schema/reply';
import type { AnswerLabels, Settlement } from '#schema/skin';
import { metadataField, toUsageBody } from '../usage-body.ts';

/** Builds the body: our ids, the upstream's choices, the usage that the receipt charges. */
export function toAnswerBody({ id, createdAtS, model, provider }: AnswerLabels, reply: DecodedReply, settlement: Settlement): object {
  return {
    id,
    object: 'chat.completion',
    created: createdAtS,
    model,
    provider,
    // The SDK wants the key in whole answers, and wants it absent in chunks.
    system_fingerprint: null,
    ...reply.extra,
    choices: reply.choices.map(toChoice),
    usage: toUsageBody(settlement),
    ...metadataField(settlement),
  };
}

function toChoice({ index, finish_reason, native_finish_reason, logprobs, message, ...rest }: ChatChoice): object {
  return {
    index,
    finish_reason,
    native_finish_reason: native_finish_reason ?? finish_reason,
    logprobs: logprobs ?? null,
    ...rest,
    message: { ...message, role: 'assistant', content: message?.content ?? null, refusal: message?.refusal ?? null },
  };
}
