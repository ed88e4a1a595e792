import type { ProviderCard } from '#providers/provider';

/** Describes llama.cpp's server as an engine of custom endpoints. */
export const card = {
  id: 'llama-cpp',
  name: 'llama.cpp',
  supply: 'selfhosted',
  dialect: 'openai-chat',
  baseUrl: null,
  auth: 'bearer',
  keyName: 'LLAMA_CPP_API_KEY',
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
    developerRole: 'system',
    reasoningControl: 'chat_template_kwargs',
    reasoningFields: ['reasoning_content', 'reasoning'],
    stripResponseFields: ['timings'],
    continuation: 'prefill',
  },
  docs: 'https://github.com/ggml-org/llama.cpp',
  sources: [
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
    {
      source: 'ggml-org/llama.cpp#13174, #13608',
      date: '2026-11-22',
      note: 'Goes on with a last message of the assistant, unless switched off.',
    },
  ],
} satisfies ProviderCard;
