import type { Quirks } from '#providers/provider';
import type { ChatRequest } from '#schema/chat';

/**
 * Builds the options of a stream: it always says at its end what was used. One answer within an output limit says so in every event, where the
 * endpoint can: should it break, whoever goes on must know how much of the limit is left. Without a limit that would be bytes for nothing
 * (about a sixth of the work on an event); with several answers, engines report on the one that an event is about.
 */
export function streamOptions(
  { stream_options: options, n }: Pick<ChatRequest, 'stream_options' | 'n'>,
  { limit, quirks }: { limit: unknown; quirks: Quirks },
): Record<string, unknown> {
  const reportsAlways = quirks.continuousUsage === true && typeof limit === 'number' && (n ?? 1) === 1;
  return { ...options, include_usage: true, ...(reportsAlways && { continuous_usage_stats: true }) };
}
