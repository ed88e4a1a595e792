import type { ProviderCard } from '#providers/provider';

/** Describes Fireworks AI. */
export const card = {
  id: 'fireworks',
  name: 'Fireworks AI',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.fireworks.ai/inference/v1',
  auth: 'bearer',
  keyName: 'FIREWORKS_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: false,
    retentionDays: 0,
    claimSource: 'provider',
    source: 'docs.fireworks.ai data_handling',
    date: '2026-11-22',
    note: 'Default for open models on chat completions; the Responses API stores for 30 days.',
  },
  jurisdiction: { countries: ['US'], source: 'docs.fireworks.ai data_handling', date: '2026-11-22' },
  capabilities: ['tools'],
  quirks: {
    developerRole: 'system',
    dropRequestFields: ['store'],
    reasoningControl: 'reasoning_effort',
    reasoningFields: ['reasoning_content', 'reasoning'],
    reasoningReplayField: 'reasoning_content',
    sessionHeader: 'x-session-affinity',
  },
  docs: 'https://docs.fireworks.ai',
  sources: [
    { source: 'anomalyco/models.dev provider.toml comments (commit f3fc692,', date: '2026-07-02' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
    { source: 'npm @ai-sdk/fireworks', date: '2026-11-22' },
  ],
} satisfies ProviderCard;
