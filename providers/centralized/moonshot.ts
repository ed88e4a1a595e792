import type { ProviderCard } from '#providers/provider';

/** Describes Moonshot AI. Puts usage into the last choice of a stream. */
export const card = {
  id: 'moonshot',
  name: 'Moonshot AI',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.moonshot.ai/v1',
  auth: 'bearer',
  keyName: 'MOONSHOT_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: ['CN', 'SG'], source: 'OpenRouter provider record: entity in SG, group in CN', date: '2026-11-22' },
  capabilities: ['tools', 'continuation'],
  quirks: {
    maxTokensField: 'max_tokens',
    developerRole: 'system',
    dropRequestFields: ['store'],
    reasoningControl: 'thinking_type',
    reasoningFields: ['reasoning_content'],
    usageLocations: ['choice'],
    continuation: 'partial',
    cachedTokensFields: ['cached_tokens', 'prompt_tokens_details'],
  },
  docs: 'https://platform.moonshot.ai/docs',
  sources: [
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
    { source: 'platform.kimi.ai docs/api/partial', date: '2026-11-22', note: 'Not together with `response_format`.' },
  ],
} satisfies ProviderCard;
