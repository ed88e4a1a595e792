import type { ProviderCard } from '#providers/provider';

/** Describes GMI Cloud. */
export const card = {
  id: 'gmicloud',
  name: 'GMI Cloud',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.gmi-serving.com/v1',
  auth: 'bearer',
  keyName: 'GMI_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: ['US'], source: 'docs.gmicloud.ai', date: '2026-11-22' },
  capabilities: ['tools'],
  quirks: {},
  docs: 'https://docs.gmicloud.ai',
  sources: [
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
  ],
} satisfies ProviderCard;
