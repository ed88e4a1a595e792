/** Writes Anthropic messages: whole, and as the event sequence of a stream. */
import { parseAnthropicRequest } from './anthropic-request.ts';
import type { Answer } from './answer.ts';
import { toErrorBody } from './error-family.ts';
import type { Dialect, Frame, Reply, TokenUsage } from './dialect.ts';
import { toWords } from './tokens.ts';

/** Speaks `POST /v1/messages`. */
export const anthropicMessages: Dialect = {
  parse: parseAnthropicRequest,
  renderBody,
  renderFrames,
  renderErrorFrame: (_card, refusal) => toEventFrame(toErrorBody('anthropic', refusal)),
};

function toEventFrame(data: Record<string, unknown>): string {
  return `event: ${String(data['type'])}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Splits the prompt as Anthropic counts it: what was read from the cache stands beside `input_tokens`, not inside. */
function toInputUsage(usage: TokenUsage): Record<string, number> {
  return {
    input_tokens: usage.promptTokens - usage.cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cachedTokens,
  };
}

function stopReason(answer: Answer): string {
  if (answer.finish === 'length') return 'max_tokens';
  if (answer.finish === 'tool_calls') return 'tool_use';
  return answer.stopWord === null ? 'end_turn' : 'stop_sequence';
}

function onlyAnswer(reply: Reply): Answer {
  const [answer] = reply.answers;
  if (answer === undefined) throw new Error('a reply holds at least one answer');
  return answer;
}

function envelope(reply: Reply): Record<string, unknown> {
  return {
    id: reply.id.replace('chatcmpl-', 'msg_'),
    type: 'message',
    role: 'assistant',
    model: reply.job.model.upstreamModel,
    devnet: { simulated: true, endpoint: reply.card.id },
  };
}

function parseArguments(pieces: readonly string[]): unknown {
  try {
    return JSON.parse(pieces.join(''));
  } catch {
    // Cut off by max_tokens; Anthropic gives what it has, we have nothing that parses.
    return {};
  }
}

function renderBody(reply: Reply): Record<string, unknown> {
  const answer = onlyAnswer(reply);
  const content: Record<string, unknown>[] = [];
  if (answer.reasoning.length > 0) content.push({ type: 'thinking', thinking: answer.reasoning.join(''), signature: 'simulated' });
  if (answer.content.length > 0) content.push({ type: 'text', text: answer.content.join('') });
  if (answer.toolCall !== null) {
    const { id, name } = answer.toolCall;
    content.push({ type: 'tool_use', id: toToolUseId(id), name, input: parseArguments(answer.toolCall.arguments) });
  }
  return {
    ...envelope(reply),
    content,
    stop_reason: stopReason(answer),
    stop_sequence: answer.stopWord,
    ...(reply.usage === null ? {} : { usage: { ...toInputUsage(reply.usage), output_tokens: reply.usage.completionTokens } }),
  };
}

function toToolUseId(callId: string): string {
  return callId.replace('call_', 'toolu_');
}

interface Block {
  start: Record<string, unknown>;
  deltas: { delta: Record<string, unknown>; tokens: number }[];
}

function toBlocks(answer: Answer): Block[] {
  const blocks: Block[] = [];
  if (answer.reasoning.length > 0) {
    const thoughts = toWords(answer.reasoning).map((word) => ({
      delta: { type: 'thinking_delta', thinking: word.join('') },
      tokens: word.length,
    }));
    const signature = { delta: { type: 'signature_delta', signature: 'simulated' }, tokens: 0 };
    blocks.push({ start: { type: 'thinking', thinking: '', signature: '' }, deltas: [...thoughts, signature] });
  }
  if (answer.content.length > 0) {
    const deltas = toWords(answer.content).map((word) => ({ delta: { type: 'text_delta', text: word.join('') }, tokens: word.length }));
    blocks.push({ start: { type: 'text', text: '' }, deltas });
  }
  if (answer.toolCall !== null) {
    const { id, name } = answer.toolCall;
    const deltas = answer.toolCall.arguments.map((piece) => ({ delta: { type: 'input_json_delta', partial_json: piece }, tokens: 1 }));
    blocks.push({ start: { type: 'tool_use', id: toToolUseId(id), name, input: {} }, deltas });
  }
  return blocks;
}

function renderFrames(reply: Reply): Frame[] {
  const { usage } = reply;
  const answer = onlyAnswer(reply);
  const frames: Frame[] = [];
  const push = (data: Record<string, unknown>, tokens = 0): void => void frames.push({ text: toEventFrame(data), tokens });

  const started = usage === null ? {} : { usage: { ...toInputUsage(usage), output_tokens: 1 } };
  push({ type: 'message_start', message: { ...envelope(reply), content: [], stop_reason: null, stop_sequence: null, ...started } });
  toBlocks(answer).forEach(({ start, deltas }, index) => {
    push({ type: 'content_block_start', index, content_block: start });
    if (index === 0) push({ type: 'ping' });
    for (const { delta, tokens } of deltas) push({ type: 'content_block_delta', index, delta }, tokens);
    push({ type: 'content_block_stop', index });
  });
  const ended = usage === null ? {} : { usage: { output_tokens: usage.completionTokens } };
  push({ type: 'message_delta', delta: { stop_reason: stopReason(answer), stop_sequence: answer.stopWord }, ...ended });
  push({ type: 'message_stop' });
  return frames;
}
