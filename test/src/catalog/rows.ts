/** Rows of a small catalogue, for tests. */
import type { CatalogRows, EndpointRow, OfferRow } from '#src/catalog/rows';

export const NOW_MS = Date.UTC(2026, 10, 22);

export function endpointRow(row: Partial<EndpointRow> = {}): EndpointRow {
  return {
    id: 'alpha:qwen/qwen3-8b',
    providerId: 'alpha',
    operatorId: 'alpha',
    tag: 'alpha',
    supply: 'centralized',
    ownerTeamId: null,
    modelId: 'qwen/qwen3-8b',
    upstreamModel: 'qwen3',
    url: 'https://api.alpha.example/v1',
    dialect: 'openai-chat',
    keySecret: null,
    engine: null,
    hardware: null,
    quantization: 'fp8',
    kvCache: 'unknown',
    context: 32_768,
    maxOutput: 8192,
    maxConcurrency: null,
    capabilities: ['tools', 'seed'],
    jurisdiction: ['DE'],
    dataPolicy: { trains: null, retention_days: null },
    verification: 'verified',
    disabled: false,
    source: 'catalogue',
    ...row,
  };
}

export function offerRow(row: Partial<OfferRow> = {}): OfferRow {
  return {
    endpointId: 'alpha:qwen/qwen3-8b',
    validFromMs: 1000,
    promptPicoUsdPerToken: 20_000,
    completionPicoUsdPerToken: 60_000,
    cacheReadPicoUsdPerToken: null,
    cacheWritePicoUsdPerToken: null,
    requestNanoUsd: 0,
    unitPicoUsd: null,
    source: 'test',
    modelId: null,
    ...row,
  };
}

export function catalogRows(rows: Partial<CatalogRows> = {}): CatalogRows {
  return {
    version: 'v1',
    models: [
      {
        id: 'qwen/qwen3-8b',
        name: 'Qwen3 8B',
        createdAtS: 5,
        context: 40_960,
        inputModalities: ['text'],
        outputModalities: ['text'],
        source: 'catalogue',
      },
    ],
    aliases: [{ alias: 'gpt-4o-mini', modelId: 'qwen/qwen3-8b', source: 'manifest' }],
    providers: [{ id: 'alpha', name: 'Alpha', supply: 'centralized', keySecret: 'ALPHA_KEY', source: 'catalogue' }],
    endpoints: [endpointRow()],
    offers: [offerRow()],
    claims: [],
    registrations: [],
    nextPriceAtMs: null,
    ...rows,
  };
}
