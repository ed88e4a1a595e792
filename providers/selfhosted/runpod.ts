import type { ProviderCard } from '#providers/provider';

/**
 * Describes Runpod Serverless (vLLM worker). Serverless vLLM workers: each deployment has its own URL. Sixteen tokens is the default
 * output limit, so one is always sent.
 */
export const card = {
  id: 'runpod',
  name: 'Runpod Serverless (vLLM worker)',
  supply: 'selfhosted',
  dialect: 'openai-chat',
  baseUrl: null,
  auth: 'bearer',
  keyName: 'RUNPOD_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found; believed US', date: '2026-11-22' },
  capabilities: [],
  quirks: { defaultMaxTokens: 4096, reasoningControl: 'chat_template_kwargs', reasoningFields: ['reasoning_content', 'reasoning'] },
  docs: 'https://docs.runpod.io/serverless/vllm/openai-compatibility',
  sources: [
    { source: 'runpod/docs', date: '2026-08-20' },
    { source: 'runpod-workers/worker-vllm', date: '2026-08-20' },
  ],
} satisfies ProviderCard;
