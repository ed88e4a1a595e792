import type { ProviderCard } from '#providers/provider';

/** Describes SGLang as an engine of custom endpoints. */
export const card = {
  id: 'sglang',
  name: 'SGLang',
  supply: 'selfhosted',
  dialect: 'openai-chat',
  baseUrl: null,
  auth: 'bearer',
  keyName: 'SGLANG_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: null,
    retentionDays: null,
    claimSource: 'operator',
    source: 'declared by each operator in the manifest',
    date: '2026-11-22',
  },
  jurisdiction: { countries: [], source: 'declared by each operator in the manifest', date: '2026-11-22' },
  capabilities: ['continuation'],
  quirks: {
    developerRole: 'system',
    reasoningControl: 'chat_template_kwargs',
    reasoningFields: ['reasoning_content', 'reasoning'],
    stripResponseFields: ['matched_stop'],
    continuation: 'continue_final_message',
    continuousUsage: true,
  },
  docs: 'https://docs.sglang.ai',
  sources: [
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
    { source: 'models.dev provider.toml comments (git f3fc692)', date: '2026-07-02' },
    { source: 'sgl-project/sglang serving_chat.py, _handle_last_assistant_message', date: '2026-11-22' },
    { source: 'sgl-project/sglang#12241, continuous_usage_stats', date: '2026-11-22' },
  ],
} satisfies ProviderCard;
