import { HTTPClient, OpenRouter } from '@openrouter/sdk';
import * as errors from '@openrouter/sdk/models/errors';
import type { ChatStreamChunk } from '@openrouter/sdk/models';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { caught } from '#test/support/caught';
import { clientName } from '#test/support/client-name';
import { refuse } from '#test/support/faults';
import { answer } from '#test/support/openai-scripts';
import { modelOf, openTroubledHouse, REFUSALS, type Ask, type ByStatus, type TroubledHouse } from '#test/support/troubled-house';

/** The client has no class of its own for 504 in chat. */
const CLASSES: ByStatus<abstract new (...args: never[]) => Error> = {
  400: errors.BadRequestResponseError,
  401: errors.UnauthorizedResponseError,
  402: errors.PaymentRequiredResponseError,
  403: errors.ForbiddenResponseError,
  404: errors.NotFoundResponseError,
  413: errors.PayloadTooLargeResponseError,
  429: errors.TooManyRequestsResponseError,
  502: errors.BadGatewayResponseError,
  503: errors.ServiceUnavailableResponseError,
  504: errors.OpenRouterDefaultError,
};

let house: TroubledHouse;

beforeAll(async () => {
  house = await openTroubledHouse('openai-chat');
});

afterAll(() => house.stop());

beforeEach(() => house.script());

type Options = ConstructorParameters<typeof OpenRouter>[0];

function clientOf(options: Options = {}): OpenRouter {
  return new OpenRouter({ apiKey: house.key, serverURL: `${house.url}/api/v1`, retryConfig: { strategy: 'none' }, ...options });
}

function ask({ model = modelOf('plain'), key = house.key, content = 'Say hello.' }: Ask = {}, options: Options = {}) {
  const chatRequest = { model, messages: [{ role: 'user' as const, content }] };
  return clientOf({ apiKey: key, ...options }).chat.send({ chatRequest });
}

describe(clientName('@openrouter/sdk'), () => {
  describe('errors', () => {
    for (const { status, when, ...request } of REFUSALS)
      it(`${CLASSES[status].name} (${status}) when ${when}`, async () => {
        const error = await caught(ask(request));
        expect(error).toBeInstanceOf(CLASSES[status]);
        expect(error).toMatchObject({ statusCode: status, body: expect.stringContaining('"error_type"') });
      });

    it('a wrong field is named, the words of an endpoint and the nearest model are told', async () => {
      const wrong = clientOf().chat.send({ chatRequest: { model: modelOf('plain'), messages: [] } });
      expect(await caught(wrong)).toMatchObject({ statusCode: 400, body: expect.stringContaining('messages') });
      expect(await caught(ask({ model: modelOf('strict') }))).toMatchObject({ message: expect.stringContaining('stop must not be empty') });
      expect(await caught(ask({ model: 'test/plian' }))).toMatchObject({ message: expect.stringContaining(modelOf('plain')) });
    });

    it('ConnectionError when the router is not there', async () => {
      expect(await caught(ask({}, { serverURL: 'http://127.0.0.1:1/api/v1' }))).toBeInstanceOf(errors.ConnectionError);
    });

    it('RequestTimeoutError when the client does not wait', async () => {
      expect(await caught(ask({ model: modelOf('slow') }, { timeoutMs: 100 }))).toBeInstanceOf(errors.RequestTimeoutError);
    });

    it('RequestAbortedError when the client leaves', async () => {
      const leave = new AbortController();
      const chatRequest = { model: modelOf('slow'), messages: [{ role: 'user' as const, content: 'Say hello.' }] };
      const pending = clientOf().chat.send({ chatRequest }, { signal: leave.signal });
      setTimeout(() => leave.abort(), 100);
      expect(await caught(pending)).toBeInstanceOf(errors.RequestAbortedError);
    });

    it('T4: a stream that breaks off ends in a chunk with a typed error, after what was said', async () => {
      const chatRequest = { model: modelOf('torn'), messages: [{ role: 'user' as const, content: 'Say hello.' }], stream: true as const };
      const chunks: ChatStreamChunk[] = [];
      for await (const one of (await clientOf().chat.send({ chatRequest })) as AsyncIterable<ChatStreamChunk>) chunks.push(one);
      expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Hel');
      expect(chunks.at(-1)).toMatchObject({
        error: { code: 502, metadata: { errorType: 'provider_unavailable' } },
        choices: [{ finishReason: 'error' }],
      });
    });
  });

  describe('retries', () => {
    /** A client as it comes, which retries 5xx for an hour, and how often it asked. */
    function counting(): { options: Options; asked: () => number } {
      let asked = 0;
      const httpClient = new HTTPClient();
      httpClient.addHook('beforeRequest', () => void asked++);
      return { options: { retryConfig: DEFAULT_RETRIES, httpClient }, asked: () => asked };
    }

    for (const { status, when, ...request } of REFUSALS.filter((refusal) => refusal.status < 500))
      it(`never a permanent fault: ${status} when ${when}`, async () => {
        const { options, asked } = counting();
        await caught(ask(request, options));
        expect(asked()).toBe(1);
      });

    it('a failure that may pass', async () => {
      const { options, asked } = counting();
      house.upstream.script('broken', (given, response) =>
        house.upstream.callsTo('broken').length > 1 ? answer()(given, response) : refuse(500)(given, response),
      );
      expect(await ask({ model: modelOf('broken') }, options)).toMatchObject({ choices: [{ message: { content: 'Hello there.' } }] });
      expect(asked()).toBe(2);
    });
  });
});

/** What the SDK does when nothing is said. */
const DEFAULT_RETRIES = {
  strategy: 'backoff',
  backoff: { initialInterval: 500, maxInterval: 60_000, exponent: 1.5, maxElapsedTime: 3_600_000 },
  retryConnectionErrors: true,
} as const;
