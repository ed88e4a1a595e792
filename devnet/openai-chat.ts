/** Writes OpenAI chat completions: whole, and as the frames of a stream. */
import type { Answer } from './answer.ts';
import type { Dialect, Frame, Reply } from './dialect.ts';
import { toLogprobs, voiceOf } from './logprobs.ts';
import { envelope, interleave, renderErrorFrame, toDataFrame, toUsage } from './openai-frames.ts';
import { parseOpenaiRequest } from './openai-request.ts';
import { toWords } from './tokens.ts';

/** Speaks `POST /v1/chat/completions`. */
export const openaiChat: Dialect = {
  parse: (body, card) => parseOpenaiRequest(body, card),
  renderBody,
  renderFrames,
  renderErrorFrame,
};

function renderBody(reply: Reply): Record<string, unknown> {
  const { card, job } = reply;
  const choices = reply.answers.map((answer, index) => ({
    index,
    message: {
      role: 'assistant',
      content: answer.toolCall === null ? answer.content.join('') : null,
      ...(answer.reasoning.length > 0 ? { [card.reasoningField]: answer.reasoning.join('') } : {}),
      ...(answer.toolCall === null ? {} : { tool_calls: [toToolCall(answer.toolCall, answer.toolCall.arguments.join(''))] }),
    },
    logprobs: job.topLogprobs === null ? null : toLogprobs(answer.content, job.topLogprobs, voiceOf(job, card)),
    finish_reason: answer.finish,
  }));
  return {
    ...envelope(reply, 'chat.completion'),
    choices,
    ...(reply.usage === null ? {} : { usage: toUsage(reply.usage) }),
  };
}

function toToolCall(call: { id: string; name: string }, text: string): Record<string, unknown> {
  return { id: call.id, type: 'function', function: { name: call.name, arguments: text } };
}

function renderFrames(reply: Reply): Frame[] {
  const { card, job, usage } = reply;
  const shared = envelope(reply, 'chat.completion.chunk');
  const toChunk = (choices: unknown[], rest: Record<string, unknown> = {}): string => toDataFrame({ ...shared, choices, ...rest });
  const lanes = reply.answers.map((answer, index) => renderChoice(reply, answer, (choice, rest) => toChunk([{ index, ...choice }], rest)));
  const frames = interleave(lanes);
  reply.answers.forEach((answer, index) => {
    const isLast = index === reply.answers.length - 1;
    const inside = isLast && usage !== null && card.usagePlace === 'last_choice' ? { usage: toUsage(usage) } : {};
    frames.push({ text: toChunk([{ index, delta: {}, finish_reason: answer.finish, ...inside }]), tokens: 0 });
  });
  if (usage !== null && card.usagePlace === 'trailer' && job.includeUsage) {
    frames.push({ text: toChunk([], { usage: toUsage(usage) }), tokens: 0 });
  }
  frames.push({ text: 'data: [DONE]\n\n', tokens: 0 });
  return frames;
}

/** Writes an event with one choice; `rest` stands beside it. */
type ToChunk = (choice: Record<string, unknown>, rest: Record<string, unknown>) => string;

/** Renders the deltas of one choice, a word at a time or a token of JSON, without its end. */
function renderChoice(reply: Reply, answer: Answer, toChunk: ToChunk): Frame[] {
  const { card, job, usage } = reply;
  let completionTokens = 0;
  const toFrame = (delta: Record<string, unknown>, tokens: number, rest: Record<string, unknown> = {}): Frame => {
    completionTokens += tokens;
    const running = usage === null || !job.runningUsage ? {} : { usage: toUsage({ ...usage, completionTokens }) };
    return { text: toChunk({ delta, finish_reason: null, ...rest }, running), tokens };
  };
  const frames = [toFrame({ role: 'assistant', content: '' }, 0)];
  for (const word of toWords(answer.reasoning)) frames.push(toFrame({ [card.reasoningField]: word.join('') }, word.length));
  // JSON may have no white space at all, and would come in one piece.
  const pieces = job.outputSchema === null ? toWords(answer.content) : answer.content.map((token) => [token]);
  for (const word of pieces) {
    const logprobs = job.topLogprobs === null ? {} : { logprobs: toLogprobs(word, job.topLogprobs, voiceOf(job, card)) };
    frames.push(toFrame({ content: word.join('') }, word.length, logprobs));
  }
  if (answer.toolCall !== null) {
    frames.push(toFrame({ tool_calls: [{ index: 0, ...toToolCall(answer.toolCall, '') }] }, 0));
    for (const piece of answer.toolCall.arguments) {
      frames.push(toFrame({ tool_calls: [{ index: 0, function: { arguments: piece } }] }, 1));
    }
  }
  return frames;
}
