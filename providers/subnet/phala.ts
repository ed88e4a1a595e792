import type { ProviderCard } from '#providers/provider';

/**
 * Describes Phala Confidential AI (RedPill). Its enclave flag says what can be, not what was: the receipt of an answer is the proof. 403
 * means out of funds.
 */
export const card = {
  id: 'phala',
  name: 'Phala Confidential AI (RedPill)',
  supply: 'subnet',
  dialect: 'openai-chat',
  baseUrl: 'https://inference.phala.com/v1',
  auth: 'bearer',
  keyName: 'REDPILL_API_KEY',
  confidentialClaim: true,
  dataPolicy: {
    trains: null,
    retentionDays: null,
    claimSource: 'provider',
    source: 'phala-docs',
    date: '2026-06-26',
    note: 'Receipts keep hashes. Upstreams without an enclave are outside its statement.',
  },
  jurisdiction: { countries: [], source: 'no source found', date: '2026-11-22' },
  capabilities: [],
  quirks: { unfundedStatuses: [403] },
  feed: { url: 'https://inference.phala.com/v1/models', family: 'openrouter' },
  docs: 'https://docs.phala.com',
  sources: [
    { source: 'Phala-Network/phala-docs', date: '2026-06-26' },
    { source: 'Dstack-TEE/private-ai-gateway', date: '2026-08-22' },
    { source: 'redpill-ai/redpill-gateway', date: '2026-06-19' },
  ],
} satisfies ProviderCard;
