import type { ProviderCard } from '#providers/provider';

/** Describes Lambda. Uncertain: two of three catalogues have dropped its inference API. */
export const card = {
  id: 'lambda',
  name: 'Lambda',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.lambda.ai/v1',
  auth: 'bearer',
  keyName: 'LAMBDA_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: ['US'], source: 'docs.lambda.ai', date: '2026-11-22' },
  capabilities: [],
  quirks: {},
  docs: 'https://docs.lambda.ai/api',
  sources: [
    { source: 'BerriAI/litellm-docs', date: '2026-05-02' },
    { source: 'OpenRouterTeam/docs', date: '2026-08-22' },
  ],
} satisfies ProviderCard;
