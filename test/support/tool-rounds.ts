/** Scripts of models that call tools round after round, then say what they heard from them. */
import type { ServerResponse } from 'node:http';
import { chunk, completion, event, openStream, sendJson, streamWords } from './openai-scripts.ts';
import { blocks, message, type AnthropicUsage } from './anthropic-scripts.ts';
import type { Script } from './scripted-upstream.ts';

/** One call, with its arguments as JSON text. */
export interface ScriptedCall {
  id: string;
  name: string;
  arguments: string;
}

/** Calls that are made together. */
export type Round = readonly ScriptedCall[];

interface OpenAiTurn {
  role: string;
  content: string;
  tool_calls?: object[];
}

interface AnthropicTurn {
  content: string | { type: string; content?: string | { text: string }[] }[];
}

const USAGE = { promptTokens: 20, completionTokens: 9 };
const ANTHROPIC_USAGE: AnthropicUsage = { input_tokens: 20, output_tokens: 9 };

/** Scripts an OpenAI-style endpoint. After the last round it answers `Heard: ` and every result. */
export function openAiRounds(...rounds: Round[]): Script {
  return (given, response) => {
    const turns = given.body['messages'] as OpenAiTurn[];
    const round = rounds[turns.filter(({ tool_calls: calls }) => calls !== undefined).length];
    const isStream = given.body['stream'] === true;
    if (round === undefined) {
      const heard = turns.filter(({ role }) => role === 'tool').map(({ content }) => content);
      const options = { text: say(heard), ...USAGE };
      return isStream ? streamWords(response, options) : sendJson(response, 200, completion(options));
    }
    return isStream ? streamCalls(response, round) : sendJson(response, 200, callingCompletion(round));
  };
}

/** Scripts an Anthropic-style endpoint, likewise. */
export function anthropicRounds(...rounds: Round[]): Script {
  return (given, response) => {
    const sent = (given.body['messages'] as AnthropicTurn[]).flatMap(({ content }) => (typeof content === 'string' ? [] : content));
    const called = sent.filter(({ type }) => type === 'tool_use').length;
    const round = rounds.find((_, index) => rounds.slice(0, index).flat().length === called);
    if (round === undefined) {
      const heard = sent.filter(({ type }) => type === 'tool_result').map(({ content = '' }) => textOf(content));
      return message(say(heard), ANTHROPIC_USAGE)(given, response);
    }
    const content = round.map(({ id, name, arguments: json }) => ({ type: 'tool_use', id, name, input: JSON.parse(json) as object }));
    return blocks({ content, stopReason: 'tool_use', usage: ANTHROPIC_USAGE })(given, response);
  };
}

function say(heard: string[]): string {
  return `Heard: ${heard.join('; ')}`;
}

function textOf(content: string | { text: string }[]): string {
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('');
}

function callingCompletion(round: Round): object {
  const whole = completion(USAGE) as { choices: object[] };
  const calls = round.map(({ id, name, arguments: json }) => ({ id, type: 'function', function: { name, arguments: json } }));
  const said = { role: 'assistant', content: null, tool_calls: calls };
  return { ...whole, choices: [{ index: 0, message: said, finish_reason: 'tool_calls' }] };
}

/** Streams the arguments in small pieces, those of parallel calls by turns. */
function streamCalls(response: ServerResponse, round: Round): void {
  openStream(response);
  const heads = round.map(({ id, name }, index) => ({ index, id, type: 'function', function: { name, arguments: '' } }));
  response.write(chunk({ role: 'assistant', content: null }));
  for (const head of heads) response.write(chunk({ tool_calls: [head] }));
  const pieces = round.map(({ arguments: json }) => json.match(/.{1,4}/gu) ?? []);
  const turns = Math.max(...pieces.map(({ length }) => length));
  for (let turn = 0; turn < turns; turn++)
    for (const [index, those] of pieces.entries()) {
      const piece = those[turn];
      if (piece !== undefined) response.write(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
    }
  const counts = { prompt_tokens: USAGE.promptTokens, completion_tokens: USAGE.completionTokens, total_tokens: 29 };
  response.end(`${chunk({}, 'tool_calls')}${event({ object: 'chat.completion.chunk', choices: [], usage: counts })}${event('[DONE]')}`);
}
