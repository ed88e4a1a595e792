import { describe, expect, it } from 'vitest';
import { chatRequest, MAX_TOKENS_LIMIT } from '#schema/chat';
import { describeProblem } from '#schema/describe-issue';

const MINIMAL = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };

/** Parses as a request would be: from JSON text, with `over` replacing fields. */
function parse(over: Record<string, unknown> | string) {
  const body = typeof over === 'string' ? JSON.parse(over) : JSON.parse(JSON.stringify({ ...MINIMAL, ...over }));
  return chatRequest.safeParse(body);
}

const PART = 'messages.0.content.0';
const toolOf = (name: string) => ({ type: 'function', function: { name } });
const TOOL = toolOf('f');
const allowed = (...names: string[]) => ({ type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: names.map(toolOf) } });

describe('bad requests', () => {
  const call = { role: 'assistant', tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: {} } }] };
  it.each<[string, Record<string, unknown> | string, string]>([
    ['no model', '{"messages":[{"role":"user","content":"x"}]}', 'model'],
    ['an empty model', { model: '' }, 'model'],
    ['a model that is a number', { model: 7 }, 'model'],
    ['a giant model', { model: 'x'.repeat(301) }, 'model'],
    ['no messages', '{"model":"m"}', 'messages'],
    ['empty messages', { messages: [] }, 'messages'],
    ['messages that are text', { messages: 'hi' }, 'messages'],
    ['I6: 10,001 messages', { messages: Array.from({ length: 10_001 }, () => MINIMAL.messages[0]) }, 'messages'],
    ['a wrong role', { messages: [{ role: 'robot', content: 'x' }] }, 'messages.0.role'],
    ['a user without content', { messages: [{ role: 'user' }] }, 'messages.0.content'],
    ['a user with null content', { messages: [{ role: 'user', content: null }] }, 'messages.0.content'],
    ['empty content parts', { messages: [{ role: 'user', content: [] }] }, 'messages.0.content'],
    ['content that is a number', { messages: [{ role: 'user', content: 5 }] }, 'messages.0.content'],
    ['a tool answer without its call', { messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.tool_call_id'],
    ['tool arguments that are no text', { messages: [call] }, 'messages.0.tool_calls.0.function.arguments'],
    ['M2: max_tokens 0', { max_tokens: 0 }, 'max_tokens'],
    ['M2: negative max_tokens', { max_tokens: -1 }, 'max_tokens'],
    ['M2: fractional max_tokens', { max_tokens: 1.5 }, 'max_tokens'],
    ['M2: max_tokens above the limit', { max_tokens: MAX_TOKENS_LIMIT + 1 }, 'max_tokens'],
    ['M2: max_completion_tokens 0', { max_completion_tokens: 0 }, 'max_completion_tokens'],
    ['I4: max_tokens 1e999', '{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":1e999}', 'max_tokens'],
    ['I4: max_tokens 2^63', '{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":9223372036854775808}', 'max_tokens'],
    ['max_tokens as text', { max_tokens: '100' }, 'max_tokens'],
    ['M2: n 0', { n: 0 }, 'n'],
    ['M2: n 1000', { n: 1000 }, 'n'],
    ['a temperature above 2', { temperature: 2.1 }, 'temperature'],
    ['a top_p above 1', { top_p: 1.1 }, 'top_p'],
    ['top_logprobs 21', { top_logprobs: 21 }, 'top_logprobs'],
    ['stream as text', { stream: 'yes' }, 'stream'],
    ['too many stop words', { stop: Array.from({ length: 17 }, () => 'x') }, 'stop'],
    ['I6: 1,025 tools', { tools: Array.from({ length: 1025 }, () => ({ type: 'function' })) }, 'tools'],
    ['a tool without a name', { tools: [{ type: 'function', function: { name: '' } }] }, 'tools.0.function.name'],
    ['an unknown response_format', { response_format: { type: 'xml' } }, 'response_format.type'],
    ['M2: reasoning for -1 tokens', { reasoning: { max_tokens: -1 } }, 'reasoning.max_tokens'],
    [
      'an image without address',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
      PART + '.image_url.url',
    ],
    [
      'an image on a disk',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: '/a' } }] }] },
      PART + '.image_url.url',
    ],
    [
      'audio without format',
      { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'x' } }] }] },
      PART + '.input_audio.format',
    ],
    [
      'a file that a vendor keeps',
      { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] },
      PART + '.file.file_data',
    ],
    [
      'an unknown part',
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }, { type: 'hologram' }] }] },
      'messages.0.content.1.type',
    ],
    ['a refusal that the user wrote', { messages: [{ role: 'user', content: [{ type: 'refusal', refusal: 'x' }] }] }, PART + '.type'],
    [
      'an image in the system prompt',
      { messages: [{ role: 'system', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }] },
      PART + '.type',
    ],
    ['a tool that the router would run', { tools: [{ type: 'a:web_search' }] }, 'tools.0.type'],
    ['a tool without its function', { tools: [{ type: 'function' }] }, 'tools.0.function'],
    ['a tool choice of a misspelt word', { tools: [TOOL], tool_choice: 'any' }, 'tool_choice'],
    [
      'a choice of a tool that is not there',
      { tools: [TOOL], tool_choice: { type: 'function', function: { name: 'g' } } },
      'tool_choice.function.name',
    ],
    ['an allowed tool that is none', { tools: [TOOL], tool_choice: allowed('f', 'g') }, 'tool_choice.allowed_tools.tools.1.function.name'],
    ['no tool allowed', { tools: [TOOL], tool_choice: allowed() }, 'tool_choice.allowed_tools.tools'],
    ['a choice of a server tool', { tools: [TOOL], tool_choice: { type: 'web_search' } }, 'tool_choice.type'],
    ['a demanded call without tools', { tool_choice: 'required' }, 'tool_choice'],
    ['json_schema without a schema', { response_format: { type: 'json_schema' } }, 'response_format.json_schema'],
    [
      'json_schema without a name',
      { response_format: { type: 'json_schema', json_schema: { schema: {} } } },
      'response_format.json_schema.name',
    ],
    ['a grammar', { response_format: { type: 'grammar', grammar: 'x' } }, 'response_format.type'],
    ['a bias beyond 100', { logit_bias: { '5': 101 } }, 'logit_bias.5'],
    ['a min_p above 1', { min_p: 1.1 }, 'min_p'],
    ['a top_a below 0', { top_a: -0.1 }, 'top_a'],
    ['a fractional top_k', { top_k: 1.5 }, 'top_k'],
    ['a repetition_penalty of 0', { repetition_penalty: 0 }, 'repetition_penalty'],
    ['a frequency_penalty of 3', { frequency_penalty: 3 }, 'frequency_penalty'],
    ['top_logprobs without logprobs', { top_logprobs: 2 }, 'top_logprobs'],
    ['two different efforts', { reasoning: { effort: 'low' }, reasoning_effort: 'high' }, 'reasoning_effort'],
    ['an effort beside a budget', { reasoning: { effort: 'low', max_tokens: 2000 } }, 'reasoning.max_tokens'],
    ['a prediction of another kind', { prediction: { type: 'guess', content: 'x' } }, 'prediction.type'],
    ['seventeen labels', { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, 'v'])) }, 'metadata'],
    ['a label that is a number', { metadata: { a: 1 } }, 'metadata.a'],
    ['a label with a giant name', { metadata: { ['x'.repeat(65)]: 'v' } }, 'metadata'],
    ['spoken answers', { modalities: ['text', 'audio'] }, 'modalities.1'],
    ['stored answers', { store: true }, 'store'],
    ['web search', { web_search_options: {} }, 'web_search_options'],
    ['a web plugin', { plugins: [{ id: 'web' }] }, 'plugins.0'],
    ['a paid file parser', { plugins: [{ id: 'file-parser', pdf: { engine: 'mistral-ocr' } }] }, 'plugins.0'],
    ['the old form of tools', { functions: [{ name: 'f' }] }, 'functions'],
    ['a raw prompt', { prompt: 'Once' }, 'prompt'],
    ['a stored preset', { preset: 'mine' }, 'preset'],
    ['eleven models', { models: Array.from({ length: 11 }, () => 'm') }, 'models'],
    ['a misspelt privacy tier', { provider: { privacy: { min_tier: 'secret' } } }, 'provider.privacy.min_tier'],
    ['a misspelt wish', { provider: { privcy: {} } }, 'provider.privcy'],
    ['a giant session_id', { session_id: 'x'.repeat(257) }, 'session_id'],
  ])('%s is refused, and the field is named', (_name, body, path) => {
    const { success, error } = parse(body);
    expect(success).toBe(false);
    expect(error && describeProblem(error).path).toBe(path);
  });

  it.each(['null', '[]', '"text"', '7', 'true'])('a body that is %s is refused', (body) => {
    expect(parse(body).success).toBe(false);
  });
});

describe('sentences', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ stop: Array.from({ length: 17 }, () => 'x') }, 'expected array to have <=16 items'],
    [{ stop: 5 }, 'expected string or array'],
    [{ messages: [{ role: 'user', content: ['x'] }] }, 'expected object, received string'],
    [
      { messages: [{ role: 'user', content: [{ type: 'hologram' }] }] },
      'expected one of "text", "image_url", "input_audio", "file", "video_url"',
    ],
    [{ messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] }, 'no files are kept here'],
    [{ messages: undefined }, 'POST /completions'],
    [{ tools: [{ type: 'a:web_search' }] }, 'run it yourself'],
    [{ tools: [{ type: 'function' }] }, 'is required'],
    [{ tool_choice: 'any' }, 'expected one of "none", "auto", "required" or object'],
    [{ response_format: { type: 'python' } }, 'expected one of "text", "json_object", "json_schema"'],
    [{ plugins: [{ id: 'response-healing' }] }, 'json_schema'],
    [{ plugins: [{ id: 'fusion' }] }, 'set "enabled" to false'],
    [{ modalities: ['image'] }, '/images/generations'],
    [{ store: true }, 'leave it out'],
    [{ route: 'sort' }, 'provider.sort'],
  ])('%j: %s', (over, says) => {
    const { error } = parse(over);
    expect(error && describeProblem(error).sentence).toContain(says);
  });
});

describe('good requests', () => {
  it.each<[string, Record<string, unknown>]>([
    ['the least', {}],
    ['OpenAI’s nulls', { max_tokens: null, temperature: null, n: null, stop: null, tools: null, stream: null, stream_options: null }],
    ['the most tokens', { max_tokens: MAX_TOKENS_LIMIT, n: 128 }],
    ['an assistant that only calls tools', { messages: [{ role: 'assistant', content: null, tool_calls: [] }] }],
    ['an empty text', { messages: [{ role: 'user', content: '' }] }],
    ['models without a model', { model: undefined, models: ['a/b', 'c/d'] }],
    [
      'an answer as Python stores it',
      { messages: [{ role: 'assistant', content: 'x', refusal: null, tool_calls: null, audio: null, reasoning: null }] },
    ],
    [
      'an answer with its thoughts',
      {
        messages: [
          {
            role: 'assistant',
            content: [{ type: 'refusal', refusal: 'no' }],
            reasoning_details: [{ type: 'reasoning.encrypted', data: 'x' }],
          },
        ],
      },
    ],
    [
      'a tool result with an image',
      {
        messages: [
          { role: 'tool', tool_call_id: 'c', content: [{ type: 'image_url', image_url: { url: 'https://x/y.png', detail: 'low' } }] },
        ],
      },
    ],
    [
      'a video under both names',
      {
        messages: [
          { role: 'user', content: ['video_url', 'input_video'].map((type) => ({ type, video_url: { url: 'https://x/y.mp4' } })) },
        ],
      },
    ],
    ['the same effort twice', { reasoning: { effort: 'low' }, reasoning_effort: 'low' }],
    [
      'a choice of one of the tools',
      { tools: [TOOL], tool_choice: { type: 'function', function: { name: 'f' } }, parallel_tool_calls: false },
    ],
    ['a JSON schema that is left to the model', { response_format: { type: 'json_schema', json_schema: { name: 'n' } } }],
    ['no tools and no choice', { tools: [], tool_choice: 'auto', functions: [], function_call: null }],
    ['plugins that change nothing', { plugins: [{ id: 'web', enabled: false }, { id: 'context-compression' }, { id: 'file-parser' }] }],
    [
      'no-ops of older clients',
      { usage: { include: true }, transforms: ['middle-out'], route: 'fallback', service_tier: 'flex', store: false },
    ],
    ['text modality', { modalities: ['text'], verbosity: 'low', prediction: { type: 'content', content: 'x' } }],
    ['prices as numbers and as text', { provider: { max_price: { prompt: 0.5, completion: '2.4' } } }],
  ])('%s passes', (_name, over) => {
    expect(parse(over).error).toBeUndefined();
  });

  it('T14: unknown fields pass through, at every level that reaches an upstream', () => {
    const body = {
      vendor_knob: 5,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }], weight: 1 }],
      tools: [{ type: 'function', function: { name: 'f', strict: true }, cache_control: { type: 'ephemeral' }, extra: 1 }],
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' }, strict: true } },
    };
    expect(parse(body).data).toMatchObject(body);
  });

  it('where only some tools are allowed, those are left', () => {
    const tools = ['f', 'g', 'h'].map(toolOf);
    expect(parse({ tools, tool_choice: allowed('h', 'f') }).data).toMatchObject({ tools: [toolOf('f'), toolOf('h')], tool_choice: 'auto' });
  });

  it('of `models` alone the first is the model', () => {
    expect(parse({ model: undefined, models: ['a/b', 'c/d'] }).data?.model).toBe('a/b');
  });

  it.each([
    [{ max_tokens: 10, max_completion_tokens: 20 }, 10],
    [{ max_tokens: 20, max_completion_tokens: 10 }, 10],
    [{ max_tokens: null, max_completion_tokens: 10 }, 10],
  ])('of two output limits the tighter holds: %j', (limits, expected) => {
    expect(parse(limits).data?.max_completion_tokens).toBe(expected);
  });

  it('I3: `__proto__` in a body changes no prototype and brings in no field', () => {
    const { data } = parse('{"model":"m","messages":[{"role":"user","content":"x","__proto__":{"b":1}}],"__proto__":{"max_tokens":5}}');
    expect(data?.max_tokens).toBeUndefined();
    expect(({} as Record<string, unknown>)['max_tokens']).toBeUndefined();
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
  });
});
