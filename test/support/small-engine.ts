/** A small inference engine on loopback that speaks OpenAI's chat: counts its tokens, streams at a pace, and can be told to be in trouble. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { findFreePort } from './free-port.ts';
import { pause } from './pause.ts';

export interface SmallEngine {
  url: string;
  /** Chats that are being answered now. */
  running(): number;
  /** Chats whose client left before the end. */
  left(): number;
  /** Characters of the last request. */
  asked(): number;
  /** Milliseconds between two tokens from now on. */
  pace(tokenMs: number): void;
  /** Tokens of an answer from now on. */
  length(tokens: number): void;
  /** Serves this model and no other from now on. */
  swap(model: string, context?: number): void;
  stop(): Promise<void>;
}

/** The upstream's name of its one model. */
export const SMALL_MODEL = 'Small/Echo-1-FP8';

/** Starts on a port, by default one that stays free while the engine is stopped. Stop it when done. */
export async function startSmallEngine(givenPort?: number): Promise<SmallEngine> {
  let [tokenMs, tokens, running, left, asked] = [0, 8, 0, 0, 0];
  let served = { id: SMALL_MODEL, max_model_len: 32_768 };

  async function chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    asked = body.length;
    const wish = JSON.parse(body) as { model: string; stream?: boolean; max_tokens?: number };
    const { stream = false, max_tokens: limit = tokens } = wish;
    if (wish.model !== served.id)
      return void response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"no such model"}}');
    const count = Math.min(tokens, limit);
    const usage = { prompt_tokens: 5, completion_tokens: count, total_tokens: count + 5 };
    const head = { id: 'chat-1', created: 1, model: served.id };
    running++;
    response.once('close', () => {
      running--;
      if (!response.writableFinished) left++;
    });
    if (!stream) {
      await pause(tokenMs * count);
      const message = { role: 'assistant', content: 'word '.repeat(count).trim() };
      const choices = [{ index: 0, message, finish_reason: 'stop' }];
      return void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ ...head, object: 'chat.completion', choices, usage }));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const say = (more: object): void =>
      void response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...more })}\n\n`);
    for (let token = 0; token < count && !response.destroyed; token++) {
      if (tokenMs > 0) await pause(tokenMs);
      say({ choices: [{ index: 0, delta: { role: 'assistant', content: `word${token} ` }, finish_reason: null }] });
    }
    say({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    say({ choices: [], usage });
    response.end('data: [DONE]\n\n');
  }

  const server = createServer((request, response) => {
    const models = { object: 'list', data: [{ ...served, object: 'model', created: 1, owned_by: 'small' }] };
    if (request.method === 'POST' && request.url === '/v1/chat/completions') void chat(request, response).catch(() => response.destroy());
    else if (request.url === '/v1/models') response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(models));
    else if (request.url === '/health') response.writeHead(200).end();
    else response.writeHead(404, { 'content-type': 'application/json' }).end('{"detail":"Not Found"}');
  });
  const port = givenPort ?? (await findFreePort());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    running: () => running,
    left: () => left,
    asked: () => asked,
    pace: (ms) => void (tokenMs = ms),
    length: (count) => void (tokens = count),
    swap: (model, context = 32_768) => void (served = { id: model, max_model_len: context }),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
