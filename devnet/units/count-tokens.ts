import { countAnthropicPrompt } from '../anthropic-request.ts';
import { toJsonPayload, type UnitParser } from './unit.ts';

/** Serves `POST /v1/messages/count_tokens`: counts a prompt that nobody is to answer. It costs nothing. */
export const countTokens: UnitParser = (fields, card, headers) => {
  const inputTokens = countAnthropicPrompt(fields, card, headers);
  return {
    usage: { promptTokens: 0, units: 0 },
    steps: 0,
    render: (label) => toJsonPayload(label, { input_tokens: inputTokens }),
  };
};
