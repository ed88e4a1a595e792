import type { ProviderCard } from '#providers/provider';

/** Describes DeepInfra. Gemma and Gemini leave reasoning out of the completion count. */
export const card = {
  id: 'deepinfra',
  name: 'DeepInfra',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.deepinfra.com/v1/openai',
  auth: 'bearer',
  keyName: 'DEEPINFRA_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: false,
    retentionDays: 0,
    claimSource: 'provider',
    source: 'docs.deepinfra.com/account/data-privacy',
    date: '2026-11-22',
    note: 'In memory only; proxied Google and Anthropic models and image outputs are exceptions.',
  },
  jurisdiction: { countries: ['US'], source: 'docs.deepinfra.com', date: '2026-11-22' },
  capabilities: [],
  quirks: { reasoningControl: 'reasoning_enabled', reasoningFields: ['reasoning_content', 'reasoning'], completionExcludesReasoning: true },
  feed: {
    url: 'https://api.deepinfra.com/v1/openai/models',
    family: 'per_million',
    prices: {
      prompt: ['metadata.pricing.input_tokens'],
      completion: ['metadata.pricing.output_tokens'],
      cacheRead: ['metadata.pricing.cache_read_tokens'],
    },
    context: ['metadata.context_length'],
    maxOutput: ['metadata.max_tokens'],
  },
  docs: 'https://docs.deepinfra.com',
  sources: [
    { source: 'RooCodeInc/Roo-Code git history', date: '2026-11-22' },
    { source: 'npm @ai-sdk/deepinfra 2.0.84', date: '2026-11-22' },
    { source: 'anomalyco/models.dev provider.toml comments (commit f3fc692,', date: '2026-07-02' },
  ],
} satisfies ProviderCard;
