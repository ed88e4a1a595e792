import { describe, expect, it } from 'vitest';
import { chatRequest } from '#schema/chat';
import { promptTokens } from '#src/admission/estimate-tokens';
import { requestFacts } from '#src/admission/facts';

const request = (fields: Record<string, unknown> = {}) =>
  chatRequest.parse({ model: 'a/b', messages: [{ role: 'user', content: 'hello' }], ...fields });
const facts = (fields: Record<string, unknown> = {}) => requestFacts(request(fields), 'team', false);
const said = (content: unknown) => promptTokens(request({ messages: [{ role: 'user', content }] }));

describe('prompt estimate', () => {
  it.each([
    ['ASCII: four characters a token', 'a'.repeat(400), 104],
    ['East Asian: a character a token', '你好世界', 8],
    ['other alphabets: two characters a token', 'привет', 7],
    [
      'text parts count, an image is 800',
      [
        { type: 'text', text: 'a'.repeat(40) },
        { type: 'image_url', image_url: { url: 'data:' + 'x'.repeat(9000) } },
      ],
      814,
    ],
    ['a text part without text does not break the estimate', [{ type: 'text' }], 2004],
    ['empty content still has its frame', '', 4],
  ])('%s', (_, content, expected) => {
    expect(said(content)).toBe(expected);
  });

  it('counts tools, schemas and earlier tool calls', () => {
    const plain = promptTokens(request());
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
    expect(promptTokens(request({ tools }))).toBe(plain + Math.ceil(JSON.stringify(tools).length / 4 - 0.75));
    const calls = [{ id: '1', type: 'function', function: { name: 'f', arguments: 'x'.repeat(400) } }];
    expect(promptTokens(request({ messages: [{ role: 'assistant', content: null, tool_calls: calls }] }))).toBeGreaterThan(100);
  });
});

describe('facts', () => {
  it.each([
    ['nothing', {}, []],
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }, ['tools']],
    ['tools that may not be used', { tools: [{ type: 'function', function: { name: 'f' } }], tool_choice: 'none' }, []],
    ['an empty tool list', { tools: [] }, []],
    ['json_schema', { response_format: { type: 'json_schema', json_schema: { name: 's', schema: {} } } }, ['json_schema']],
    ['json_object', { response_format: { type: 'json_object' } }, ['json_object']],
    ['plain text format', { response_format: { type: 'text' } }, []],
    ['logprobs', { logprobs: true }, ['logprobs']],
    ['n', { n: 2 }, ['n']],
    ['n of one', { n: 1 }, []],
    ['vision', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] }, ['vision']],
    ['audio and file', { messages: [{ role: 'user', content: [{ type: 'input_audio' }, { type: 'file' }] }] }, ['audio', 'file']],
    ['a part type named like a method', { messages: [{ role: 'user', content: [{ type: 'constructor' }] }] }, []],
  ])('needs: %s', (_, fields, needs) => {
    expect(facts(fields).needs).toEqual(needs);
  });

  it.each([
    [{}, null, 250],
    [{ max_tokens: 10 }, 10, 10],
    [{ max_tokens: 9000 }, 9000, 250],
    [{ max_tokens: 10, max_completion_tokens: 20 }, 20, 20],
    [{ max_tokens: null }, null, 250],
  ])('output limit of %j is %s, expected %i', (fields, maxTokens, expectedCompletionTokens) => {
    expect(facts(fields)).toMatchObject({ maxTokens, expectedCompletionTokens });
  });

  it.each([
    [{}, false],
    [{ reasoning: { effort: 'low' } }, true],
    [{ reasoning_effort: 'high' }, true],
    [{ reasoning: { effort: 'none' } }, false],
    [{ reasoning: { enabled: true } }, true],
    [{ reasoning: { enabled: false }, reasoning_effort: 'high' }, false],
    [{ include_reasoning: true }, true],
  ])('reasoning of %j is %s', (fields, expected) => {
    expect(facts(fields).reasoning).toBe(expected);
    expect(facts(fields).wants.includes('reasoning')).toBe(expected);
  });

  it('a seed is a wish, the stream flag a fact, free a suffix', () => {
    expect(facts({ seed: 0, stream: true })).toMatchObject({ wants: ['seed'], stream: true, freeOnly: false });
    expect(requestFacts(request(), 't', true).freeOnly).toBe(true);
  });
});
