import type { FinishReason } from '#schema/chat';

const WORDS: ReadonlyMap<string, FinishReason> = new Map([
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['max_output_tokens', 'length'],
  ['model_length', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_calls', 'tool_calls'],
  ['tool_call', 'tool_calls'],
  ['tool_use', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['content_filter', 'content_filter'],
  ['safety', 'content_filter'],
  ['sensitive', 'content_filter'],
  ['refusal', 'content_filter'],
  ['recitation', 'content_filter'],
  ['error', 'error'],
  ['abort', 'error'],
  ['network_error', 'error'],
  ['insufficient_system_resource', 'error'],
]);

/** Turns a native finish reason into OpenRouter's five words; every unknown way to end (`end`, `eos`, `end_turn` …) is `stop`. */
export function toFinishReason(native: string): FinishReason {
  return WORDS.get(native) ?? WORDS.get(native.toLowerCase()) ?? 'stop';
}
