import { countTokens } from '#schema/count-tokens';
import { readContract } from '#schema/read-contract';
import type { AnswerLabels, ClientUnit, Settlement, UnitSize, UnitSkin } from '#schema/skin';
import type { UnitReply } from '#schema/unit';
import { imagesRequest, type ImagesRequest } from '#schema/units/images';
import { toErrorBody } from '../error-body.ts';
import { metadataField } from '../usage-body.ts';
import { chargeFields } from './charge-fields.ts';
import { unsupported } from './refuse.ts';
import { statedFields } from './stated-fields.ts';

/** Speaks OpenAI's image generation: URLs or base64 as the client asks, else as the endpoint likes. */
export const images: UnitSkin = imagesSkin((request) => request);

/** Speaks OpenRouter's image generation, whose clients know base64 only. */
export const openRouterImages: UnitSkin = imagesSkin((request) => ({ ...request, response_format: 'b64_json' }));

function imagesSkin(complete: (request: ImagesRequest) => ImagesRequest): UnitSkin {
  return {
    api: 'images',
    operation: 'images',
    read(body): ClientUnit {
      const request = complete(readContract(imagesRequest, body));
      refuseUnsupported(request);
      return {
        request,
        body: { fields: statedFields({ ...request, stream: null, partial_images: null, input_references: null }), file: null },
        size: sizeOf(request),
        writeAnswer: toAnswer,
      };
    },
    writeError: (error) => toErrorBody(error, 'prompt'),
  };
}

function refuseUnsupported({ stream, partial_images, input_references }: ImagesRequest): void {
  if (stream === true) throw unsupported('stream', 'images come whole. Leave it out.');
  if ((partial_images ?? 0) > 0) throw unsupported('partial_images', 'images come whole. Leave it out.');
  if ((input_references ?? []).length > 0) {
    throw unsupported('input_references', 'images are made from the prompt alone. Use chat completions with a model that edits images.');
  }
}

function sizeOf({ prompt, n }: ImagesRequest): UnitSize {
  const promptTokens = Math.ceil(countTokens(prompt));
  return { promptTokens, contextTokens: promptTokens, unitsMax: n ?? 1 };
}

function toAnswer({ createdAtS }: AnswerLabels, { json }: UnitReply, settlement: Settlement): object {
  const { promptTokens, completionTokens } = settlement.usage;
  const totalTokens = promptTokens + completionTokens;
  return {
    created: createdAtS,
    ...json,
    // OpenAI's names and OpenRouter's: the clients of each read their own.
    usage: {
      input_tokens: promptTokens,
      output_tokens: completionTokens,
      total_tokens: totalTokens,
      input_tokens_details: { text_tokens: promptTokens, image_tokens: 0 },
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      ...chargeFields(settlement),
    },
    ...metadataField(settlement),
  };
}
