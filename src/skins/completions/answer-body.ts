import type { DecodedReply } from '#schema/reply';
import type { AnswerLabels, Settlement } from '#schema/skin';
import { metadataField, toUsageBody } from '../usage-body.ts';
import { toTextChoice } from './text-choice.ts';

/** Builds the whole answer to raw prompts: our ids, the upstream's texts, the usage that the receipt charges. */
export function toAnswerBody({ id, createdAtS, model, provider }: AnswerLabels, reply: DecodedReply, settlement: Settlement): object {
  return {
    id,
    object: 'text_completion',
    created: createdAtS,
    model,
    provider,
    ...reply.extra,
    choices: reply.choices.map(toTextChoice),
    usage: toUsageBody(settlement),
    ...metadataField(settlement),
  };
}
