import type { ProviderCard } from '#providers/provider';

/** Describes Anthropic. The version header is the dialect's own. */
export const card = {
  id: 'anthropic',
  name: 'Anthropic',
  supply: 'centralized',
  dialect: 'anthropic-messages',
  baseUrl: 'https://api.anthropic.com/v1',
  auth: 'x-api-key',
  keyName: 'ANTHROPIC_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: false,
    retentionDays: 30,
    claimSource: 'provider',
    source: 'awesome-ai-gateway data_retention.json',
    date: '2026-08-31',
    note: 'Another guide says 7 days; zero retention by contract, never for the Fable family.',
  },
  jurisdiction: { countries: ['US'], source: 'awesome-ai-gateway data_retention.json', date: '2026-08-31' },
  capabilities: ['tools'],
  quirks: {},
  docs: 'https://platform.claude.com/docs',
  sources: [{ source: 'npm @earendil-works/pi-ai@1.5.2', date: '2026-11-10' }],
} satisfies ProviderCard;
