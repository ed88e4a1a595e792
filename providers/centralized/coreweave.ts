import type { ProviderCard } from '#providers/provider';

/** Describes CoreWeave Serverless Inference (ex W&B Inference). */
export const card = {
  id: 'coreweave',
  name: 'CoreWeave Serverless Inference (ex W&B Inference)',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.inference.wandb.ai/v1',
  auth: 'bearer',
  keyName: 'WANDB_API_KEY',
  confidentialClaim: false,
  dataPolicy: {
    trains: false,
    retentionDays: 0,
    claimSource: 'provider',
    source: 'docs.coreweave.com privacy-and-security',
    date: '2026-11-19',
    note: 'Zero retention is the default for models hosted by the company; error diagnostics may hold fragments for 14 days.',
  },
  jurisdiction: { countries: ['US'], source: 'docs.coreweave.com', date: '2026-11-19' },
  capabilities: [],
  quirks: {},
  docs: 'https://docs.coreweave.com/products/inference/serverless',
  sources: [
    { source: 'docs.coreweave.com', date: '2026-11-01' },
    { source: 'models.dev snapshot in npm opencode-linux-x64@1.18.34', date: '2026-09-30' },
  ],
} satisfies ProviderCard;
