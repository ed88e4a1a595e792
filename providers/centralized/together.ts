import type { ProviderCard } from '#providers/provider';

/** Describes Together AI. */
export const card = {
  id: 'together',
  name: 'Together AI',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.together.ai/v1',
  auth: 'bearer',
  keyName: 'TOGETHER_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: false,
    retentionDays: null,
    claimSource: 'provider',
    source: 'docs.together.ai zero-data-retention and privacy-and-security',
    date: '2026-11-22',
    note: 'Two vendor pages contradict each other on storage; stored unless the organization switch is off. Training is opt-in.',
  },
  jurisdiction: { countries: ['US'], source: 'docs.together.ai privacy-and-security', date: '2026-11-22' },
  capabilities: ['tools'],
  quirks: { maxTokensField: 'max_tokens', developerRole: 'system', dropRequestFields: ['store'], reasoningControl: 'reasoning_enabled' },
  feed: {
    url: 'https://api.together.ai/v1/models',
    family: 'per_million',
    prices: { prompt: ['pricing.input'], completion: ['pricing.output'], cacheRead: ['pricing.cached_input'] },
  },
  docs: 'https://docs.together.ai',
  sources: [
    { source: 'api-evangelist/together-ai openapi', date: '2026-11-22' },
    { source: 'anomalyco/models.dev provider.toml comments (commit f3fc692,', date: '2026-07-02' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
  ],
} satisfies ProviderCard;
