import { describe, expect, it } from 'vitest';
import { images, openRouterImages } from '#src/skins/units/images';
import { CHARGE, LABELS, read, refusal, said, settled } from './unit-client.ts';

describe('images', () => {
  it('are billed one by one, one where no number is said', () => {
    expect(read(images, { prompt: 'p' }).size.unitsMax).toBe(1);
    expect(read(images, { prompt: 'p', n: 3 }).size.unitsMax).toBe(3);
  });

  it("take the endpoint's format unless the client names one, but for OpenRouter's clients, who know base64 only", () => {
    expect(read(images, { prompt: 'p' }).body.fields).toEqual({ prompt: 'p' });
    expect(read(images, { prompt: 'p', response_format: 'url' }).body.fields).toMatchObject({ response_format: 'url' });
    expect(read(openRouterImages, { prompt: 'p' }).body.fields).toMatchObject({ response_format: 'b64_json' });
  });

  it("answer with both clients' names for what was used", () => {
    const answer = read(images, { prompt: 'p' }).writeAnswer(
      LABELS,
      said({ json: { data: [{ b64_json: 'AAAA' }], size: '1x1' } }),
      settled({ promptTokens: 12, completionTokens: 272 }),
    );
    expect(answer).toEqual({
      created: 1_795_000_000,
      size: '1x1',
      data: [{ b64_json: 'AAAA' }],
      usage: {
        input_tokens: 12,
        output_tokens: 272,
        total_tokens: 284,
        input_tokens_details: { text_tokens: 12, image_tokens: 0 },
        prompt_tokens: 12,
        completion_tokens: 272,
        ...CHARGE,
      },
    });
  });

  it.each([
    ['no prompt', {}, 'prompt'],
    ['eleven images', { prompt: 'p', n: 11 }, 'n'],
    ['no images', { prompt: 'p', n: 0 }, 'n'],
    ['an unknown format', { prompt: 'p', response_format: 'bmp' }, 'response_format'],
    ['a stream', { prompt: 'p', stream: true }, 'stream'],
    ['parts of images', { prompt: 'p', partial_images: 2 }, 'partial_images'],
    ['images to start from', { prompt: 'p', input_references: [{}] }, 'input_references'],
  ])('refuse %s', (_, fields, param) => {
    expect(refusal(images, fields)).toMatchObject({ status: 400, param });
  });

  it('let a client say that it wants no stream', () => {
    expect(read(images, { prompt: 'p', stream: false, partial_images: 0 }).body.fields).toEqual({ prompt: 'p' });
  });
});
