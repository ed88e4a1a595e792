import type { ProviderCard } from '#providers/provider';

/** Describes Inference.net. */
export const card = {
  id: 'inference-net',
  name: 'Inference.net',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.inference.net/v1',
  auth: 'bearer',
  keyName: 'INFERENCE_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found', date: '2026-11-22' },
  capabilities: [],
  quirks: {},
  docs: 'https://docs.inference.net',
  sources: [
    { source: 'Portkey-AI/gateway', date: '2026-11-22' },
    { source: 'api-evangelist/inference', date: '2026-07-19' },
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
  ],
} satisfies ProviderCard;
