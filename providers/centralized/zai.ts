import type { ProviderCard } from '#providers/provider';

/** Describes Z.AI (Zhipu). Streams tool arguments only when asked to; a finish reason can be a network error. */
export const card = {
  id: 'zai',
  name: 'Z.AI (Zhipu)',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.z.ai/api/paas/v4',
  auth: 'bearer',
  keyName: 'ZAI_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: ['CN'], source: 'OpenRouter provider record', date: '2026-11-22' },
  capabilities: ['tools'],
  quirks: {
    maxTokensField: 'max_tokens',
    developerRole: 'system',
    dropRequestFields: ['store'],
    reasoningControl: 'thinking_type',
    reasoningFields: ['reasoning_content'],
    addRequestFields: { tool_stream: true },
    failureFinishReasons: ['network_error'],
  },
  docs: 'https://docs.z.ai',
  sources: [
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
  ],
} satisfies ProviderCard;
