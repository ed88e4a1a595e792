import type { ProviderCard } from '#providers/provider';

/** Describes Nebius Token Factory. */
export const card = {
  id: 'nebius',
  name: 'Nebius Token Factory',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.tokenfactory.nebius.com/v1',
  auth: 'bearer',
  keyName: 'NEBIUS_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: ['NL'], source: 'OpenRouter provider record', date: '2026-11-22' },
  capabilities: [],
  quirks: { reasoningControl: 'reasoning_effort', reasoningFields: ['reasoning_content', 'reasoning'] },
  feed: { url: 'https://api.tokenfactory.nebius.com/v1/models?verbose=true', family: 'openrouter' },
  docs: 'https://docs.tokenfactory.nebius.com',
  sources: [
    { source: 'charmbracelet/catwalk', date: '2026-08-21' },
    { source: 'anomalyco/models.dev provider.toml comments (commit f3fc692,', date: '2026-07-02' },
    { source: 'OpenRouter fixture (HQ NL)', date: '2026-11-22' },
  ],
} satisfies ProviderCard;
