import type { ProviderCard } from '#providers/provider';

/** Describes Ambient. No reasoning control is documented. */
export const card = {
  id: 'ambient',
  name: 'Ambient',
  supply: 'subnet',
  dialect: 'openai-chat',
  baseUrl: 'https://api.ambient.xyz/v1',
  auth: 'bearer',
  keyName: 'AMBIENT_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found', date: '2026-11-22' },
  capabilities: [],
  quirks: { reasoningControl: 'none' },
  docs: 'https://docs.ambient.xyz',
  sources: [
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
    { source: 'anomalyco/models.dev provider.toml comments (commit f3fc692,', date: '2026-07-02' },
  ],
} satisfies ProviderCard;
