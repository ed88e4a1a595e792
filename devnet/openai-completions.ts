/** Raw completions, as vLLM serves them: a prompt goes on, without roles, tools or thoughts. */
import type { Answer } from './answer.ts';
import {
  catchComplaint,
  complain,
  isFields,
  limitOutput,
  readBody,
  readNumber,
  readStop,
  readTextModel,
  TOKENS_MAX,
  type Fields,
} from './body.ts';
import type { EndpointCard } from './card.ts';
import type { Dialect, Frame, Reply } from './dialect.ts';
import type { Job } from './job.ts';
import { toTextLogprobs, voiceOf, type Voice } from './logprobs.ts';
import { envelope, interleave, renderErrorFrame, toDataFrame, toUsage } from './openai-frames.ts';
import { readPrompts } from './prompts.ts';
import { splitTokens, toWords } from './tokens.ts';

const CHOICES_MAX = 64;
const LOGPROBS_MAX = 20;
/** Output limit where the request names none: OpenAI's and vLLM's. */
const OUTPUT_TOKENS_DEFAULT = 16;

/** Speaks `POST /v1/completions`. */
export const openaiCompletions: Dialect = {
  parse: (body, card) => catchComplaint(() => toJob(readBody(body), card)),
  renderBody,
  renderFrames,
  renderErrorFrame,
};

function toJob(fields: Fields, card: EndpointCard): Job {
  const model = readTextModel(fields, card);
  const prompts = readPrompts(fields, 'prompt', CHOICES_MAX);
  const perPrompt = readNumber(fields, 'n', { min: 1, max: Math.floor(CHOICES_MAX / prompts.length), whole: true }, 1);
  if (typeof fields['suffix'] === 'string' && fields['suffix'] !== '') complain('suffix', "'suffix' is not supported by this model.");
  const longest = Math.max(...prompts.map((prompt) => prompt.tokens));
  const asked = readNumber(fields, 'max_tokens', { min: 0, max: TOKENS_MAX, whole: true }, OUTPUT_TOKENS_DEFAULT);
  readNumber(fields, 'temperature', { min: 0, max: 2 }, null);
  const prompt = prompts.map(({ text }) => text).join('\n');

  return {
    model,
    streaming: fields['stream'] === true,
    prompt,
    promptTokens: prompts.reduce((sum, { tokens }) => sum + tokens, 0),
    question: prompt,
    toolResult: null,
    echoes: fields['echo'] === true ? prompts.flatMap(({ text }) => Array.from({ length: perPrompt }, () => text)) : [],
    prefix: null,
    maxTokens: limitOutput(model, longest, { tokens: asked, param: 'max_tokens' }),
    minTokens: 0,
    stop: readStop(fields['stop'], 'stop'),
    seed: readNumber(fields, 'seed', { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, whole: true }, null),
    choices: prompts.length * perPrompt,
    tool: null,
    outputSchema: null,
    reasoning: 'none',
    topLogprobs: readNumber(fields, 'logprobs', { min: 0, max: LOGPROBS_MAX, whole: true }, null),
    includeUsage: isFields(fields['stream_options']) && fields['stream_options']['include_usage'] === true,
    runningUsage: false,
    caches: card.node !== null,
  };
}

/** Names an answer as this API does. */
function header(reply: Reply): Record<string, unknown> {
  return { ...envelope(reply, 'text_completion'), id: reply.id.replace('chatcmpl-', 'cmpl-') };
}

function renderBody(reply: Reply): Record<string, unknown> {
  const { card, job } = reply;
  const voice = voiceOf(job, card);
  const choices = reply.answers.map((answer, index) => {
    const echo = splitTokens(job.echoes[index] ?? '');
    const tokens = [...echo, ...answer.content];
    const logprobs =
      job.topLogprobs === null ? null : toTextLogprobs(tokens, job.topLogprobs, { offset: 0, isPrompt: echo.length > 0 }, voice);
    return { index, text: tokens.join(''), logprobs, finish_reason: answer.finish };
  });
  return { ...header(reply), choices, ...(reply.usage === null ? {} : { usage: toUsage(reply.usage) }) };
}

function renderFrames(reply: Reply): Frame[] {
  const { card, job, usage } = reply;
  const voice = voiceOf(job, card);
  const shared = header(reply);
  const toChunk = (choices: unknown[], rest: Record<string, unknown> = {}): string => toDataFrame({ ...shared, choices, ...rest });
  const frames = interleave(
    reply.answers.map((answer, index) => renderChoice({ job, voice }, answer, index, (choice) => toChunk([choice]))),
  );
  if (usage !== null && job.includeUsage) frames.push({ text: toChunk([], { usage: toUsage(usage) }), tokens: 0 });
  frames.push({ text: 'data: [DONE]\n\n', tokens: 0 });
  return frames;
}

/** Renders one choice: the echo in one piece, then a word at a time, then how it finished. */
function renderChoice(
  { job, voice }: { job: Job; voice: Voice },
  answer: Answer,
  index: number,
  toChunk: (choice: Record<string, unknown>) => string,
): Frame[] {
  const echo = splitTokens(job.echoes[index] ?? '');
  const pieces = [
    ...(echo.length > 0 ? [{ tokens: echo, generated: 0 }] : []),
    ...toWords(answer.content).map((tokens) => ({ tokens, generated: tokens.length })),
  ];
  let offset = 0;
  const frames = pieces.map(({ tokens, generated }, at) => {
    const isPrompt = at === 0 && echo.length > 0;
    const logprobs = job.topLogprobs === null ? null : toTextLogprobs(tokens, job.topLogprobs, { offset, isPrompt }, voice);
    const text = tokens.join('');
    offset += text.length;
    return { text: toChunk({ index, text, logprobs, finish_reason: null }), tokens: generated };
  });
  return [...frames, { text: toChunk({ index, text: '', logprobs: null, finish_reason: answer.finish }), tokens: 0 }];
}
