import type { ProviderCard } from '#providers/provider';

/** Describes Friendli. */
export const card = {
  id: 'friendli',
  name: 'Friendli',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.friendli.ai/serverless/v1',
  auth: 'bearer',
  keyName: 'FRIENDLI_TOKEN',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found; believed KR/US', date: '2026-11-22' },
  capabilities: ['tools'],
  quirks: {},
  docs: 'https://friendli.ai/docs',
  sources: [
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
  ],
} satisfies ProviderCard;
