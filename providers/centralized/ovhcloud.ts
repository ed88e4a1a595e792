import type { ProviderCard } from '#providers/provider';

/** Describes OVHcloud AI Endpoints. */
export const card = {
  id: 'ovhcloud',
  name: 'OVHcloud AI Endpoints',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://oai.endpoints.kepler.ai.cloud.ovh.net/v1',
  auth: 'bearer',
  keyName: 'OVH_AI_ENDPOINTS_ACCESS_TOKEN',
  confidentialClaim: false,
  dataPolicy: {
    trains: false,
    retentionDays: 0,
    claimSource: 'provider',
    source: 'docs.prisme.ai llm-provider-data-retention',
    date: '2026-06-26',
    note: 'Promised in the contract: no storage, not even for a moment.',
  },
  jurisdiction: { countries: ['FR'], source: 'docs.prisme.ai llm-provider-data-retention', date: '2026-06-26' },
  capabilities: [],
  quirks: {},
  feed: { url: 'https://catalog.endpoints.ai.ovh.net/rest/v2/openrouter', family: 'openrouter' },
  docs: 'https://www.ovhcloud.com/en/public-cloud/ai-endpoints/catalog/',
  sources: [
    { source: 'models.dev sync/ovhcloud.ts', date: '2026-07-02' },
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
  ],
} satisfies ProviderCard;
