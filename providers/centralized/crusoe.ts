import type { ProviderCard } from '#providers/provider';

/** Describes Crusoe Managed Inference. */
export const card = {
  id: 'crusoe',
  name: 'Crusoe Managed Inference',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.inference.crusoecloud.com/v1',
  auth: 'bearer',
  keyName: 'CRUSOE_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found; believed US', date: '2026-11-22' },
  capabilities: ['tools'],
  quirks: {},
  docs: 'https://docs.crusoecloud.com/managed-inference/overview',
  sources: [
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
  ],
} satisfies ProviderCard;
