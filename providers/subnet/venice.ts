import type { ProviderCard } from '#providers/provider';

/** Describes Venice AI. Errors are often a bare string. Mixes private models with proxied ones. */
export const card = {
  id: 'venice',
  name: 'Venice AI',
  supply: 'subnet',
  dialect: 'openai-chat',
  baseUrl: 'https://api.venice.ai/api/v1',
  auth: 'bearer',
  keyName: 'VENICE_API_KEY',
  confidentialClaim: true,
  dataPolicy: {
    trains: false,
    retentionDays: null,
    claimSource: 'provider',
    source: 'veniceai/api-docs overview/privacy.mdx',
    date: '2026-08-22',
    note: 'Nothing is kept for private models. Anonymized models are proxied to vendors with terms of their own, so no retention holds for all.',
  },
  jurisdiction: { countries: [], source: 'no source found; believed US', date: '2026-11-22' },
  capabilities: [],
  quirks: { reasoningControl: 'reasoning_enabled', reasoningFields: ['reasoning_content', 'reasoning'] },
  feed: { url: 'https://api.venice.ai/api/v1/models?type=text', family: 'nested_per_million' },
  docs: 'https://docs.venice.ai',
  sources: [
    { source: 'veniceai/api-docs', date: '2026-08-22' },
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
    { source: 'anomalyco/models.dev provider.toml comments (commit f3fc692,', date: '2026-07-02' },
  ],
} satisfies ProviderCard;
