import type { ProviderCard } from '#providers/provider';

/** Describes AkashML. */
export const card = {
  id: 'akashml',
  name: 'AkashML',
  supply: 'subnet',
  dialect: 'openai-chat',
  baseUrl: 'https://api.akashml.com/v1',
  auth: 'bearer',
  keyName: 'AKASHML_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found; believed US', date: '2026-11-22' },
  capabilities: [],
  quirks: {},
  docs: 'https://akashml.com',
  sources: [
    { source: 'anomalyco/models.dev PR #1308 (open)', date: '2026-11-22' },
    { source: 'api-evangelist/akash', date: '2026-11-22' },
    { source: 'OpenRouterTeam/docs', date: '2026-08-22' },
  ],
} satisfies ProviderCard;
