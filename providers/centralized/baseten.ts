import type { ProviderCard } from '#providers/provider';

/** Describes Baseten Model APIs. Spells the template switch `chat_template_args`. */
export const card = {
  id: 'baseten',
  name: 'Baseten Model APIs',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://inference.baseten.co/v1',
  auth: 'bearer',
  keyName: 'BASETEN_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: ['US'], source: 'docs.baseten.co', date: '2026-11-22' },
  capabilities: ['tools'],
  quirks: {
    maxTokensField: 'max_tokens',
    developerRole: 'system',
    dropRequestFields: ['store'],
    reasoningControl: 'chat_template_args',
    reasoningFields: ['reasoning_content', 'reasoning'],
    sessionHeader: 'x-session-affinity',
  },
  feed: { url: 'https://inference.baseten.co/v1/models', family: 'openrouter' },
  docs: 'https://docs.baseten.co',
  sources: [
    { source: 'models.dev sync/baseten.ts', date: '2026-07-02' },
    { source: 'anomalyco/models.dev provider.toml comments (commit f3fc692,', date: '2026-07-02' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
  ],
} satisfies ProviderCard;
