import type { ProviderCard } from '#providers/provider';

/** Describes xAI. */
export const card = {
  id: 'xai',
  name: 'xAI',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.x.ai/v1',
  auth: 'bearer',
  keyName: 'XAI_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: false,
    retentionDays: 30,
    claimSource: 'provider',
    source: 'docs.x.ai/docs/faq/security',
    date: '2026-11-22',
    note: 'Kept for audits; a team can switch to zero retention itself.',
  },
  jurisdiction: { countries: ['US'], source: 'docs.x.ai/docs/faq/security', date: '2026-11-22' },
  capabilities: ['tools'],
  quirks: {
    developerRole: 'system',
    reasoningControl: 'none',
    dropRequestFields: ['store', 'top_k', 'frequency_penalty', 'presence_penalty', 'stop'],
  },
  feed: { url: 'https://api.x.ai/v1/language-models', family: 'ten_thousandths', context: ['max_prompt_length'] },
  docs: 'https://docs.x.ai',
  sources: [
    { source: 'models.dev sync/xai.ts', date: '2026-07-02' },
    { source: 'npm @ai-sdk/xai 3.0.138', date: '2026-11-22' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
  ],
} satisfies ProviderCard;
