import { readContract } from '#schema/read-contract';
import type { DecodedReply } from '#schema/reply';
import { responsesRequest } from '#schema/responses';
import type { AnswerLabels, ClientChat, Settlement, Skin } from '#schema/skin';
import { toErrorBody } from '../error-body.ts';
import { lastItemStatus, outcomeOf } from './outcome.ts';
import { createOutput } from './output.ts';
import { toChatRequest } from './read-request.ts';
import { refuseUnsupported } from './refuse.ts';
import { toResponseBody, toSettings } from './response-body.ts';
import { createResponsesScribe } from './responses-scribe.ts';

/** Speaks OpenAI's Responses API without its state, with OpenRouter's extensions. */
export const responses: Skin = {
  api: 'responses',
  read(body): ClientChat {
    refuseUnsupported(body);
    const asked = readContract(responsesRequest, body);
    const request = toChatRequest(asked);
    const settings = toSettings(asked);
    return {
      request,
      hidesReasoning: request.reasoning?.exclude === true || request.include_reasoning === false,
      writeAnswer: (labels, reply, settlement) => writeAnswer(labels, settings, reply, settlement),
      createScribe: (labels) => createResponsesScribe({ ...labels, model: request.model }, settings),
    };
  },
  writeError: (error) => toErrorBody(error, 'input'),
};

function writeAnswer(labels: AnswerLabels, settings: object, reply: DecodedReply, settlement: Settlement): object {
  const output = createOutput(labels.id, () => {});
  for (const choice of reply.choices) output.add(choice);
  const outcome = outcomeOf(reply.choices.find((choice) => choice.index === 0)?.finish_reason ?? null);
  output.close(lastItemStatus(outcome));
  return toResponseBody(labels, settings, { outcome, output: output.items, settlement, extra: reply.extra });
}
