import type { ProviderCard } from '#providers/provider';

/** Describes 0G Compute - Router. */
export const card = {
  id: '0g',
  name: '0G Compute - Router',
  supply: 'subnet',
  dialect: 'openai-chat',
  baseUrl: 'https://router-api.0g.ai/v1',
  auth: 'bearer',
  keyName: 'ZERO_G_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found', date: '2026-11-22' },
  capabilities: [],
  quirks: { stripResponseFields: ['x_0g_trace'] },
  feed: {
    url: 'https://router-api.0g.ai/v1/models',
    family: 'published_usd',
    maxOutput: ['max_completion_tokens'],
  },
  docs: 'https://docs.0g.ai/developer-hub/building-on-0g/compute-network/router/overview',
  sources: [
    { source: 'api-evangelist/0g-labs openapi harvest', date: '2026-08-05' },
    { source: 'redpill-ai/redpill-gateway 0g provider', date: '2026-11-22' },
    { source: 'Dstack-TEE/private-ai-gateway', date: '2026-11-22' },
  ],
} satisfies ProviderCard;
