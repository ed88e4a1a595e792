import type { ProviderCard } from '#providers/provider';

/**
 * Describes 0G Compute - direct broker. The wallet-signed way past the router: every service has its own URL, and the bearer token comes
 * from the broker SDK.
 */
export const card = {
  id: '0g-direct',
  name: '0G Compute - direct broker',
  supply: 'subnet',
  dialect: 'openai-chat',
  baseUrl: null,
  auth: 'bearer',
  keyName: 'ZERO_G_DIRECT_API_KEY',
  confidentialClaim: false,
  dataPolicy: { trains: null, retentionDays: null, claimSource: 'provider', source: 'no statement found', date: '2026-11-22' },
  jurisdiction: { countries: [], source: 'no source found', date: '2026-11-22' },
  capabilities: [],
  quirks: { stripResponseFields: ['x_0g_trace'] },
  docs: 'https://docs.0g.ai',
  sources: [
    { source: 'npm @0gfoundation/0g-compute-ts-sdk@0.9.0', date: '2026-08-23' },
    { source: 'npm @0glabs/0g-serving-broker@2.0.0', date: '2026-11-22' },
    { source: '0gfoundation/0g-compute-ts-starter-kit 2025-12', date: '2025-12-01' },
  ],
} satisfies ProviderCard;
