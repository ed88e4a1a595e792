import type { ProviderCard } from '#providers/provider';

/** Describes OpenRouter. An aggregator: its own promise covers upstreams only because every request demands it of them. */
export const card = {
  id: 'openrouter',
  name: 'OpenRouter',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://openrouter.ai/api/v1',
  auth: 'bearer',
  keyName: 'OPENROUTER_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: false,
    retentionDays: 0,
    claimSource: 'provider',
    source: 'OpenRouterTeam/docs zdr.mdx',
    date: '2026-08-22',
    note: 'Holds because every request asks for zdr and denies data collection; upstreams without both are never used.',
  },
  jurisdiction: { countries: [], source: 'OpenRouterTeam/docs: US company, upstreams anywhere', date: '2026-08-22' },
  capabilities: ['tools'],
  quirks: {
    reasoningControl: 'reasoning_object',
    reasoningFields: ['reasoning', 'reasoning_content'],
    reasoningReplayField: 'reasoning',
    cacheControl: true,
    sessionHeader: 'x-session-id',
    addRequestFields: { provider: { data_collection: 'deny', zdr: true } },
    stripResponseFields: ['openrouter_metadata'],
  },
  feed: { url: 'https://openrouter.ai/api/v1/models', family: 'openrouter' },
  docs: 'https://openrouter.ai/docs',
  sources: [{ source: 'OpenRouterTeam/docs', date: '2026-08-22' }],
} satisfies ProviderCard;
