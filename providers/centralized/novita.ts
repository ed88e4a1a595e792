import type { ProviderCard } from '#providers/provider';

/** Describes Novita AI. */
export const card = {
  id: 'novita',
  name: 'Novita AI',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.novita.ai/openai',
  auth: 'bearer',
  keyName: 'NOVITA_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found; believed US/SG', date: '2026-11-22' },
  capabilities: [],
  quirks: { reasoningControl: 'enable_thinking', reasoningFields: ['reasoning_content', 'reasoning'] },
  docs: 'https://novita.ai/docs',
  sources: [
    { source: 'anomalyco/models.dev provider.toml comments (commit f3fc692,', date: '2026-07-02' },
    { source: 'novita changelog', date: '2026-06-04' },
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
  ],
} satisfies ProviderCard;
