import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, chunk, event, openStream, sendJson } from '#test/support/openai-scripts';
import type { Script } from '#test/support/scripted-upstream';

const GLOBBED_KEY = 'sk-hr-globbed-00000000000000';
const POOR_KEY = 'sk-hr-poor-00000000000000000';

let house: House;
let client: OpenAI;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [{ id: 'plain' }, ...['busy', 'broken', 'slow', 'torn', 'strict', 'locked'].map((id) => ({ id, model: `test/${id}` }))],
    manifest: {
      teams: [
        { id: 'testers', keys: [{ name: 'globbed', value: GLOBBED_KEY, models: ['test/none'] }] },
        { id: 'poor', budget: { usd: 0.000000001, per: 'total' }, keys: [{ name: 'poor', value: POOR_KEY }] },
      ],
    },
  });
  client = clientOf(house.key);
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('plain', answer());
});

function clientOf(apiKey: string, options: { timeout?: number } = {}): OpenAI {
  return new OpenAI({
    apiKey,
    baseURL: `${house.url}/v1`,
    maxRetries: 0,
    ...(options.timeout !== undefined && { timeout: options.timeout }),
  });
}

const messages = [{ role: 'user', content: 'Say hello.' }] as const satisfies OpenAI.ChatCompletionMessageParam[];
const ask = (model: string, from = client): Promise<OpenAI.ChatCompletion> =>
  from.chat.completions.create({ model, messages: [...messages] });

async function caught(work: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const failure = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(failure instanceof OpenAI.APIError)) throw new Error('expected an APIError', { cause: failure });
  return failure;
}

describe('leaving', () => {
  it('T9: an aborted stream stops the upstream', async () => {
    house.upstream.script('plain', async (given, response) => {
      openStream(response);
      response.write(chunk({ role: 'assistant', content: 'word ' }));
      const ticker = setInterval(() => response.write(chunk({ content: 'word ' })), 20);
      await given.aborted;
      clearInterval(ticker);
    });
    const stream = await client.chat.completions.create({ model: MODEL, messages: [...messages], stream: true });
    let words = 0;
    for await (const _ of stream) if (++words === 3) stream.controller.abort();
    expect(words).toBe(3);
    await house.upstream.calls[0]?.aborted;
  });

  it('an abort before the answer is an APIUserAbortError, a timeout an APIConnectionTimeoutError', async () => {
    house.upstream.script('slow', (given) => given.aborted);
    const leave = new AbortController();
    const pending = client.chat.completions.create({ model: 'test/slow', messages: [...messages] }, { signal: leave.signal });
    setTimeout(() => leave.abort(), 50);
    expect(await caught(pending)).toBeInstanceOf(OpenAI.APIUserAbortError);
    expect(await caught(ask('test/slow', clientOf(house.key, { timeout: 100 })))).toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
  });
});

describe('typed errors', () => {
  const failing =
    (status: number, message: string, headers: Record<string, string> = {}): Script =>
    (_, response) =>
      sendJson(response, status, { error: { message } }, headers);

  it('BadRequestError for a wrong field, by us or by the endpoint', async () => {
    const ours = await caught(client.chat.completions.create({ model: MODEL, messages: [] }));
    expect(ours).toBeInstanceOf(OpenAI.BadRequestError);
    expect(ours).toMatchObject({ status: 400, param: 'messages', type: 'invalid_request_error' });
    house.upstream.script('strict', failing(400, 'stop must not be empty'));
    const theirs = await caught(ask('test/strict'));
    expect(theirs).toBeInstanceOf(OpenAI.BadRequestError);
    expect(theirs.message).toContain('stop must not be empty');
  });

  it('a 422 of an endpoint is the client fault that it is: BadRequestError', async () => {
    house.upstream.script('strict', failing(422, 'temperature out of range'));
    expect(await caught(ask('test/strict'))).toBeInstanceOf(OpenAI.BadRequestError);
  });

  it('AuthenticationError for a wrong key', async () => {
    expect(await caught(ask(MODEL, clientOf('sk-hr-unknown-0000000000000000')))).toBeInstanceOf(OpenAI.AuthenticationError);
  });

  it('PermissionDeniedError for a model that the key may not use', async () => {
    expect(await caught(ask(MODEL, clientOf(GLOBBED_KEY)))).toBeInstanceOf(OpenAI.PermissionDeniedError);
  });

  it('NotFoundError for an unknown model', async () => {
    const error = await caught(ask('test/echo-2'));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error.message).toContain(MODEL);
  });

  it('an APIError of status 402 for an empty budget', async () => {
    const error = await caught(ask(MODEL, clientOf(POOR_KEY)));
    expect(error).toMatchObject({ status: 402, type: 'insufficient_quota' });
  });

  it('RateLimitError with Retry-After when every endpoint is full', async () => {
    house.upstream.script('busy', failing(429, 'slow down', { 'retry-after': '3' }));
    const error = await caught(ask('test/busy'));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error.headers?.get('retry-after')).toBe('3');
  });

  it('InternalServerError when every endpoint failed, or our key was refused', async () => {
    house.upstream.script('broken', failing(500, 'down'));
    house.upstream.script('locked', failing(401, 'invalid api key'));
    for (const model of ['test/broken', 'test/locked']) {
      const error = await caught(ask(model));
      expect(error).toBeInstanceOf(OpenAI.InternalServerError);
      expect(error.status).toBe(502);
    }
  });

  it('APIConnectionError when the router is not there', async () => {
    const nowhere = new OpenAI({ apiKey: house.key, baseURL: 'http://127.0.0.1:1/v1', maxRetries: 0 });
    expect(await caught(ask(MODEL, nowhere))).toBeInstanceOf(OpenAI.APIConnectionError);
  });

  it('T4: an APIError out of the iteration when a stream breaks off', async () => {
    house.upstream.script('torn', (_, response) => {
      openStream(response);
      response.write(chunk({ role: 'assistant', content: 'Hel' }));
      response.end(event({ error: { message: 'out of memory', code: 500 } }));
    });
    const stream = await client.chat.completions.create({ model: 'test/torn', messages: [...messages], stream: true });
    let text = '';
    const error = await caught(
      (async () => {
        for await (const one of stream) text += one.choices[0]?.delta.content ?? '';
      })(),
    );
    expect(text).toBe('Hel');
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error.error).toMatchObject({ code: 502, metadata: { error_type: 'provider_unavailable' } });
  });
});
