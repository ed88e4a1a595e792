import type { DialectTarget } from '#providers/provider';
import { requestHeaders } from '#providers/wire/request-headers';
import type { ChatRequest } from '#schema/chat';

/** The one version there is; servers that copy the API want the header too. A card's own header wins. */
const API_VERSION = '2023-06-01';

/** Writes the headers of a call; those of the client's that list trial features join those of the card. */
export function anthropicHeaders(request: ChatRequest, target: DialectTarget): Record<string, string> {
  const headers: Record<string, string> = {
    'anthropic-version': API_VERSION,
    ...requestHeaders(target, request.stream === true, request.session_id),
  };
  for (const [name, value] of Object.entries(target.nativeHeaders ?? {})) headers[name] = [headers[name], value].filter(Boolean).join(',');
  return headers;
}
