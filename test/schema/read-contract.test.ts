import { describe, expect, it } from 'vitest';
import { GatewayError } from '#schema/error';
import { chatRequest } from '#schema/chat';
import { readContract } from '#schema/read-contract';

const ok = { model: 'a/b', messages: [{ role: 'user', content: 'x' }] };

function refusal(body: unknown): GatewayError {
  try {
    readContract(chatRequest, body);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

describe('bad requests', () => {
  it.each([
    ['no body', null, null, 'expected object'],
    ['a list', [], null, 'expected object'],
    ['no model', { messages: ok.messages }, 'model', 'is required'],
    ['no messages', { model: 'a' }, 'messages', 'is required'],
    ['empty messages', { ...ok, messages: [] }, 'messages', '>=1'],
    ['a foreign role', { ...ok, messages: [{ role: 'alien', content: 'x' }] }, 'messages.0.role', '"assistant"'],
    [
      'content of a wrong type',
      { ...ok, messages: [ok.messages[0], { role: 'user', content: 5 }] },
      'messages.1.content',
      'string or array',
    ],
    ['a part without type', { ...ok, messages: [{ role: 'user', content: [{ text: 'x' }] }] }, 'messages.0.content.0.type', ''],
    ['a tool answer without its call', { ...ok, messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.tool_call_id', 'is required'],
    ['negative max_tokens', { ...ok, max_tokens: -1 }, 'max_tokens', '>0'],
    ['zero max_tokens', { ...ok, max_tokens: 0 }, 'max_tokens', '>0'],
    ['absurd max_tokens', { ...ok, max_tokens: 1e30 }, 'max_tokens', '10000000'],
    ['fractional max_tokens', { ...ok, max_tokens: 1.5 }, 'max_tokens', 'int'],
    ['infinite temperature', { ...ok, temperature: Infinity }, 'temperature', 'expected number'],
    ['temperature as text', { ...ok, temperature: 'hot' }, 'temperature', 'expected number'],
    ['n of zero', { ...ok, n: 0 }, 'n', '>=1'],
    ['n of a thousand', { ...ok, n: 1000 }, 'n', '128'],
    ['a misspelt restriction', { ...ok, provider: { onyl: ['a'] } }, 'provider.onyl', 'not a known field'],
    ['an unknown tier', { ...ok, provider: { privacy: { min_tier: 'secret' } } }, 'provider.privacy.min_tier', '"zero_retention"'],
    ['an unknown sort', { ...ok, provider: { sort: 'cheap' } }, 'provider.sort', '"price"'],
    ['an unknown supply', { ...ok, provider: { supply: { only: ['moon'] } } }, 'provider.supply.only.0', '"subnet"'],
    ['a negative price', { ...ok, provider: { max_price: { prompt: -1 } } }, 'provider.max_price.prompt', '>=0'],
    ['stop of a wrong type', { ...ok, stop: 5 }, 'stop', 'string or array'],
  ])('%s', (_, body, param, says) => {
    const error = refusal(body);
    expect({ code: error.code, param: error.param }).toEqual({ code: 'invalid_request', param });
    expect(error.message).toContain(says);
  });

  it('never repeats a value of the request', () => {
    const secret = 'my-private-prompt';
    for (const body of [
      { ...ok, messages: [{ role: secret, content: secret }] },
      { ...ok, temperature: secret },
      { ...ok, provider: { sort: secret } },
    ]) {
      expect(refusal(body).message).not.toContain(secret);
    }
  });

  it('I6: refuses ten thousand and one messages and 1,025 tools', () => {
    expect(refusal({ ...ok, messages: Array.from({ length: 10_001 }, () => ok.messages[0]) }).param).toBe('messages');
    expect(refusal({ ...ok, tools: Array.from({ length: 1025 }, () => ({ type: 'function' })) }).param).toBe('tools');
  });

  it('passes unknown fields through', () => {
    expect(readContract(chatRequest, { ...ok, top_k: 5, vendor: { x: 1 } })).toMatchObject({ top_k: 5, vendor: { x: 1 } });
  });
});
