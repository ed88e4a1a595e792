/** `POST /messages/count_tokens`: how many tokens a request would be, before it is sent. Free of charge. */
import type { Hall } from '#src/serve';
import { messagesToCount } from '#src/skins/messages/messages';
import { allowAnyOrigin } from './cors.ts';
import { toCall, type Arrival } from './infer.ts';
import { readBody } from './read-body.ts';
import { respondError } from './respond-error.ts';

/** Answers with the count, and with whose it is: `reported` by an endpoint that could serve the request, or `counted` by us. */
export async function serveCountTokens(hall: Hall, arrival: Arrival): Promise<Response> {
  try {
    const { inputTokens, source } = await hall.countTokens(await toCall(hall, arrival, readBody), messagesToCount);
    return Response.json({ input_tokens: inputTokens, headrace: { source } });
  } catch (failure) {
    return allowAnyOrigin(respondError(failure, hall.log, messagesToCount.writeError));
  }
}
