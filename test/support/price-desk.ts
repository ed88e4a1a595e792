/** A price desk on SQLite, for tests: one catalogue endpoint of Together, lists that answer what a test says, a clock that it sets. */
import { createPriceDesk } from '#src/price-desk';
import { openSqliteD1 } from '#test/support/sqlite-d1';

export const HOUR_MS = 3_600_000;
export const NOW_MS = Date.UTC(2027, 0, 31);
export const TOGETHER = 'https://api.together.ai/v1/models';
export const BEFORE = { prompt_pico_usd_per_token: 150_000, completion_pico_usd_per_token: 600_000, cache_read_pico_usd_per_token: 75_000 };

/** A deployment with one catalogue endpoint of Together, whose lists answer what a test says. */
export function openDesk(answers: Record<string, unknown>, secrets: Record<string, string> = {}) {
  const sqlite = openSqliteD1();
  const clock = { nowMs: NOW_MS };
  const asked: { url: string; authorization: string | null }[] = [];
  let ids = 0;
  sqlite.insert('providers', {
    id: 'together',
    name: 'Together',
    supply: 'centralized',
    key_secret: 'TOGETHER_API_KEY',
    source: 'catalogue',
  });
  sqlite.insert('meta', { name: 'catalogue_version', value: 'v1' });
  sqlite.insert('models', {
    id: 'openai/gpt-oss-120b',
    name: 'gpt-oss',
    created_at_s: 0,
    context: 131_072,
    input_modalities: ['text'],
    output_modalities: ['text'],
    source: 'catalogue',
  });
  sqlite.insert('endpoints', {
    id: 'together:openai/gpt-oss-120b',
    provider_id: 'together',
    operator_id: 'together',
    tag: 'together',
    supply: 'centralized',
    model_id: 'openai/gpt-oss-120b',
    upstream_model: 'openai/gpt-oss-120b',
    url: 'https://api.together.ai/v1',
    dialect: 'openai-chat',
    quantization: 'unknown',
    kv_cache: 'unknown',
    context: 131_072,
    capabilities: [],
    jurisdiction: [],
    data_policy: {},
    verification: 'verified',
    disabled: 0,
    source: 'catalogue',
  });
  sqlite.insert('offers', { endpoint_id: 'together:openai/gpt-oss-120b', valid_from_ms: 1000, ...BEFORE, source: 'price page' });
  const desk = createPriceDesk({
    db: sqlite.db,
    fetch: ((url: string, init: RequestInit) => {
      asked.push({ url, authorization: new Headers(init.headers).get('authorization') });
      const answer = answers[url];
      if (answer === 'hangs') return new Promise(() => undefined);
      return Promise.resolve(answer === undefined ? new Response('no', { status: 500 }) : Response.json(answer));
    }) as unknown as typeof fetch,
    now: () => clock.nowMs,
    random: () => 0,
    newId: () => `id-${++ids}`,
    log: () => undefined,
    secret: (name) => secrets[name],
    allowedHosts: [],
    // Nothing here takes time.
    timers: { set: () => undefined, clear: () => undefined },
  });
  return { desk, sqlite, clock, asked };
}

export const listOf = (input: number) => [
  { id: 'openai/gpt-oss-120b', context_length: 131_072, pricing: { input, output: 0.6, cached_input: 0.075 } },
];
