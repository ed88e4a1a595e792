import type { ProviderCard } from '#providers/provider';

/** Describes Heurist LLM Gateway. The documented base URL has no version segment. */
export const card = {
  id: 'heurist',
  name: 'Heurist LLM Gateway',
  supply: 'subnet',
  dialect: 'openai-chat',
  baseUrl: 'https://llm-gateway.heurist.xyz',
  auth: 'bearer',
  keyName: 'HEURIST_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found', date: '2026-11-22' },
  capabilities: [],
  quirks: {},
  docs: 'https://docs.heurist.ai/llm-gateway/introduction',
  sources: [{ source: 'docs.heurist.ai', date: '2026-11-22' }],
} satisfies ProviderCard;
