import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { talkAsMessageUntilLeft } from '#test/support/anthropic-scripts';
import { caught } from '#test/support/caught';
import { clientName } from '#test/support/client-name';
import { modelOf, openTroubledHouse, REFUSALS, type Ask, type ByStatus, type TroubledHouse } from '#test/support/troubled-house';

/** Class and `type` of each status. */
const CLASSES: ByStatus<[abstract new (...args: never[]) => Error, string]> = {
  400: [Anthropic.BadRequestError, 'invalid_request_error'],
  401: [Anthropic.AuthenticationError, 'authentication_error'],
  402: [Anthropic.PaymentRequiredError, 'billing_error'],
  403: [Anthropic.PermissionDeniedError, 'permission_error'],
  404: [Anthropic.NotFoundError, 'not_found_error'],
  413: [Anthropic.ContentTooLargeError, 'request_too_large'],
  429: [Anthropic.RateLimitError, 'rate_limit_error'],
  502: [Anthropic.InternalServerError, 'api_error'],
  503: [Anthropic.ServiceUnavailableError, 'overloaded_error'],
  504: [Anthropic.GatewayTimeoutError, 'timeout_error'],
};

let house: TroubledHouse;

beforeAll(async () => {
  house = await openTroubledHouse('anthropic-messages');
});

afterAll(() => house.stop());

beforeEach(() => house.script());

type Options = ConstructorParameters<typeof Anthropic>[0];

function clientOf(options: Options = {}): Anthropic {
  return new Anthropic({ apiKey: house.key, baseURL: house.url, maxRetries: 0, ...options });
}

const hello = { max_tokens: 100, messages: [{ role: 'user' as const, content: 'Say hello.' }] };

function ask({ model = modelOf('plain'), key = house.key, content = 'Say hello.' }: Ask = {}, options: Options = {}) {
  return clientOf({ apiKey: key, ...options }).messages.create({ model, max_tokens: 100, messages: [{ role: 'user', content }] });
}

describe(clientName('@anthropic-ai/sdk'), () => {
  describe('abort', () => {
    it('T9: a stream that is left stops the upstream', async () => {
      house.upstream.script('plain', talkAsMessageUntilLeft);
      const stream = await clientOf().messages.create({ ...hello, model: modelOf('plain'), stream: true });
      for await (const { type } of stream) if (type === 'content_block_delta') stream.controller.abort();
      await house.upstream.hungUpOn('plain');
    });

    it('APIUserAbortError before the answer', async () => {
      const pending = clientOf().messages.create({ ...hello, model: modelOf('slow') }, { signal: AbortSignal.timeout(100) });
      expect(await caught(pending)).toBeInstanceOf(Anthropic.APIUserAbortError);
    });
  });

  describe('errors', () => {
    for (const { status, when, ...request } of REFUSALS)
      it(`${CLASSES[status][0].name} (${status}) when ${when}`, async () => {
        const [Class, type] = CLASSES[status];
        const error = await caught(ask(request));
        expect(error).toBeInstanceOf(Class);
        expect(error).toMatchObject({ status, type, error: { type: 'error', error: { message: expect.any(String) } } });
      });

    it('a wrong field is named, the words of an endpoint and the nearest model are told', async () => {
      const wrong = clientOf().messages.create({ ...hello, model: modelOf('plain'), max_tokens: -1 });
      expect(await caught(wrong)).toMatchObject({ status: 400, message: expect.stringContaining('max_tokens') });
      expect(await caught(ask({ model: modelOf('strict') }))).toMatchObject({ message: expect.stringContaining('stop must not be empty') });
      expect(await caught(ask({ model: 'test/plian' }))).toMatchObject({ message: expect.stringContaining(modelOf('plain')) });
    });

    it('RateLimitError carries Retry-After', async () => {
      const error = (await caught(ask({ model: modelOf('busy') }))) as InstanceType<typeof Anthropic.RateLimitError>;
      expect(error.headers.get('retry-after')).toBe('3');
    });

    it('APIConnectionTimeoutError when the client does not wait', async () => {
      expect(await caught(ask({ model: modelOf('slow') }, { timeout: 100 }))).toBeInstanceOf(Anthropic.APIConnectionTimeoutError);
    });

    it('APIConnectionError when the router is not there', async () => {
      expect(await caught(ask({}, { baseURL: 'http://127.0.0.1:1' }))).toBeInstanceOf(Anthropic.APIConnectionError);
    });

    it('T4: APIError out of the iteration when a stream breaks off, after what was said', async () => {
      let text = '';
      const reading = async () => {
        const stream = await clientOf().messages.create({ ...hello, model: modelOf('torn'), stream: true });
        for await (const one of stream) if (one.type === 'content_block_delta' && one.delta.type === 'text_delta') text += one.delta.text;
      };
      const error = await caught(reading());
      expect(text).toBe('Hel');
      expect(error).toBeInstanceOf(Anthropic.APIError);
      expect(error).toMatchObject({ type: 'api_error' });
    });
  });

  describe('retries', () => {
    it('never a permanent fault', async () => {
      await caught(ask({ model: modelOf('strict') }, { maxRetries: 2 }));
      expect(house.upstream.callsTo('strict')).toHaveLength(1);
    });
  });
});
