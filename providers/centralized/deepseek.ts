import type { ProviderCard } from '#providers/provider';

/** Describes DeepSeek. Model ids are moving aliases. Schemas go into the prompt, because `json_schema` is not native. */
export const card = {
  id: 'deepseek',
  name: 'DeepSeek',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.deepseek.com',
  auth: 'bearer',
  keyName: 'DEEPSEEK_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: true,
    retentionDays: null,
    claimSource: 'provider',
    source: 'OpenRouter policy record',
    date: '2026-11-22',
    note: 'Trains on prompts and keeps them for an unknown time.',
  },
  jurisdiction: { countries: ['CN'], source: 'OpenRouter provider record', date: '2026-11-22' },
  capabilities: ['tools', 'json_object', 'json_schema', 'continuation'],
  quirks: {
    maxTokensField: 'max_tokens',
    developerRole: 'system',
    dropRequestFields: ['store'],
    reasoningControl: 'reasoning_effort_high_max',
    reasoningFields: ['reasoning_content'],
    reasoningReplayField: 'reasoning_content',
    cachedTokensFields: ['prompt_cache_hit_tokens', 'prompt_tokens_details'],
    jsonSchema: false,
    continuation: 'prefix',
    continuationPath: '/beta',
  },
  docs: 'https://api-docs.deepseek.com',
  sources: [
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
    { source: 'anomalyco/models.dev provider.toml comments (commit f3fc692,', date: '2026-07-02' },
    { source: 'api-docs.deepseek.com guides/chat_prefix_completion', date: '2026-11-22' },
  ],
} satisfies ProviderCard;
