import type { ProviderCard } from '#providers/provider';

/** Describes Mistral AI. Refuses fields that it does not know. */
export const card = {
  id: 'mistral',
  name: 'Mistral AI',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.mistral.ai/v1',
  auth: 'bearer',
  keyName: 'MISTRAL_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: false,
    retentionDays: 30,
    claimSource: 'provider',
    source: 'docs.mistral.ai zero-data-retention; zdr survey 2026-04',
    date: '2026-11-22',
    note: 'Zero retention on paid plans, for stateless endpoints.',
  },
  jurisdiction: { countries: ['FR'], source: 'docs.mistral.ai', date: '2026-11-22' },
  capabilities: ['tools', 'json_object', 'json_schema'],
  quirks: {
    maxTokensField: 'max_tokens',
    developerRole: 'system',
    reasoningControl: 'none',
    renameRequestFields: { seed: 'random_seed' },
    dropRequestFields: [
      'store',
      'stream_options',
      'top_k',
      'min_p',
      'repetition_penalty',
      'logprobs',
      'top_logprobs',
      'logit_bias',
      'service_tier',
      'user',
      'metadata',
    ],
  },
  docs: 'https://docs.mistral.ai',
  sources: [
    { source: 'npm @ai-sdk/mistral 3.0.69', date: '2026-11-22' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
  ],
} satisfies ProviderCard;
