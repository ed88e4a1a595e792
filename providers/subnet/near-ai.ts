import type { ProviderCard } from '#providers/provider';

/** Describes NEAR AI Cloud. Closed third-party models are proxied without enclave; only the open ones run in one. */
export const card = {
  id: 'near-ai',
  name: 'NEAR AI Cloud',
  supply: 'subnet',
  dialect: 'openai-chat',
  baseUrl: 'https://cloud-api.near.ai/v1',
  auth: 'bearer',
  keyName: 'NEARAI_API_KEY',
  confidentialClaim: true,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found', date: '2026-11-22' },
  capabilities: [],
  quirks: {
    reasoningControl: 'chat_template_kwargs',
    reasoningFields: ['reasoning_content', 'reasoning'],
    stripResponseFields: ['matched_stop'],
  },
  feed: { url: 'https://cloud-api.near.ai/v1/models', family: 'openrouter' },
  docs: 'https://docs.near.ai/cloud',
  sources: [
    { source: 'nearai/docs', date: '2026-06-24' },
    { source: 'nearai/cloud-api', date: '2026-08-20' },
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
  ],
} satisfies ProviderCard;
