import type { ProviderCard } from '#providers/provider';

/** Describes Google Gemini API. Reached through its OpenAI route; errors come as a one-element array. */
export const card = {
  id: 'google',
  name: 'Google Gemini API',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
  auth: 'bearer',
  keyName: 'GEMINI_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: false,
    retentionDays: 55,
    claimSource: 'provider',
    source: 'ai.google.dev/gemini-api/docs/zdr and OpenRouter policy record',
    date: '2026-11-22',
    note: 'Paid tier. Kept for abuse logging; zero retention by approval.',
  },
  jurisdiction: { countries: ['US'], source: 'OpenRouter provider record', date: '2026-11-22' },
  capabilities: ['tools'],
  quirks: {},
  docs: 'https://ai.google.dev',
  sources: [
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
    { source: 'models.dev sync/google.ts', date: '2026-07-02' },
  ],
} satisfies ProviderCard;
