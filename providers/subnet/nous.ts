import type { ProviderCard } from '#providers/provider';

/** Describes Nous Research Portal (Hermes). */
export const card = {
  id: 'nous',
  name: 'Nous Research Portal (Hermes)',
  supply: 'subnet',
  dialect: 'openai-chat',
  baseUrl: 'https://inference-api.nousresearch.com/v1',
  auth: 'bearer',
  keyName: 'NOUS_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found; believed US', date: '2026-11-22' },
  capabilities: [],
  quirks: {},
  feed: { url: 'https://inference-api.nousresearch.com/v1/models', family: 'openrouter' },
  docs: 'https://portal.nousresearch.com',
  sources: [{ source: 'api-evangelist/nous-research 2026-07-20 live probe', date: '2026-07-20' }],
} satisfies ProviderCard;
