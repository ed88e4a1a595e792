import type { ProviderCard } from '#providers/provider';

/** Describes Morpheus Marketplace API. A provider that dies in mid-stream can look like a clean end. */
export const card = {
  id: 'morpheus',
  name: 'Morpheus Marketplace API',
  supply: 'subnet',
  dialect: 'openai-chat',
  baseUrl: 'https://api.mor.org/api/v1',
  auth: 'bearer',
  keyName: 'MORPHEUS_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found', date: '2026-11-22' },
  capabilities: [],
  quirks: {},
  docs: 'https://api.mor.org/docs',
  sources: [
    { source: 'MorpheusAIs/Morpheus-Marketplace-API', date: '2026-07-23' },
    { source: 'MorpheusAIs/Morpheus-Lumerin-Node', date: '2026-05-26' },
  ],
} satisfies ProviderCard;
