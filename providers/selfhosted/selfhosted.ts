import type { ProviderCard } from '#providers/provider';

/** Describes a custom endpoint of unknown engine: only what every engine takes. Terms come from the manifest. */
export const card = {
  id: 'selfhosted',
  name: 'Self-hosted',
  supply: 'selfhosted',
  dialect: 'openai-chat',
  baseUrl: null,
  auth: 'bearer',
  keyName: 'SELFHOSTED_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: null,
    retentionDays: null,
    claimSource: 'operator',
    source: 'declared by each operator in the manifest',
    date: '2026-11-22',
  },
  jurisdiction: { countries: [], source: 'declared by each operator in the manifest', date: '2026-11-22' },
  capabilities: [],
  quirks: { developerRole: 'system', maxTokensField: 'max_tokens', usageLocations: ['choice', 'x_groq'] },
  docs: null,
  sources: [{ source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' }],
} satisfies ProviderCard;
