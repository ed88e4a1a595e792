import { describe, expect, it } from 'vitest';
import { embeddings } from '#src/skins/units/embeddings';
import { CHARGE, LABELS, read, refusal, said, settled } from './unit-client.ts';

describe('embeddings', () => {
  it.each([
    ['text', 'four words of text', 5],
    ['texts', ['a', 'b'], 2],
    ['tokens', [1, 2, 3], 3],
    ['lists of tokens', [[1, 2], [3]], 3],
  ])('take %s as they are', (_, input, least) => {
    const { body, size } = read(embeddings, { input });
    expect(body).toEqual({ fields: { input }, file: null });
    expect(size.promptTokens).toBeGreaterThanOrEqual(least);
  });

  it("turn OpenRouter's content parts into text", () => {
    const input = [
      {
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      { content: [{ type: 'text', text: 'c' }] },
    ];
    expect(read(embeddings, { input }).body.fields).toEqual({ input: ['a\nb', 'c'] });
  });

  it('need room for the longest input, and pay for all', () => {
    expect(read(embeddings, { input: [[1, 2, 3], [4]] }).size).toEqual({ promptTokens: 4, contextTokens: 3, unitsMax: 0 });
  });

  it.each([
    ['no input', {}, 'input'],
    ['empty text', { input: '' }, 'input'],
    ['an empty text among others', { input: ['a', ''] }, 'input.1'],
    ['an empty list', { input: [] }, 'input'],
    ['an empty list of tokens', { input: [[1], []] }, 'input.1'],
    ['too many inputs', { input: Array.from({ length: 2049 }, () => 'a') }, 'input'],
    ['a negative token', { input: [-1] }, 'input.0'],
    ['a million wrong inputs', { input: Array(1e6).fill(true) }, 'input'],
    ['mixed inputs', { input: ['a', 1] }, 'input.1'],
    ['a picture', { input: [{ content: [{ type: 'image_url', image_url: { url: 'https://a.example' } }] }] }, 'input.0.content.0'],
    ['an unknown encoding', { input: 'a', encoding_format: 'hex' }, 'encoding_format'],
    ['no dimensions', { input: 'a', dimensions: 0 }, 'dimensions'],
  ])('refuse %s', (_, fields, param) => {
    expect(refusal(embeddings, fields)).toMatchObject({ status: 400, param });
  });

  it('answer as OpenAI does, with id, provider and cost', () => {
    const data = [{ object: 'embedding', index: 0, embedding: [0.5] }];
    expect(read(embeddings, { input: 'a' }).writeAnswer(LABELS, said({ json: { data } }), settled({ promptTokens: 8 }))).toEqual({
      object: 'list',
      id: 'gen-1',
      model: 'a/b',
      provider: 'Rig',
      data,
      usage: { prompt_tokens: 8, total_tokens: 8, ...CHARGE },
    });
  });
});
