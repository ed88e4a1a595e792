import type { ProviderCard } from '#providers/provider';

/** Describes vLLM as an engine of custom endpoints. Newer versions send `reasoning`, older ones `reasoning_content`. */
export const card = {
  id: 'vllm',
  name: 'vLLM',
  supply: 'selfhosted',
  dialect: 'openai-chat',
  baseUrl: null,
  auth: 'bearer',
  keyName: 'VLLM_API_KEY',
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
    stripResponseFields: ['ec_transfer_params', 'kv_transfer_params', 'prompt_text', 'prompt_token_ids', 'routed_experts', 'token_ids'],
    continuation: 'continue_final_message',
    continuousUsage: true,
    reportsLoad: true,
  },
  docs: 'https://docs.vllm.ai',
  sources: [
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
    { source: 'models.dev provider.toml comments (git f3fc692)', date: '2026-07-02' },
    { source: 'docs.vllm.ai openai_compatible_server, extra parameters of the chat API', date: '2026-11-22' },
    { source: 'vllm-project/vllm#24905, endpoint-load-metrics', date: '2026-11-22' },
    { source: 'answers of vLLM 0.32.0 (CPU build), seen', date: '2026-11-23' },
    { source: 'vllm-project/vllm#5742 and #6652, continuous_usage_stats', date: '2026-11-22' },
  ],
} satisfies ProviderCard;
