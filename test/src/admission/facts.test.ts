import { describe, expect, it } from 'vitest';
import { chatRequest } from '#schema/chat';
import { promptTokens } from '#src/admission/estimate-tokens';
import { chatFacts } from '#src/admission/facts';

const request = (fields: Record<string, unknown> = {}) =>
  chatRequest.parse({ model: 'a/b', messages: [{ role: 'user', content: 'hello' }], ...fields });
const facts = (fields: Record<string, unknown> = {}) => chatFacts(request(fields), { teamId: 'team', freeOnly: false });
const IMAGE = { type: 'image_url', image_url: { url: 'https://x/y.png' } };
const AUDIO = { type: 'input_audio', input_audio: { data: 'eA==', format: 'wav' } };
const FILE = { type: 'file', file: { file_data: 'data:,' } };
const VIDEOS = ['video_url', 'input_video'].map((type) => ({ type, video_url: { url: 'https://x/y.mp4' } }));
const said = (content: unknown) => promptTokens(request({ messages: [{ role: 'user', content }] }));

describe('what media may count beyond the estimate', () => {
  const slack = (...content: unknown[]) => facts({ messages: [{ role: 'user', content }] }).promptSlackTokens;
  const audioOf = (characters: number) => ({ type: 'input_audio', input_audio: { data: 'A'.repeat(characters), format: 'mp3' } });

  it.each([
    ['text', [{ type: 'text', text: 'a'.repeat(9000) }], undefined],
    ['a short sound', [audioOf(1000)], undefined],
    ['a long sound: 32 tokens for each 750 bytes', [audioOf(1_000_000)], 31_000],
    ['two images: 6,000 each', [IMAGE, IMAGE], 10_400],
    ['a file: two tokens a byte', [{ type: 'file', file: { file_data: `data:,${'A'.repeat(9994)}` } }], 13_000],
    ['a file at an address', [{ type: 'file', file: { file_data: 'https://x/y.pdf' } }], 9_998_000],
    ['a video', [VIDEOS[0]], 9_985_000],
    ['a video by its older name', [VIDEOS[1]], 9_985_000],
  ])('%s', (_, content, expected) => expect(slack(...content)).toBe(expected));

  it('M4: tools that the upstream runs itself may fill any context', () => {
    expect(chatFacts(request(), { teamId: 'team', freeOnly: false, needs: ['messages'] }).promptSlackTokens).toBe(10_000_000);
  });
});

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
    ['a video is a minute of frames', [{ type: 'video_url', video_url: { url: 'https://x/y' } }], 15_004],
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
    [
      'each kind of media once',
      {
        messages: [
          { role: 'user', content: [IMAGE, AUDIO, IMAGE] },
          { role: 'tool', tool_call_id: 'c', content: [FILE] },
          { role: 'user', content: VIDEOS },
        ],
      },
      ['vision', 'audio', 'file', 'video'],
    ],
  ])('needs: %s', (_, fields, needs) => {
    expect(facts(fields).needs).toEqual(needs);
  });

  it.each([
    [{}, null, 250],
    [{ max_tokens: 10 }, 10, 10],
    [{ max_tokens: 9000 }, 9000, 250],
    [{ max_tokens: 10, max_completion_tokens: 20 }, 10, 10],
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

  it("takes the skin's needs, wishes and sizes over its own", () => {
    const size = { promptTokens: 900, contextTokens: 300, choices: 6 };
    const given = chatFacts(request({ n: 2 }), { teamId: 't', freeOnly: false, needs: ['completion', 'n'], wants: ['completion'], size });
    expect(given).toMatchObject({ ...size, needs: ['n', 'completion'], wants: ['completion'], expectedCompletionTokens: 1500 });
  });

  it('tool results of earlier turns are better off at an endpoint with tools', () => {
    expect(facts({ messages: [{ role: 'tool', tool_call_id: 'c', content: 'x' }] })).toMatchObject({ needs: [], wants: ['tools'] });
  });

  it('names each maker of replayed reasoning once, and no more than eight', () => {
    const signed = (details: object[]) => facts({ messages: [{ role: 'assistant', content: 'x', reasoning_details: details }] }).signedBy;
    const details = [{ signature: 'hr1:a:s' }, { signature: 'plain' }, { data: 'hr1:b:s' }, { signature: 'hr1:a:t' }, { data: { x: 1 } }];
    expect(signed(details)).toEqual(['a', 'b']);
    expect(signed(Array.from({ length: 20 }, (_, at) => ({ signature: `hr1:op${at}:s` })))).toHaveLength(8);
    expect(facts().signedBy).toEqual([]);
  });

  it('a seed is a wish, the stream flag a fact, free a suffix', () => {
    expect(facts({ seed: 0, stream: true })).toMatchObject({ wants: ['seed'], stream: true, freeOnly: false });
    expect(chatFacts(request(), { teamId: 't', freeOnly: true }).freeOnly).toBe(true);
  });
});
