import type { ProviderCard } from '#providers/provider';

/** Describes Cerebras. */
export const card = {
  id: 'cerebras',
  name: 'Cerebras',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.cerebras.ai/v1',
  auth: 'bearer',
  keyName: 'CEREBRAS_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: ['US'], source: 'inference-docs.cerebras.ai', date: '2026-11-22' },
  capabilities: ['tools'],
  quirks: {
    developerRole: 'system',
    dropRequestFields: ['store', 'frequency_penalty', 'presence_penalty', 'logit_bias'],
    reasoningControl: 'reasoning_effort',
  },
  docs: 'https://inference-docs.cerebras.ai',
  sources: [
    { source: 'npm @ai-sdk/cerebras 2.0.82', date: '2026-11-22' },
    { source: 'hexdocs.pm/req_llm, Cerebras: fields that end in a 400', date: '2026-11-22' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
    { source: 'api-evangelist/cerebras', date: '2026-11-22' },
  ],
} satisfies ProviderCard;
