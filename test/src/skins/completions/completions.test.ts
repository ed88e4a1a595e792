import { describe, expect, it } from 'vitest';
import { GatewayError } from '#schema/error';
import type { Settlement } from '#schema/skin';
import { completions } from '#src/skins/completions/completions';

const LABELS = { id: 'gen-1', createdAtS: 7, model: 'a/b', provider: 'P' };
const SETTLEMENT: Settlement = {
  usage: { source: 'reported', promptTokens: 3, completionTokens: 2, reasoningTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
  chargedNanoUsd: 500,
  promptNanoUsd: 300,
  endedAtS: 2,
  routerMetadata: null,
};

const read = (fields: Record<string, unknown>) => completions.read({ model: 'a/b', prompt: 'Once upon', ...fields }, new Headers());

function refusal(fields: Record<string, unknown>): GatewayError {
  try {
    read(fields);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

function scribeOf(fields: Record<string, unknown> = {}) {
  const scribe = read({ stream: true, ...fields }).createScribe(LABELS);
  scribe.open(LABELS);
  return scribe;
}

const parse = (frame: string): unknown => JSON.parse(frame.replace(/^data: /, '').trim());

describe('reading', () => {
  it('says a plain prompt as a message too, for endpoints that only chat', () => {
    const client = read({ max_tokens: 5, n: 2, stop: '.', provider: { only: ['x'] } });
    expect(client.request).toEqual({
      model: 'a/b',
      messages: [{ role: 'user', content: 'Once upon' }],
      max_tokens: 5,
      n: 2,
      stop: '.',
      provider: { only: ['x'] },
    });
    expect(client).toMatchObject({
      needs: [],
      wants: ['completion'],
      native: { dialect: 'openai-completions', body: { prompt: 'Once upon' } },
    });
  });

  it.each([
    ['a suffix', { suffix: 'end' }],
    ['an echo', { echo: true }],
    ['a best of several', { best_of: 3 }],
    ['token ids', { prompt: [1, 2, 3] }],
    ['several prompts', { prompt: ['a', 'b'] }],
    ['several prompts of token ids', { prompt: [[1], [2, 3]] }],
  ])('%s cannot be said in a chat: only endpoints for raw prompts will do', (_name, fields) => {
    expect(read(fields).needs).toEqual(['completion']);
  });

  it('log probabilities are for endpoints that give them', () => {
    expect(read({ logprobs: 0 }).needs).toEqual(['completion', 'logprobs']);
  });

  it.each([
    ['defaults that say nothing', { suffix: null, echo: false, best_of: 1, logprobs: null }],
    ['a list of one text', { prompt: ['Once upon'] }],
  ])('%s can', (_name, fields) => {
    expect(read(fields)).toMatchObject({ needs: [], request: { messages: [{ role: 'user', content: 'Once upon' }] } });
  });

  it.each([
    ['token ids count themselves', { prompt: [5, 6, 7] }, { promptTokens: 3, contextTokens: 3, choices: 1 }],
    [
      'prompts add up, the longest must fit',
      { prompt: ['a'.repeat(40), 'b'.repeat(8)], n: 2 },
      { promptTokens: 20, contextTokens: 14, choices: 4 },
    ],
    ['what best_of throws away is paid for', { best_of: 4, n: 2, prompt: '' }, { promptTokens: 4, contextTokens: 4, choices: 4 }],
    ['a suffix is read with every prompt', { prompt: [[1, 2], [3]], suffix: 'abcd' }, { promptTokens: 5, contextTokens: 3, choices: 2 }],
  ])('%s', (_name, fields, size) => {
    expect(read(fields).size).toEqual(size);
  });

  it('R9: every text of the request can be taken out of errors that quote it', () => {
    const { request } = read({ prompt: ['first secret', 'second secret'], suffix: 'third secret' });
    expect(request.messages.map(({ content }) => content)).toEqual(['first secret', 'second secret', 'third secret']);
  });

  it.each([
    ['no prompt', { prompt: undefined }, 'prompt'],
    ['an empty list', { prompt: [] }, 'prompt'],
    ['a mixed list', { prompt: ['a', 1] }, 'prompt'],
    ['negative token ids', { prompt: [-1] }, 'prompt'],
    ['too many prompts', { prompt: Array.from({ length: 129 }, () => 'x') }, 'prompt'],
    ['too many answers', { prompt: Array.from({ length: 65 }, () => 'x'), n: 2 }, 'prompt'],
    ['best_of below n', { best_of: 1, n: 2 }, 'best_of'],
    ['a streamed best_of', { best_of: 2, stream: true }, 'best_of'],
    ['logprobs as chat has them', { logprobs: true }, 'logprobs'],
    ['messages', { messages: [{ role: 'user', content: 'x' }] }, 'messages'],
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools'],
    ['no model', { model: undefined }, 'model'],
  ])('%s is refused, and the field is named', (_name, fields, param) => {
    expect(refusal(fields)).toMatchObject({ code: 'invalid_request', param });
  });

  it('I6: a million token ids are one prompt, not a million', () => {
    const prompt = Array.from({ length: 1_000_000 }, (_, id) => id);
    expect(read({ prompt }).size).toEqual({ promptTokens: 1_000_000, contextTokens: 1_000_000, choices: 1 });
  });
});

describe('writing', () => {
  it('answers whole in the words of text_completion, with cost', () => {
    const choices = [
      {
        index: 0,
        finish_reason: 'stop',
        native_finish_reason: 'eos',
        logprobs: { tokens: ['a'] },
        message: { content: ' a time', reasoning: 'hm' },
      },
      { index: 1, finish_reason: 'length', message: { content: null } },
      { index: 2, finish_reason: 'stop', message: { content: null, refusal: 'No.' } },
    ];
    expect(
      read({}).writeAnswer(LABELS, { upstreamId: 'u', choices, usage: null, extra: { system_fingerprint: 'fp' } }, SETTLEMENT),
    ).toMatchObject({
      id: 'gen-1',
      object: 'text_completion',
      created: 7,
      model: 'a/b',
      provider: 'P',
      system_fingerprint: 'fp',
      choices: [
        { text: ' a time', index: 0, logprobs: { tokens: ['a'] }, finish_reason: 'stop', native_finish_reason: 'eos', reasoning: 'hm' },
        { text: '', index: 1, logprobs: null, finish_reason: 'length', native_finish_reason: 'length' },
        { text: 'No.', index: 2 },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5, cost: 5e-7 },
    });
  });

  it('streams text chunks, then the usage, then [DONE]', () => {
    const scribe = scribeOf();
    const chunk = { kind: 'chunk' as const, upstreamId: 'u', usage: null, extra: null };
    expect(parse(scribe.write({ ...chunk, choices: [{ index: 0, finish_reason: null, delta: { content: 'x' } }] }))).toEqual({
      id: 'gen-1',
      object: 'text_completion',
      created: 7,
      model: 'a/b',
      provider: 'P',
      choices: [{ text: 'x', index: 0, logprobs: null, finish_reason: null, native_finish_reason: null }],
    });
    expect(scribe.write({ ...chunk, choices: [] })).toBe('');
    const [closing, usage, done] = scribe.finish(SETTLEMENT, [0]).split('\n\n');
    expect(parse(closing ?? '')).toMatchObject({ choices: [{ text: '', index: 0, finish_reason: 'stop' }] });
    expect(parse(usage ?? '')).toMatchObject({ choices: [], usage: { prompt_tokens: 3, cost: 5e-7 } });
    expect(done).toBe('data: [DONE]');
  });

  it('breaks off with the error and a finish reason', () => {
    const frame = scribeOf().fail(new GatewayError('upstream_failed', 'gone'), null);
    expect(parse(frame)).toMatchObject({ error: { code: 502, message: 'gone' }, choices: [{ text: '', finish_reason: 'error' }] });
  });
});
