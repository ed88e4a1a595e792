/** Pictures of stripes, in the size that was asked for: valid files that nobody takes for an answer. */
import { complain, readChoice, readNumber, readText, readUnitModel } from '../body.ts';
import { hashText } from '../random.ts';
import { countPromptTokens } from '../tokens.ts';
import { drawStripes } from './png.ts';
import { toJsonPayload, type UnitParser } from './unit.ts';

const PROMPT_CHARACTERS_MAX = 32_000;
const IMAGES_MAX = 10;
const SIDE_PIXELS_MIN = 64;
const SIDE_PIXELS_MAX = 2048;
const SIDE_PIXELS_DEFAULT = 1024;
/** What an image counts for where tokens are told: OpenAI's count for a square of middling quality. */
const TOKENS_PER_IMAGE = 1056;
const STEPS_PER_IMAGE = 150;

/** Serves `POST /v1/images/generations`. Links are data URLs: nothing is kept that could be fetched later. */
export const images: UnitParser = (fields, card) => {
  readUnitModel(fields, card, 'images');
  const prompt = readText(fields, 'prompt', PROMPT_CHARACTERS_MAX);
  const count = readNumber(fields, 'n', { min: 1, max: IMAGES_MAX, whole: true }, 1);
  const size = readSize(fields['size']);
  const form = readChoice(fields, 'response_format', ['b64_json', 'url'], 'b64_json');
  readChoice(fields, 'output_format', ['png'], 'png');
  if (fields['stream'] === true) complain('stream', "'stream' is not supported by this model.");
  return {
    usage: { promptTokens: countPromptTokens(prompt), units: count },
    steps: count * STEPS_PER_IMAGE,
    render: (label, usage) => {
      const comment = `simulated by ${label.endpointId}`;
      const data = Array.from({ length: count }, (_, index) => {
        const base64 = drawStripes({ ...size, seed: hashText(`${prompt}|${index}`), comment }).toString('base64');
        const picture = form === 'url' ? { url: `data:image/png;base64,${base64}` } : { b64_json: base64 };
        return { ...picture, revised_prompt: `[${comment}] ${prompt}` };
      });
      return toJsonPayload(label, {
        created: label.createdAtS,
        data,
        output_format: 'png',
        ...(usage === null ? {} : { usage: toUsage(usage) }),
      });
    },
  };
};

function readSize(value: unknown): { width: number; height: number } {
  if (value === undefined || value === null || value === 'auto') return { width: SIDE_PIXELS_DEFAULT, height: SIDE_PIXELS_DEFAULT };
  const [, width, height] = (typeof value === 'string' && /^(\d{1,5})x(\d{1,5})$/.exec(value)) || [];
  const isSide = (side: number): boolean => side >= SIDE_PIXELS_MIN && side <= SIDE_PIXELS_MAX;
  if (isSide(Number(width)) && isSide(Number(height))) return { width: Number(width), height: Number(height) };
  return complain('size', `'size' must be auto or such as 1024x1024, each side from ${SIDE_PIXELS_MIN} to ${SIDE_PIXELS_MAX}.`);
}

function toUsage({ promptTokens, units }: { promptTokens: number; units: number }): Record<string, number> {
  const outputTokens = units * TOKENS_PER_IMAGE;
  return { input_tokens: promptTokens, output_tokens: outputTokens, total_tokens: promptTokens + outputTokens };
}
