import type { DialectTarget, UnitCodec } from '#providers/provider';
import { isJsonObject, type JsonObject } from '#providers/wire/json-object';
import type { UnitBody } from '#schema/unit';
import { decodeJson, readTokens } from './decode-units.ts';
import { encodeJson } from './encode-units.ts';

/** Fields of the answer that say how the images were made. */
const ABOUT = ['background', 'output_format', 'quality', 'size'];
/** Fields of one image that clients know. */
const OF_IMAGE = ['b64_json', 'url', 'revised_prompt', 'media_type'];

/**
 * OpenAI's image generation. An image is where the client asked for it, in `b64_json` or behind `url`: the other is a failure, because the
 * router fetches nothing from addresses that upstreams name. A client that did not ask takes either.
 */
export const images: UnitCodec = {
  encodeRequest: (asked, target) => encodeJson('/images/generations', withoutFormat(asked, target), target),
  decodeReply: (answer, target, { fields }) =>
    decodeJson(answer, target, (body) => {
      const made = Array.isArray(body['data']) ? body['data'].slice(0, (fields['n'] as number | undefined) ?? 1) : [];
      if (made.length === 0 || !made.every((image) => isImage(image, fields['response_format']))) {
        return 'an answer without images in the format asked for';
      }
      return {
        json: { ...pickTexts(body, ABOUT), data: made.map((image: JsonObject) => pickTexts(image, OF_IMAGE)) },
        usage: readTokens(body['usage']),
        units: made.length,
      };
    }),
};

function withoutFormat(asked: UnitBody, { quirks }: DialectTarget): UnitBody {
  if (quirks.imagesAlwaysBase64 !== true) return asked;
  const { response_format: _, ...fields } = asked.fields;
  return { ...asked, fields };
}

function isImage(image: unknown, format: unknown): boolean {
  if (!isJsonObject(image)) return false;
  const isBase64 = typeof image['b64_json'] === 'string' && image['b64_json'] !== '';
  const isUrl = typeof image['url'] === 'string' && /^(https?:\/\/|data:)/.test(image['url']);
  if (format === 'b64_json') return isBase64;
  return format === 'url' ? isUrl : isBase64 || isUrl;
}

function pickTexts(from: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(fields.filter((field) => typeof from[field] === 'string').map((field) => [field, from[field]]));
}
