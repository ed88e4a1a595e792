import OpenAI from 'openai';
import { ContentFilterFinishReasonError, LengthFinishReasonError } from 'openai/core/error';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { caught } from '#test/support/caught';
import { clientName } from '#test/support/client-name';
import { answer, talkUntilLeft } from '#test/support/openai-scripts';
import { modelOf, openTroubledHouse, REFUSALS, type Ask, type ByStatus, type TroubledHouse } from '#test/support/troubled-house';

/** The client has no class of its own for 402 and 413. */
const CLASSES: ByStatus<abstract new (...args: never[]) => Error> = {
  400: OpenAI.BadRequestError,
  401: OpenAI.AuthenticationError,
  402: OpenAI.APIError,
  403: OpenAI.PermissionDeniedError,
  404: OpenAI.NotFoundError,
  413: OpenAI.APIError,
  429: OpenAI.RateLimitError,
  502: OpenAI.InternalServerError,
  503: OpenAI.InternalServerError,
  504: OpenAI.InternalServerError,
};

let house: TroubledHouse;

beforeAll(async () => {
  house = await openTroubledHouse('openai-chat');
});

afterAll(() => house.stop());

beforeEach(() => house.script());

type Options = ConstructorParameters<typeof OpenAI>[0];

function clientOf(options: Options = {}): OpenAI {
  return new OpenAI({ apiKey: house.key, baseURL: `${house.url}/v1`, maxRetries: 0, ...options });
}

function ask({ model = modelOf('plain'), key = house.key, content = 'Say hello.' }: Ask = {}, options: Options = {}) {
  return clientOf({ apiKey: key, ...options }).chat.completions.create({ model, messages: [{ role: 'user', content }] });
}

function askForStream(model: string) {
  return clientOf().chat.completions.create({ model, messages: [{ role: 'user', content: 'Say hello.' }], stream: true });
}

describe(clientName('openai'), () => {
  describe('abort', () => {
    it('T9: a stream that is left stops the upstream', async () => {
      house.upstream.script('plain', talkUntilLeft);
      const stream = await askForStream(modelOf('plain'));
      let words = 0;
      for await (const _ of stream) if (++words === 3) stream.controller.abort();
      expect(words).toBe(3);
      await house.upstream.hungUpOn('plain');
    });

    it('APIUserAbortError before the answer', async () => {
      const messages = [{ role: 'user' as const, content: 'Say hello.' }];
      const signal = AbortSignal.timeout(100);
      const pending = clientOf().chat.completions.create({ model: modelOf('slow'), messages }, { signal });
      expect(await caught(pending)).toBeInstanceOf(OpenAI.APIUserAbortError);
    });
  });

  describe('errors', () => {
    for (const { status, when, ...request } of REFUSALS)
      it(`${CLASSES[status].name} (${status}) when ${when}`, async () => {
        const error = await caught(ask(request));
        expect(error).toBeInstanceOf(CLASSES[status]);
        expect(error).toMatchObject({ status, code: status, type: expect.any(String), error: { metadata: expect.any(Object) } });
      });

    it('a wrong field is named, the words of an endpoint and the nearest model are told', async () => {
      const wrong = clientOf().chat.completions.create({ model: modelOf('plain'), messages: [] });
      expect(await caught(wrong)).toMatchObject({ status: 400, param: 'messages', type: 'invalid_request_error' });
      expect(await caught(ask({ model: modelOf('strict') }))).toMatchObject({ message: expect.stringContaining('stop must not be empty') });
      expect(await caught(ask({ model: 'test/plian' }))).toMatchObject({ message: expect.stringContaining(modelOf('plain')) });
    });

    it('RateLimitError carries Retry-After', async () => {
      const error = (await caught(ask({ model: modelOf('busy') }))) as InstanceType<typeof OpenAI.RateLimitError>;
      expect(error.headers.get('retry-after')).toBe('3');
    });

    it('APIConnectionTimeoutError when the client does not wait', async () => {
      expect(await caught(ask({ model: modelOf('slow') }, { timeout: 100 }))).toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
    });

    it('APIConnectionError when the router is not there', async () => {
      expect(await caught(ask({}, { baseURL: 'http://127.0.0.1:1/v1' }))).toBeInstanceOf(OpenAI.APIConnectionError);
    });

    it('T4: APIError out of the iteration when a stream breaks off, after what was said', async () => {
      let text = '';
      const reading = async () => {
        for await (const one of await askForStream(modelOf('torn'))) text += one.choices[0]?.delta.content ?? '';
      };
      const error = await caught(reading());
      expect(text).toBe('Hel');
      expect(error).toBeInstanceOf(OpenAI.APIError);
      expect(error).toMatchObject({ error: { code: 502, metadata: { error_type: 'provider_unavailable' } } });
    });

    for (const [finishReason, Expected] of [
      ['length', LengthFinishReasonError],
      ['content_filter', ContentFilterFinishReasonError],
    ] as const)
      it(`${Expected.name} when a parsed answer was cut short`, async () => {
        house.upstream.script('plain', answer({ finishReason }));
        const messages = [{ role: 'user' as const, content: 'Say hello.' }];
        const pending = clientOf().chat.completions.parse({ model: modelOf('plain'), messages, response_format: { type: 'json_object' } });
        expect(await caught(pending)).toBeInstanceOf(Expected);
      });
  });

  describe('retries', () => {
    it('a failure that may pass', async () => {
      let asked = 0;
      house.upstream.script('busy', (given, response) => {
        if (asked++ > 0) return answer()(given, response);
        response.writeHead(429, { 'retry-after': '0' }).end();
        return undefined;
      });
      const { choices } = await ask({ model: modelOf('busy') }, { maxRetries: 1 });
      expect(choices[0]?.message.content).toBe('Hello there.');
      expect(asked).toBe(2);
    });

    it('never a permanent fault', async () => {
      await caught(ask({ model: modelOf('strict') }, { maxRetries: 2 }));
      expect(house.upstream.callsTo('strict')).toHaveLength(1);
    });
  });
});
