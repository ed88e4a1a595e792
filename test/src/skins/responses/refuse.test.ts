import { describe, expect, it } from 'vitest';
import { GatewayError } from '#schema/error';
import { responses } from '#src/skins/responses/responses';
import { read } from './conversations.ts';

/** Reads a request that must be refused. */
function refusalOf(body: Record<string, unknown>): GatewayError {
  try {
    read(body);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('state is refused by name, with what to do instead', () => {
  it.each([
    ['store', true, 'whole conversation in `input`'],
    ['previous_response_id', 'resp_1', 'whole conversation in `input`'],
    ['conversation', { id: 'conv_1' }, 'whole conversation in `input`'],
    ['background', true, '`stream`'],
    ['prompt', { id: 'pmpt_1' }, '`instructions`'],
    ['context_management', [{ type: 'compaction' }], 'shorten'],
  ])('%s', (field, value, advice) => {
    const error = refusalOf({ [field]: value });
    expect(error).toMatchObject({ code: 'invalid_request', param: field });
    expect(error.message).toContain(`'${field}'`);
    expect(error.message).toContain(advice);
  });

  it('items and files that only a store could know', () => {
    expect(refusalOf({ input: [{ type: 'item_reference', id: 'msg_1' }] })).toMatchObject({ param: 'input.0' });
    const image = { type: 'input_image', file_id: 'file_1' };
    expect(refusalOf({ input: [{ role: 'user', content: [image] }] })).toMatchObject({ param: 'input.0.content.0.file_id' });
    const output = { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_file', file_id: 'file_1' }] };
    expect(refusalOf({ input: [output] })).toMatchObject({ param: 'input.0.output.0.file_id' });
  });
});

describe('tools that would run elsewhere are refused by name', () => {
  const HOSTED = [
    'web_search',
    'file_search',
    'computer_use_preview',
    'mcp',
    'code_interpreter',
    'image_generation',
    'custom',
    'openrouter:fusion',
  ];

  it.each(HOSTED)('%s', (type) => {
    const error = refusalOf({ tools: [{ type: 'function', name: 'f', parameters: {} }, { type }] });
    expect(error).toMatchObject({ code: 'invalid_request', param: 'tools.1' });
    expect(error.message).toContain(`'${type}'`);
    expect(error.message).toContain('function_call_output');
  });

  it('as a choice and as items of earlier turns too', () => {
    expect(refusalOf({ tool_choice: { type: 'mcp', server_label: 's' } })).toMatchObject({ param: 'tool_choice' });
    expect(refusalOf({ input: [{ type: 'web_search_call', id: 'ws_1' }] })).toMatchObject({ param: 'input.0' });
  });

  it('without repeating what is not a name', () => {
    expect(refusalOf({ tools: [{ type: 'my secret is 42' }] }).message).not.toContain('secret');
  });
});

describe('wrong values are refused at their place', () => {
  const call = { type: 'function_call', call_id: 'a', name: 'f' };

  it.each([
    ['input', undefined, 'input'],
    ['input', [], 'input'],
    ['input', [{ role: 'robot', content: 'Hi' }], 'input.0.role'],
    ['input', [{ role: 'user', content: [{ type: 'input_smell' }] }], 'input.0.content.0.type'],
    ['input', [{ role: 'user', content: [{ type: 'input_image', image_url: 'cat.png' }] }], 'input.0.content.0.image_url'],
    ['input', [{ role: 'user', content: [{ type: 'input_file', filename: 'a' }] }], 'input.0.content.0.file_data'],
    ['input', [call], 'input.0.arguments'],
    ['tools', [{ type: 'function' }], 'tools.0.name'],
    ['tool_choice', { type: 'function', name: 'nobody' }, 'tool_choice.name'],
    ['tool_choice', { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'nobody' }] }, 'tool_choice.tools.0.name'],
    ['tool_choice', 'required', 'tool_choice'],
    ['text', { format: { type: 'json_schema', name: 'x' } }, 'text.format.schema'],
    ['text', { format: { type: 'xml' } }, 'text.format.type'],
    ['max_output_tokens', 0, 'max_output_tokens'],
    ['metadata', { trip: 7 }, 'metadata.trip'],
    ['n', 2, 'n'],
    ['reasoning', { effort: 'high', max_tokens: 2000 }, 'reasoning.max_tokens'],
  ])('%s %j', (field, value, param) => {
    expect(refusalOf({ [field]: value })).toMatchObject({ code: 'invalid_request', param });
  });

  it('even where the body is no object', () => {
    for (const body of [null, [], 'Hi']) expect(() => responses.read(body, new Headers())).toThrow(GatewayError);
  });
});
