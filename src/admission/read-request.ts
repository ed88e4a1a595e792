/** The body of a chat request, checked where we act on it. */
import { chatRequest, type ChatRequest } from '#schema/chat';
import { GatewayError } from '#schema/error';
import { describeProblem } from './describe-issue.ts';

/** Reads a chat request. Throws GatewayError `invalid_request` with `param` set to the path of the first wrong field. */
export function readRequest(body: unknown): ChatRequest {
  const result = chatRequest.safeParse(body);
  if (result.success) return result.data;
  const { path, sentence } = describeProblem(result.error);
  if (path === '') throw new GatewayError('invalid_request', `The request body is not valid: ${sentence}.`);
  throw new GatewayError('invalid_request', `Invalid value for '${path}': ${sentence}.`, { param: path });
}
