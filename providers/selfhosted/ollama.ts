import type { ProviderCard } from '#providers/provider';

/** Describes Ollama as an engine of custom endpoints. */
export const card = {
  id: 'ollama',
  name: 'Ollama',
  supply: 'selfhosted',
  dialect: 'openai-chat',
  baseUrl: null,
  auth: 'bearer',
  keyName: 'OLLAMA_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: null,
    retentionDays: null,
    claimSource: 'operator',
    source: 'declared by each operator in the manifest',
    date: '2026-11-22',
  },
  jurisdiction: { countries: [], source: 'declared by each operator in the manifest', date: '2026-11-22' },
  capabilities: [],
  quirks: {
    maxTokensField: 'max_tokens',
    developerRole: 'system',
    reasoningControl: 'reasoning_effort_off',
    reasoningFields: ['reasoning', 'reasoning_content'],
    continuation: 'prefill',
  },
  docs: 'https://docs.ollama.com',
  sources: [
    { source: 'docs.ollama.com/api/openai-compatibility', date: '2026-11-22' },
    {
      source: 'ollama/ollama#6778',
      date: '2026-11-22',
      note: 'Goes on with a last message of the assistant, where the template allows it.',
    },
    {
      source: 'ollama/ollama v0.17.4, server/routes.go',
      date: '2026-11-23',
      note: 'Models that can think do so unless told not to; the others refuse every effort but `none`.',
    },
  ],
} satisfies ProviderCard;
