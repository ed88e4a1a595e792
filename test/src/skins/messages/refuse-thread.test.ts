import { describe, expect, it } from 'vitest';
import { GatewayError } from '#schema/error';
import { messages } from '#src/skins/messages/messages';

const BODY = { model: 'a/b', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] };

function refusalOf(body: object): GatewayError {
  try {
    messages.read(body, new Headers());
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

describe('a conversation that the server would keep', () => {
  it('is refused in the words by which the SDK goes on without it, or its tool runner would ask for ever', () => {
    const error = refusalOf({ ...BODY, thread: { type: 'create' } });
    expect(error).toMatchObject({ code: 'invalid_request', status: 400, param: 'thread' });
    expect(messages.writeError(error)).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', details: { error_code: 'thread_unsupported_request', unsupported: ['thread'] } },
    });
  });

  it('is none where the field is null', () => {
    expect(messages.read({ ...BODY, thread: null }, new Headers()).request.messages).toHaveLength(1);
  });
});
