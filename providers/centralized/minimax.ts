import type { ProviderCard } from '#providers/provider';

/** Describes MiniMax. Reached through its Anthropic route. */
export const card = {
  id: 'minimax',
  name: 'MiniMax',
  supply: 'centralized',
  dialect: 'anthropic-messages',
  baseUrl: 'https://api.minimax.io/anthropic/v1',
  auth: 'bearer',
  keyName: 'MINIMAX_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: ['SG'], source: 'OpenRouter provider record', date: '2026-11-22' },
  capabilities: ['tools'],
  quirks: {},
  docs: 'https://platform.minimax.io',
  sources: [
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
  ],
} satisfies ProviderCard;
