import type { ProviderCard } from '#providers/provider';

/**
 * Describes Chutes (Bittensor SN64). Ignores `x-api-key` and serves such calls as anonymous: bearer only. Errors are FastAPI's, or nginx
 * pages.
 */
export const card = {
  id: 'chutes',
  name: 'Chutes (Bittensor SN64)',
  supply: 'subnet',
  dialect: 'openai-chat',
  baseUrl: 'https://llm.chutes.ai/v1',
  auth: 'bearer',
  keyName: 'CHUTES_API_KEY',
  confidentialClaim: true,
  dataPolicy: {
    trains: false,
    retentionDays: 0,
    claimSource: 'provider',
    source: 'chutes-docs help/faq.md',
    date: '2026-03-12',
    note: 'The opt-in research host records prompts; this card never calls it.',
  },
  jurisdiction: { countries: [], source: 'third-party audits name Nevis; not confirmed by the operator', date: '2026-08-22' },
  capabilities: ['tools'],
  quirks: {
    maxTokensField: 'max_tokens',
    developerRole: 'system',
    dropRequestFields: ['store'],
    reasoningControl: 'chat_template_kwargs',
    reasoningFields: ['reasoning_content', 'reasoning'],
    stripResponseFields: ['chutes_verification', 'template_sha256', 'prompt_sha256', 'metadata'],
  },
  feed: {
    url: 'https://llm.chutes.ai/v1/models',
    family: 'per_million',
    // `price` is per million as well, although the community's reference calls it per token.
    prices: {
      prompt: ['pricing.prompt', 'price.input.usd'],
      completion: ['pricing.completion', 'price.output.usd'],
      cacheRead: ['pricing.input_cache_read', 'price.input_cache_read.usd'],
    },
    context: ['context_length', 'max_model_len'],
  },
  docs: 'https://chutes.ai/docs',
  sources: [
    { source: 'chutesai/chutes-docs', date: '2026-03-12' },
    { source: 'chutesai/chutes-api (router.py)', date: '2025-10-04' },
    { source: 'Veightor/chutes-agent-toolkit', date: '2026-08-22' },
    { source: 'nearai/cloud-api (attested/chutes)', date: '2026-08-20' },
    { source: 'Dstack-TEE/private-ai-gateway', date: '2026-08-22' },
    { source: 'redpill-ai/redpill-gateway', date: '2026-06-19' },
    { source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
  ],
} satisfies ProviderCard;
