import { countTokens } from '#schema/count-tokens';
import { readContract } from '#schema/read-contract';
import type { AnswerLabels, ClientUnit, Settlement, UnitSize, UnitSkin } from '#schema/skin';
import type { UnitReply } from '#schema/unit';
import { embeddingsRequest, listInputs, type EmbeddingInput, type EmbeddingsRequest } from '#schema/units/embeddings';
import { toErrorBody } from '../error-body.ts';
import { metadataField } from '../usage-body.ts';
import { chargeFields } from './charge-fields.ts';
import { unsupported } from './refuse.ts';
import { statedFields } from './stated-fields.ts';

/** Marks and instructions that servers put around a text before they embed it; they are billed like the rest. */
const TOKENS_AROUND_TEXT = 8;

type ContentInput = Extract<EmbeddingsRequest['input'], { content: unknown }[]>[number];

/** Speaks OpenAI's embeddings with OpenRouter's fields. Vectors come in the encoding that was asked for, whatever the upstream sent. */
export const embeddings: UnitSkin = {
  api: 'embeddings',
  operation: 'embeddings',
  read(body): ClientUnit {
    const request = readContract(embeddingsRequest, body);
    const input = toInput(request.input);
    return {
      request,
      body: { fields: statedFields({ ...request, input }), file: null },
      size: sizeOf(input),
      writeAnswer: toAnswer,
    };
  },
  writeError: (error) => toErrorBody(error, 'input'),
};

function toInput(input: EmbeddingsRequest['input']): EmbeddingInput {
  return isContent(input) ? input.map(toText) : input;
}

function isContent(input: EmbeddingsRequest['input']): input is ContentInput[] {
  return typeof input === 'object' && typeof input[0] === 'object' && !Array.isArray(input[0]);
}

function toText({ content }: ContentInput, position: number): string {
  const texts = content.map(({ type, text }, at) => {
    if (type === 'text' && text !== undefined) return text;
    throw unsupported(`input.${position}.content.${at}`, 'only text can be embedded here. Send parts of type text.');
  });
  return texts.join('\n');
}

function sizeOf(input: EmbeddingInput): UnitSize {
  const tokens = listInputs(input).map((one) => (typeof one === 'string' ? Math.ceil(countTokens(one)) + TOKENS_AROUND_TEXT : one.length));
  return {
    promptTokens: tokens.reduce((sum, count) => sum + count, 0),
    contextTokens: tokens.reduce((most, count) => Math.max(most, count), 0),
    unitsMax: 0,
  };
}

function toAnswer({ id, model, provider }: AnswerLabels, { json }: UnitReply, settlement: Settlement): object {
  const { promptTokens } = settlement.usage;
  return {
    object: 'list',
    id,
    model,
    provider,
    data: json?.['data'],
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens, ...chargeFields(settlement) },
    ...metadataField(settlement),
  };
}
