import type { ProviderCard } from '#providers/provider';

/** Describes Groq. Repeats usage in `x_groq`. */
export const card = {
  id: 'groq',
  name: 'Groq',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.groq.com/openai/v1',
  auth: 'bearer',
  keyName: 'GROQ_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: false,
    retentionDays: 0,
    claimSource: 'provider',
    source: 'console.groq.com/docs/your-data',
    date: '2026-11-22',
    note: 'Up to 30 days for batch jobs and for abuse or reliability cases.',
  },
  jurisdiction: { countries: [], source: 'console.groq.com/docs/your-data: US headquarters, further regions unnamed', date: '2026-11-22' },
  capabilities: ['tools'],
  quirks: {
    dropRequestFields: ['logit_bias'],
    reasoningControl: 'reasoning_effort',
    reasoningFields: ['reasoning', 'reasoning_content'],
    usageLocations: ['x_groq'],
    stripResponseFields: ['x_groq'],
  },
  docs: 'https://console.groq.com/docs',
  sources: [
    { source: 'npm @ai-sdk/groq 3.0.71', date: '2026-11-22' },
    { source: 'console.groq.com/docs/openai, unsupported fields', date: '2026-11-22' },
    { source: 'anomalyco/models.dev provider.toml comments (commit f3fc692,', date: '2026-07-02' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
  ],
} satisfies ProviderCard;
