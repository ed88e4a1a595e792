import type { ProviderCard } from '#providers/provider';

/** Describes Prime Intellect Inference. */
export const card = {
  id: 'prime-intellect',
  name: 'Prime Intellect Inference',
  supply: 'subnet',
  dialect: 'openai-chat',
  baseUrl: 'https://api.pinference.ai/api/v1',
  auth: 'bearer',
  keyName: 'PRIME_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found', date: '2026-11-22' },
  capabilities: [],
  quirks: {},
  feed: {
    url: 'https://api.pinference.ai/api/v1/models',
    family: 'per_million',
    prices: { prompt: ['pricing.input_usd_per_mtok'], completion: ['pricing.output_usd_per_mtok'] },
  },
  docs: 'https://docs.primeintellect.ai/inference/overview',
  sources: [
    { source: 'PrimeIntellect-ai/prime (prime_cli/api/inference.py, commands/inference.py)', date: '2026-08-19' },
    { source: 'api-evangelist/prime-intellect', date: '2026-11-22' },
  ],
} satisfies ProviderCard;
