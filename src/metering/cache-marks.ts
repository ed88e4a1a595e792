/** Whether a request asks its upstream to write to the prompt cache. Pure. */
import type { Offer } from '#schema/catalog';

/**
 * Tells whether an endpoint was asked to write to its cache: the request marks some of it with `cache_control`, and the endpoint speaks the dialect
 * that has such marks; for others they are taken off. https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
 */
export function asksCacheWrites(request: object, { dialect }: Pick<Offer, 'dialect'>): boolean {
  if (dialect !== 'anthropic-messages') return false;
  const { messages, tools } = request as { messages?: unknown; tools?: unknown };
  return (
    isMarked(request) || listOf(messages).some((message) => isMarked(message) || hasMarkedPart(message)) || listOf(tools).some(isMarkedTool)
  );
}

function hasMarkedPart(message: unknown): boolean {
  return listOf((message as { content?: unknown } | null)?.content).some(isMarked);
}

/** As the dialect's encoder reads tools: by a mark of their own, or of their function. */
function isMarkedTool(tool: unknown): boolean {
  return isMarked(tool) || isMarked((tool as { function?: unknown } | null)?.function);
}

function isMarked(value: unknown): boolean {
  const { cache_control: mark } = (value ?? {}) as { cache_control?: unknown };
  return mark !== undefined && mark !== null;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
