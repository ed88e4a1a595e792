import { describe, expect, it } from 'vitest';
import { read, WEATHER_TOOL } from './conversations.ts';

function messagesOf(input: unknown, rest: Record<string, unknown> = {}) {
  return read({ input, ...rest }).request.messages;
}

describe('input', () => {
  it('may be a text, with instructions before it', () => {
    expect(messagesOf('Hi', { instructions: 'Be brief.' })).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
    ]);
  });

  it('takes messages in the short form and in the long one', () => {
    const input = [
      { role: 'developer', content: 'Rhyme.' },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi', cache_control: { type: 'ephemeral' } }] },
      { role: 'assistant', content: 'Hello, bye.' },
      {
        type: 'message',
        id: 'msg_1',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'A', annotations: [] }],
      },
    ];
    expect(messagesOf(input)).toEqual([
      { role: 'developer', content: 'Rhyme.' },
      { role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }] },
      { role: 'assistant', content: 'Hello, bye.' },
      { role: 'assistant', content: 'A' },
    ]);
  });

  it('takes images, files, audio and video', () => {
    const parts = [
      { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'low' },
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' },
      { type: 'input_file', file_url: 'https://a.example/a.pdf' },
      { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
      { type: 'input_video', video_url: 'https://a.example/a.mp4' },
    ];
    expect(messagesOf([{ role: 'user', content: parts }])).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' } },
          { type: 'file', file: { file_data: 'https://a.example/a.pdf' } },
          { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
          { type: 'video_url', video_url: { url: 'https://a.example/a.mp4' } },
        ],
      },
    ]);
  });

  it('joins what the assistant thought, said and called in one go', () => {
    const input = [
      { role: 'user', content: 'Weather?' },
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Look it up.' }] },
      { role: 'assistant', content: [{ type: 'output_text', text: 'A moment.' }] },
      { type: 'function_call', id: 'fc_1', call_id: 'a', name: 'weather', arguments: '{}' },
      { type: 'function_call', id: 'fc_2', call_id: 'b', name: 'weather', arguments: '{"city":"Oslo"}' },
      { type: 'function_call_output', call_id: 'a', output: 'Rain' },
      { type: 'function_call_output', call_id: 'b', output: [{ type: 'input_text', text: 'Sun' }] },
    ];
    expect(messagesOf(input).slice(1)).toEqual([
      {
        role: 'assistant',
        reasoning: 'Look it up.',
        content: 'A moment.',
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'weather', arguments: '{}' } },
          { id: 'b', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: 'Rain' },
      { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: 'Sun' }] },
    ]);
  });

  it('keeps results right behind the message that called, whatever stood between', () => {
    const input = [
      { type: 'function_call', call_id: 'a', name: 'weather', arguments: '{}' },
      { type: 'reasoning', summary: [{ text: 'Wait.' }] },
      { role: 'assistant', content: 'Done.' },
      { type: 'function_call_output', call_id: 'a', output: 'Rain' },
    ];
    expect(messagesOf(input).map(({ role }) => role)).toEqual(['assistant', 'tool']);
  });

  it('begins a new message where the assistant thinks again after speaking', () => {
    const input = [
      { type: 'reasoning', summary: [{ text: 'One.' }] },
      { role: 'assistant', content: 'First.' },
      { type: 'reasoning', summary: [{ text: 'Two.' }] },
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
    ];
    expect(messagesOf(input)).toEqual([
      { role: 'assistant', reasoning: 'One.', content: 'First.' },
      { role: 'assistant', reasoning: 'Two.', content: null, refusal: 'No.' },
    ]);
  });

  it('keeps encrypted reasoning of other makers, and signatures as OpenRouter writes them', () => {
    const openAi = { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'So.' }], encrypted_content: 'gAAA' };
    const signed = { type: 'reasoning', summary: [], content: [{ text: 'So.' }], signature: 'c2ln', format: 'anthropic-claude-v1' };
    expect(messagesOf([openAi])[0]).toMatchObject({
      reasoning: 'So.',
      reasoning_details: [
        { type: 'reasoning.summary', summary: 'So.', format: 'openai-responses-v1', index: 0 },
        { type: 'reasoning.encrypted', data: 'gAAA', format: 'openai-responses-v1', index: 1 },
      ],
    });
    expect(messagesOf([signed])[0]).toMatchObject({
      reasoning_details: [{ type: 'reasoning.text', text: 'So.', signature: 'c2ln', format: 'anthropic-claude-v1', index: 0 }],
    });
  });
});

describe('settings', () => {
  it('are said in chat’s words', () => {
    const { request } = read({
      max_output_tokens: 100,
      tools: [WEATHER_TOOL],
      tool_choice: { type: 'function', name: 'weather' },
      text: { format: { type: 'json_schema', name: 'w', schema: { type: 'object' }, strict: true }, verbosity: 'low' },
      include: ['message.output_text.logprobs'],
      top_logprobs: 3,
    });
    const { type: _type, ...named } = WEATHER_TOOL;
    expect(request).toMatchObject({
      max_completion_tokens: 100,
      tools: [{ type: 'function', function: named }],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      response_format: { type: 'json_schema', json_schema: { name: 'w', schema: { type: 'object' }, strict: true } },
      verbosity: 'low',
      logprobs: true,
      top_logprobs: 3,
    });
  });

  it('of chat and unknown ones pass through', () => {
    const passed = {
      models: ['other/model'],
      provider: { order: ['somebody'] },
      reasoning: { effort: 'high', summary: 'auto' },
      session_id: 's-1',
      temperature: 0.5,
      top_k: 40,
      parallel_tool_calls: false,
      metadata: { trip: '7' },
      prompt_cache_key: 'k',
      stream: true,
      seed: 7,
      house_rule: 1,
    };
    expect(read(passed).request).toMatchObject(passed);
  });

  it('of this API alone stay here', () => {
    const { request } = read({
      store: false,
      background: false,
      previous_response_id: null,
      conversation: null,
      prompt: null,
      truncation: 'auto',
      max_tool_calls: 3,
      stream_options: { include_obfuscation: false },
      include: ['reasoning.encrypted_content'],
      text: { format: { type: 'text' } },
      instructions: null,
    });
    expect(Object.keys(request).toSorted()).toEqual(['messages', 'model']);
  });

  it('offer only the allowed tools', () => {
    const other = { ...WEATHER_TOOL, name: 'other' };
    const choice = { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'weather' }] };
    const { request } = read({ tools: [other, WEATHER_TOOL], tool_choice: choice });
    expect(request.tools?.map((tool) => tool.function?.name)).toEqual(['weather']);
    expect(request.tool_choice).toBe('required');
  });

  it('name a model, or several of which the first is tried first', () => {
    expect(read({ model: undefined, models: ['a/b', 'c/d'] }).request.model).toBe('a/b');
    expect(() => read({ model: undefined })).toThrow(expect.objectContaining({ param: 'model' }));
  });
});
