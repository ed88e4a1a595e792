import type { MessageBlock, MessagesRequest } from '#schema/messages';

/** Fields with which the caller asks for something that an answer in other words would leave out. */
const OWN_FIELDS = ['compaction', 'container', 'mcp_servers', 'inference_geo', 'safeguards'] as const;
/** Edits of this kind only shorten the context; an endpoint that reads all of it answers just as well. */
const PRUNING = 'clear_';

/**
 * Tells whether only an endpoint that speaks this API can do what is asked: built-in tools and their blocks, citations, remote tool
 * servers, containers, compaction, a place of inference.
 */
export function needsDialect(request: MessagesRequest): boolean {
  return (
    OWN_FIELDS.some((field) => isAsked(request[field])) ||
    (request.context_management?.edits ?? []).some(({ type }) => !type.startsWith(PRUNING)) ||
    (request.tools ?? []).some(({ type }) => type === 'built_in') ||
    request.messages.some(({ content }) => typeof content !== 'string' && content.some(isOwnBlock))
  );
}

function isAsked(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}

function isOwnBlock(block: MessageBlock): boolean {
  switch (block.type) {
    case 'other':
      return true;
    case 'tool_use':
      return (block.caller ?? { type: 'direct' }).type !== 'direct' || isAsked(block.toolset_name);
    case 'tool_result':
      return Array.isArray(block.content) && block.content.some(isOwnBlock);
    case 'document':
    case 'search_result':
      return block.citations?.enabled === true;
    default:
      return false;
  }
}
