/** Scripts of upstreams that look like an inference engine: model list, metrics, and chats that show what was asked for. */
import type { ServerResponse } from 'node:http';
import { obedientCall } from './obedient-answer.ts';
import type { Script, UpstreamCall } from './scripted-upstream.ts';

/** What the engine is like; an honest one by default. */
export interface EngineTraits {
  /** Names in its model list. */
  models?: readonly string[];
  context?: number;
  metrics?: string;
  /** It calls tools when it is told to. */
  hasTools?: boolean;
  /** Between two tokens of a stream. */
  tokenMs?: number;
  /** Takes the place of every chat. */
  chat?: (call: UpstreamCall, response: ServerResponse) => void;
}

/** Makes an engine that serves `model`. */
export function engine(model: string, traits: EngineTraits = {}): Script {
  const { models = [model], context = 8_192, metrics, tokenMs = 0, chat } = traits;
  return async (call, response) => {
    if (call.path.endsWith('/models')) return json(response, { data: models.map((id) => ({ id, max_model_len: context })) });
    if (call.path === '/metrics') return void response.writeHead(metrics === undefined ? 404 : 200).end(metrics);
    if (!call.path.endsWith('/chat/completions')) return void response.writeHead(404).end();
    if (chat !== undefined) return chat(call, response);
    if (call.body['stream'] === true) return streamTokens(call, response, tokenMs);
    json(response, completionOf(call, model, traits));
  };
}

function completionOf({ body }: UpstreamCall, model: string, { hasTools = true }: EngineTraits): object {
  const call = hasTools ? obedientCall(body) : null;
  const callsTool = call !== null;
  const toolCalls = [{ id: 'call-1', type: 'function', function: call }];
  const message = callsTool ? { role: 'assistant', content: null, tool_calls: toolCalls } : { role: 'assistant', content: 'That depends.' };
  return {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model,
    choices: [{ index: 0, message, finish_reason: callsTool ? 'tool_calls' : 'stop' }],
    usage: { prompt_tokens: 20, completion_tokens: 3, total_tokens: 23 },
  };
}

async function streamTokens({ body }: UpstreamCall, response: ServerResponse, tokenMs: number): Promise<void> {
  const tokens = Math.min(40, Number(body['max_completion_tokens'] ?? body['max_tokens'] ?? 10));
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const say = (choices: object[], more: object = {}) =>
    response.write(`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...more })}\n\n`);
  for (let sent = 0; sent < tokens && !response.destroyed; sent++) {
    say([{ index: 0, delta: { content: `word${sent} ` }, finish_reason: null }]);
    if (tokenMs > 0) await new Promise((resolve) => setTimeout(resolve, tokenMs));
  }
  say([{ index: 0, delta: {}, finish_reason: 'stop' }]);
  say([], { usage: { prompt_tokens: 20, completion_tokens: tokens, total_tokens: 20 + tokens } });
  response.end('data: [DONE]\n\n');
}

function json(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
