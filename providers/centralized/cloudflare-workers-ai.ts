import type { ProviderCard } from '#providers/provider';

/** Describes Cloudflare Workers AI. The URL carries the account, so each deployment names its own. */
export const card = {
  id: 'cloudflare-workers-ai',
  name: 'Cloudflare Workers AI',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: null,
  auth: 'bearer',
  keyName: 'CLOUDFLARE_API_TOKEN',
  confidentialClaim: false,
  dataPolicy: {
    trains: false,
    retentionDays: null,
    claimSource: 'provider',
    source: 'awesome-ai-gateway data_retention.json (Cloudflare trust hub)',
    date: '2026-08-31',
  },
  jurisdiction: {
    countries: [],
    source: 'developers.cloudflare.com/workers-ai: US company, runs at the edge of many countries',
    date: '2026-11-22',
  },
  capabilities: ['tools'],
  quirks: {
    maxTokensField: 'max_tokens',
    developerRole: 'system',
    dropRequestFields: ['store'],
    reasoningReplayField: 'reasoning_content',
    sessionHeader: 'x-session-affinity',
  },
  docs: 'https://developers.cloudflare.com/workers-ai',
  sources: [
    { source: 'models.dev sync/cloudflare-workers-ai.ts', date: '2026-07-02' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
  ],
} satisfies ProviderCard;
