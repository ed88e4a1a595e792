import type { ProviderCard } from '#providers/provider';

/** Describes Parasail. */
export const card = {
  id: 'parasail',
  name: 'Parasail',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.parasail.io/v1',
  auth: 'bearer',
  keyName: 'PARASAIL_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: false,
    retentionDays: 0,
    claimSource: 'provider',
    source: 'thegrid.ai data-usage-and-retention',
    date: '2026-11-22',
    note: 'Default outside the batch API, as told by a reseller.',
  },
  jurisdiction: { countries: [], source: 'no source found; believed US', date: '2026-11-22' },
  capabilities: [],
  quirks: {},
  docs: 'https://docs.parasail.io',
  sources: [{ source: 'thegrid.ai docs', date: '2026-11-22' }],
} satisfies ProviderCard;
