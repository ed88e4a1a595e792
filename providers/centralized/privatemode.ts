import type { ProviderCard } from '#providers/provider';

/**
 * Describes Privatemode AI (Edgeless). It is reached through an encrypting proxy that each deployment runs itself, so there is no common
 * address: register the proxy as an endpoint of this provider.
 */
export const card = {
  id: 'privatemode',
  name: 'Privatemode AI',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: null,
  auth: 'bearer',
  keyName: 'PRIVATEMODE_API_KEY',
  confidentialClaim: true,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no policy statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found; believed DE', date: '2026-11-22' },
  capabilities: [],
  quirks: {},
  docs: 'https://docs.privatemode.ai',
  sources: [
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
    { source: 'anomalyco/models.dev provider.toml comments (commit f3fc692)', date: '2026-07-02' },
  ],
} satisfies ProviderCard;
