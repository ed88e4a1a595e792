import { GatewayError } from '#schema/error';
import type { MessagesRequest } from '#schema/messages';

/**
 * Refuses a conversation that the server would keep: nothing is kept here. The details are those by which Anthropic's client, whose
 * tool runner asks for a thread by itself, knows to go on with the whole conversation in every request.
 * Source: `lib/internal/threads/ThreadState` of @anthropic-ai/sdk 1.12.
 */
export function refuseThread({ thread }: MessagesRequest): void {
  if (thread === undefined || thread === null) return;
  throw new GatewayError('invalid_request', "'thread' is not supported: nothing is kept here. Send the whole conversation in 'messages'.", {
    param: 'thread',
    metadata: { details: { error_code: 'thread_unsupported_request', unsupported: ['thread'] } },
  });
}
