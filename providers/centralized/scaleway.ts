import type { ProviderCard } from '#providers/provider';

/** Describes Scaleway Generative APIs. */
export const card = {
  id: 'scaleway',
  name: 'Scaleway Generative APIs',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.scaleway.ai/v1',
  auth: 'bearer',
  keyName: 'SCW_SECRET_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: ['FR'], source: 'scaleway.com generative-apis docs', date: '2026-11-22' },
  capabilities: [],
  quirks: {},
  docs: 'https://www.scaleway.com/en/docs/generative-apis/',
  sources: [{ source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' }],
} satisfies ProviderCard;
