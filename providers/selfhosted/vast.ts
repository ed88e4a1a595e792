import type { ProviderCard } from '#providers/provider';

/**
 * Describes Vast.ai Serverless (OpenAI proxy). Serverless proxy, text only: each deployment has its own URL, and the model field is
 * ignored.
 */
export const card = {
  id: 'vast',
  name: 'Vast.ai Serverless (OpenAI proxy)',
  supply: 'selfhosted',
  dialect: 'openai-chat',
  baseUrl: null,
  auth: 'bearer',
  keyName: 'VAST_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found; believed US', date: '2026-11-22' },
  capabilities: [],
  quirks: { dropRequestFields: ['parallel_tool_calls'], stripResponseFields: ['kv_transfer_params'] },
  docs: 'https://docs.vast.ai/guides/serverless/openai-compatible-api',
  sources: [{ source: 'vast-ai/docs', date: '2026-08-07' }],
} satisfies ProviderCard;
