import type { ProviderCard } from '#providers/provider';

/** Describes SiliconFlow. */
export const card = {
  id: 'siliconflow',
  name: 'SiliconFlow',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.siliconflow.com/v1',
  auth: 'bearer',
  keyName: 'SILICONFLOW_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: ['SG'], source: 'OpenRouter provider record', date: '2026-11-22' },
  capabilities: [],
  quirks: { reasoningControl: 'enable_thinking', reasoningFields: ['reasoning_content', 'reasoning'] },
  docs: 'https://docs.siliconflow.com',
  sources: [
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
    { source: 'anomalyco/models.dev provider.toml comments (commit f3fc692,', date: '2026-07-02' },
  ],
} satisfies ProviderCard;
