import type { ProviderCard } from '#providers/provider';

/** Describes SambaNova Cloud. */
export const card = {
  id: 'sambanova',
  name: 'SambaNova Cloud',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.sambanova.ai/v1',
  auth: 'bearer',
  keyName: 'SAMBANOVA_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: ['US'], source: 'docs.sambanova.ai', date: '2026-11-22' },
  capabilities: [],
  quirks: {},
  docs: 'https://docs.sambanova.ai',
  sources: [
    { source: 'Portkey-AI/gateway', date: '2026-05-25' },
    { source: 'api-evangelist/sambanova', date: '2026-11-22' },
    { source: 'pydantic/genai-prices', date: '2026-11-22' },
  ],
} satisfies ProviderCard;
