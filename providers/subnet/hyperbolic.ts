import type { ProviderCard } from '#providers/provider';

/** Describes Hyperbolic. */
export const card = {
  id: 'hyperbolic',
  name: 'Hyperbolic',
  supply: 'subnet',
  dialect: 'openai-chat',
  baseUrl: 'https://api.hyperbolic.xyz/v1',
  auth: 'bearer',
  keyName: 'HYPERBOLIC_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found; believed US', date: '2026-11-22' },
  capabilities: [],
  quirks: {},
  docs: 'https://docs.hyperbolic.xyz',
  sources: [
    { source: 'BerriAI litellm docs', date: '2026-10-09' },
    { source: 'api-evangelist/hyperbolic-ai', date: '2026-05-25' },
    { source: 'pydantic/genai-prices huggingface_hyperbolic', date: '2026-08-21' },
  ],
} satisfies ProviderCard;
