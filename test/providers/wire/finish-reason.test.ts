import { expect, it } from 'vitest';
import { toFinishReason } from '#providers/wire/finish-reason';

it.each([
  ['stop', 'stop'],
  ['end', 'stop'],
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['pause_turn', 'stop'],
  ['eos', 'stop'],
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['MAX_TOKENS', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_calls', 'tool_calls'],
  ['tool_use', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['content_filter', 'content_filter'],
  ['SAFETY', 'content_filter'],
  ['refusal', 'content_filter'],
  ['network_error', 'error'],
  ['abort', 'error'],
  ['constructor', 'stop'],
])('native %s is %s', (native, reason) => {
  expect(toFinishReason(native)).toBe(reason);
});
