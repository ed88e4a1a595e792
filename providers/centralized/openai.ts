import type { ProviderCard } from '#providers/provider';

/** Describes OpenAI. */
export const card = {
  id: 'openai',
  name: 'OpenAI',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.openai.com/v1',
  auth: 'bearer',
  keyName: 'OPENAI_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: false,
    retentionDays: 30,
    claimSource: 'provider',
    source: 'awesome-ai-gateway data_retention.json',
    date: '2026-08-31',
    note: 'Kept for abuse monitoring; zero retention by approval only.',
  },
  jurisdiction: { countries: ['US'], source: 'awesome-ai-gateway data_retention.json', date: '2026-08-31' },
  capabilities: ['tools', 'json_object', 'json_schema'],
  quirks: {
    dropRequestFields: ['top_k', 'top_a', 'min_p', 'repetition_penalty'],
    imagesAlwaysBase64: true,
  },
  docs: 'https://developers.openai.com',
  sources: [
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
    { source: 'npm openai@7.57.0, ImageGenerateParams.response_format', date: '2026-11-22' },
    { source: 'npm openai@7.57.0, ChatCompletionCreateParams: no such sampling fields, and unknown ones are refused', date: '2026-11-22' },
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
  ],
} satisfies ProviderCard;
