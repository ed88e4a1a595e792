import type { ProviderCard } from '#providers/provider';

/** Describes Tinfoil. The enclave is bound to a TLS key, which `fetch` cannot see; only its body encryption could prove it. */
export const card = {
  id: 'tinfoil',
  name: 'Tinfoil',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://inference.tinfoil.sh/v1',
  auth: 'bearer',
  keyName: 'TINFOIL_API_KEY',
  confidentialClaim: true,
  dataPolicy: {
    trains: null,
    retentionDays: 0,
    claimSource: 'provider',
    source: 'private-ai-gateway review of the router (Dstack-TEE)',
    date: '2026-08-22',
    note: 'The reviewed router paths log no bodies. Nothing was found about training.',
  },
  jurisdiction: { countries: [], source: 'no source found; believed US', date: '2026-11-22' },
  capabilities: [],
  quirks: {},
  docs: 'https://docs.tinfoil.sh',
  sources: [
    { source: 'Dstack-TEE/private-ai-gateway', date: '2026-08-22' },
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
  ],
} satisfies ProviderCard;
