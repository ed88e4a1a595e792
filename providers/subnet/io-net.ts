import type { ProviderCard } from '#providers/provider';

/** Describes io.net Intelligence. */
export const card = {
  id: 'io-net',
  name: 'io.net Intelligence',
  supply: 'subnet',
  dialect: 'openai-chat',
  baseUrl: 'https://api.intelligence.io.solutions/api/v1',
  auth: 'bearer',
  keyName: 'IOINTELLIGENCE_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found', date: '2026-11-22' },
  capabilities: [],
  quirks: { reasoningControl: 'reasoning_object', reasoningFields: ['reasoning_content', 'reasoning'] },
  feed: {
    url: 'https://api.intelligence.io.solutions/api/v1/models',
    family: 'per_token',
    context: ['context_window'],
    maxOutput: ['max_tokens'],
  },
  docs: 'https://io.net/docs/guides/intelligence/io-intelligence',
  sources: [
    { source: 'charmbracelet/catwalk', date: '2026-08-21' },
    { source: 'anomalyco/models.dev provider.toml comments (commit f3fc692,', date: '2026-07-02' },
    { source: 'RooCodeInc/Roo-Code git history (older vLLM-style schema)', date: '2026-11-22' },
  ],
} satisfies ProviderCard;
